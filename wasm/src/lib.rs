//! The core for JavaScript: thin bindings, no rules of their own.
//!
//! What goes in and out is what JavaScript handles fastest: numbers, strings, and JSON text for
//! anything larger (`JSON.parse` beats building objects member by member through the boundary, and
//! frames and lists are JSON text anyway). The TypeScript client on top gives it types.
//!
//! Every method that needs the time takes both clocks of [`presence_core::Now`] as its last
//! arguments, in ms; fractions are cut off.
#![cfg_attr(target_arch = "wasm32", no_std)]
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
#[cfg(feature = "client")]
mod roster;
#[cfg(target_arch = "wasm32")]
mod runtime;
#[cfg(feature = "gateway")]
pub use gateway::Gateway;
#[cfg(feature = "client")]
pub use {client::Client, functions::*, roster::Roster};
