//! Listens, accepts, and reads HTTP: a request becomes a WebSocket or gets its answer.
//!
//! Knows `conn`, which takes over a WebSocket, and what `conn` knows.

pub(crate) mod accept;
mod answer;
mod api;
mod asked;
mod cors;
mod events;
pub(crate) mod head;
mod http;
pub(crate) mod listen;
pub(crate) mod metrics;
mod refused;
mod rights;
