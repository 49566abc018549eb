//! The core for JavaScript: thin bindings, no rules of their own.
//!
//! Frames and rows cross as JSON text, which `JSON.parse` makes objects of faster than calls through the boundary.
//! What else JavaScript gets are objects that serde makes of Rust types; the TypeScript types are made of these, too.
//!
//! Every method that needs the time takes both clocks of [`presence_core::Now`] as its last
//! arguments, in ms; fractions are cut off.
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
