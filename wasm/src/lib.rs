//! The core for JavaScript: thin bindings that contain no rules.
//!
//! Frames and rows cross as JSON text, because `JSON.parse` is faster than calls through the boundary. Other values
//! are objects that serde makes from Rust types; the TypeScript types are generated from these.
//!
//! Every method that needs the time takes both clocks of [`presence_core::Now`] as its last
//! arguments, in ms; fractions are truncated.
extern crate alloc;

#[cfg(feature = "client")]
mod client;
mod clock;
mod error;
#[cfg(feature = "client")]
mod functions;
#[cfg(feature = "gateway")]
mod gateway;
mod options;
#[cfg(feature = "gateway")]
mod recording;
#[cfg(feature = "client")]
mod roster;
#[cfg(target_arch = "wasm32")]
mod runtime;
#[cfg(feature = "client")]
pub use {client::Client, functions::*, roster::Roster};
#[cfg(feature = "gateway")]
pub use {gateway::Gateway, recording::Recording};
