//! The rules of OpenClaw presence, as pure code.
//!
//! This crate knows no clock, no socket, no thread and no randomness: time is an argument
//! ([`Now`]), ids and seeds are handed in. It is compiled natively into the gateway and to WASM
//! into the npm package, and gives the same results, bit for bit, on both.
//!
//! * [`roster`]: who is connected. Keys, merge, dedupe, TTL, cap, list order. **Start here.**
//! * [`status`]: Active, Idle, Stale, Left, age texts and reason labels.
//! * [`protocol`]: frames, `connect` parameters, errors, close codes, limits.
//! * [`server`]: the gateway's side as state machines: one [`server::Connection`] per socket and
//!   one [`server::Hub`] for all of them.
//! * [`client`]: the client's side as a state machine, [`client::Client`], and the roster it keeps,
//!   [`client::Mirror`], which also works on a pasted list.
//! * [`findings`]: why one client is seen twice.
//!
//! Section numbers in the documentation ("SPEC 1.4") are those of the project's rules in
//! `PROTOCOL.md`.
#![no_std]
extern crate alloc;

pub mod address;
pub mod beacon;
pub mod client;
pub mod digest;
pub mod entry;
pub mod findings;
pub mod key;
pub mod lower;
pub mod placeholder;
pub mod protocol;
pub mod roster;
pub mod server;
pub mod setting;
pub mod status;
pub mod time;

pub use entry::PresenceEntry;
pub use key::PresenceKey;
pub use roster::Roster;
pub use status::Status;
pub use time::Now;

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
