//! Listens, accepts, and reads HTTP: a request becomes a WebSocket or gets its answer.
//!
//! Uses `conn`, which takes over WebSockets, and the modules that `conn` uses.

pub(crate) mod accept;
mod answer;
mod api;
mod cors;
mod events;
pub(crate) mod head;
mod http;
mod incoming;
pub(crate) mod listen;
pub(crate) mod metrics;
mod refused;
mod rights;
