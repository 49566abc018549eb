//! OpenClaw's presence system as a WebSocket gateway: the shell around [`presence_core`].
//!
//! The rules live in core; here are the sockets, the clock, the secrets and the command line.
//!
//! | module | what it does |
//! |---|---|
//! | [`gateway`] | binds, runs, drains |
//! | [`net`] | listens, accepts, reads HTTP |
//! | `conn` | one WebSocket connection, and what all of them share |
//! | `driver` | the one task that owns the hub |
//! | [`auth`] | who may connect, and how many: origins, secrets, device keys, proxies, slots |
//! | [`config`] | everything that can be set |
//! | [`web`] | the files of the page |
//! | [`identity`] | this machine's name, version and row |
//! | [`clock`] | the only place that reads clocks |
//! | `log` | bounds on log lines, and text made safe for them |
//! | [`cli`] | the commands |
//!
//! Modules know each other in one direction only: `cli`, `gateway`, `net` and `driver`, `conn`, then the others.
//!
//! A program or a test embeds it by [`Gateway::start`].

// A closed or full stdout or stderr must neither end the program nor hold it up: see `cli::output` and `cli::stderr`.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
mod conn;
mod driver;
pub mod gateway;
pub mod identity;
mod log;
pub mod net;
pub mod web;

pub use clock::Clock;
pub use config::GatewayConfig;
pub use gateway::{Gateway, RunningGateway, StartError};

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
