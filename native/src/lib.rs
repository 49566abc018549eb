//! OpenClaw's presence system as a WebSocket gateway: the shell around [`presence_core`].
//!
//! The rules live in core; here are the sockets, the clock, the secrets and the command line.
//!
//! | module | what it does |
//! |---|---|
//! | [`gateway`] | binds, runs, drains |
//! | `accept`, [`head`], `http`, `answer`, `parting` | takes connections in; WebSocket or plain HTTP; lets them go |
//! | `connection` | one socket: reads, writes, closes |
//! | `driver` | the one task that owns the hub |
//! | [`admission`] | the facts about a `connect`: [`origin`], [`auth`], [`ratelimit`], [`device`] |
//! | [`proxy`], [`slots`] | who the client is, and how many there may be |
//! | [`web`] | the files of the page |
//! | [`clock`] | the only place that asks what time it is |
//! | `bench` | the load generator |
//! | [`cli`] | the commands |
//!
//! A program or a test embeds it by [`Gateway::start`].

// A closed or full stdout or stderr must neither end the program nor hold it up: see `cli::output` and `cli::stderr`.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod accept;
pub mod admission;
mod answer;
pub mod auth;
mod bench;
pub mod cli;
pub mod clock;
pub mod config;
mod connection;
pub mod device;
mod driver;
pub mod gateway;
pub mod head;
mod http;
pub mod identity;
mod interfaces;
pub mod listen;
mod log;
pub mod origin;
mod parting;
pub mod proxy;
pub mod ratelimit;
pub mod slots;
pub mod user_header;
pub mod web;

pub use clock::Clock;
pub use config::GatewayConfig;
pub use gateway::{Gateway, RunningGateway, StartError};

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
