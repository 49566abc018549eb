//! The rules of OpenClaw presence, as pure code.
//!
//! This crate uses no clock, no socket, no thread and no randomness: time ([`Now`]), ids and seeds
//! are arguments. It is compiled natively into the gateway and to WASM into the npm package, with
//! bit-identical results on both.
//!
//! * [`roster`]: who is connected. Keys, merge, dedupe, TTL, cap, list order. **Start here.**
//! * [`model`]: the data types: rows, keys, beacons, clients, time; in
//!   [`model::status`]: Active, Idle, Stale, Left, age texts and reason labels.
//! * [`wire`]: frames, `connect` parameters, errors, close codes, limits.
//! * [`server`]: the gateway's side as state machines: one [`server::Connection`] per socket and
//!   one [`server::Hub`] for all of them.
//! * [`client`]: the client's side as a state machine, [`client::Client`], and the roster it keeps,
//!   [`client::Mirror`], which also works on a pasted list.
//! * [`findings`]: problems in a list, and why one client is listed twice.
//! * [`fleet`]: the rosters of several gateways as one; [`observer`]: a client as a source of it.
//! * [`cluster`]: this gateway as a member of a fleet: the rows that it writes for the others, and reads from them.
//! * [`recording`]: the inputs of a hub as a file, and their replay.
//!
//! The features `client` and `server`, both on by default, are the modules of these names. Modules depend on each other
//! in one direction: `model` uses no other; `digest`, `findings`, `instance`, `roster` and `wire` use `model`, and
//! `roster` uses `digest`; `fleet` uses these; `client` and `server` use all of these but not each other; `observer`
//! uses both. The features `recording` and `cluster`, on by default too, add the modules of these names, which use
//! `server`.
//!
//! Section numbers in the documentation ("SPEC 1.4") are those of the project's rules in
//! `PROTOCOL.md`.
#![no_std]
#![cfg_attr(
    not(all(feature = "client", feature = "server")),
    expect(
        dead_code,
        reason = "code that both sides share is compiled with either of them"
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
