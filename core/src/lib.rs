//! The rules of OpenClaw presence, as pure code.
//!
//! This crate knows no clock, no socket, no thread and no randomness: time is an argument
//! ([`Now`]), ids and seeds are handed in. It is compiled natively into the gateway and to WASM
//! into the npm package, and gives the same results, bit for bit, on both.
//!
//! * [`roster`]: who is connected. Keys, merge, dedupe, TTL, cap, list order. **Start here.**
//! * [`model`]: what everything is about: rows, keys, beacons, clients, time; in
//!   [`model::status`]: Active, Idle, Stale, Left, age texts and reason labels.
//! * [`wire`]: frames, `connect` parameters, errors, close codes, limits.
//! * [`server`]: the gateway's side as state machines: one [`server::Connection`] per socket and
//!   one [`server::Hub`] for all of them.
//! * [`client`]: the client's side as a state machine, [`client::Client`], and the roster it keeps,
//!   [`client::Mirror`], which also works on a pasted list.
//! * [`findings`]: what is wrong in a list, and why one client is seen twice.
//! * [`fleet`]: the rosters of several gateways as one; [`observer`]: a client as a source of it.
//! * [`cluster`]: this gateway as one of a fleet: what it writes for the others, and what it reads of them.
//! * [`recording`]: what a hub was handed, as a file, and its replay.
//!
//! The features `client` and `server`, both on by default, are the modules of these names. Modules know each
//! other in one direction: `model` knows no other; `digest`, `findings`, `instance`, `roster` and `wire` know `model`,
//! and `roster` knows `digest`; `fleet` knows these; `client` and `server` know all of these and not each other; `observer` knows both.
//! The features `recording` and `cluster`, on by default too, add the modules of these names, which know `server`.
//!
//! Section numbers in the documentation ("SPEC 1.4") are those of the project's rules in
//! `PROTOCOL.md`.
#![no_std]
#![cfg_attr(
    not(all(feature = "client", feature = "server")),
    expect(
        dead_code,
        reason = "what both sides share is all compiled with either of them"
    )
)]
extern crate alloc;

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "cluster")]
pub mod cluster;
pub mod digest;
pub mod findings;
#[cfg(feature = "server")]
pub mod fleet;
#[cfg(any(feature = "client", feature = "server"))]
mod instance;
pub mod model;
#[cfg(all(feature = "client", feature = "server"))]
pub mod observer;
#[cfg(feature = "recording")]
pub mod recording;
pub mod roster;
#[cfg(feature = "server")]
pub mod server;
pub mod wire;

pub use model::{Beacon, ClientInfo, Now, PresenceEntry, PresenceKey, RawEntry, Role, Status};
pub use roster::Roster;

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
