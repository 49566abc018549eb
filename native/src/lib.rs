//! OpenClaw's presence system as a WebSocket gateway: the shell around [`presence_core`].
//!
//! Core has the rules; this crate has the sockets, the clock, the secrets and the command line.
//!
//! | module | what it does |
//! |---|---|
//! | `gateway` | binds, runs, drains |
//! | `net` | listens, accepts, reads HTTP |
//! | `conn` | one WebSocket connection, and what all of them share |
//! | `driver` | the one task that owns the hub |
//! | `recording` | records the driver's inputs to a file |
//! | `history` | writes sessions to a database, and reads them; needs the feature of that name |
//! | `auth` | admission of clients and its limits: origins, secrets, device keys, proxies, slots |
//! | `config` | all settings |
//! | `web` | the files of the page |
//! | `tls` | the certificate, encrypted sockets |
//! | `files` | reads small files |
//! | `identity` | this machine's name, version and row |
//! | [`clock`] | the only place that reads clocks |
//! | `metrics` | numbers about the whole gateway |
//! | `log` | bounds on log lines, and text made safe for them |
//! | `webhook` | reports joins and leaves; needs the feature of that name |
//! | `cluster` | the fleet on NATS; needs the feature of that name |
//! | `cli` | the commands; needs the feature of that name |
//!
//! Modules use later ones only: `cli`, `gateway`, `cluster`, `net` and `driver`, `conn` and `webhook`, then the others.
//!
//! A program or a test embeds it by [`Gateway::start`]. Without the feature `cli` (`default-features = false`), the
//! command line and its dependencies are left out.

// A closed or full stdout or stderr must neither end the program nor hold it up: see `cli::output` and `cli::stderr`.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod auth;
#[cfg(feature = "cli")]
pub mod cli;
pub mod clock;
#[cfg(feature = "cluster")]
mod cluster;
mod config;
mod conn;
mod driver;
mod feed;
#[cfg(any(feature = "cli", feature = "tls"))]
mod files;
mod gateway;
#[cfg(any(feature = "cli", feature = "history"))]
mod history;
mod identity;
mod log;
mod metrics;
mod net;
mod recording;
mod tls;
mod web;
#[cfg(feature = "webhook")]
mod webhook;

pub use auth::origin::{AllowedOrigins, InvalidOrigin};
pub use auth::secret::{AuthMode, InvalidSecret, Secret};
pub use auth::slots::SlotLimits;
pub use auth::tokens::{InvalidToken, MAX_NAME_CHARS, MAX_TOKENS, NamedToken, Tokens};
pub use auth::user_header::{InvalidUserHeader, UserHeader};
pub use clock::Clock;
pub use config::{Bind, DEFAULT_PORT, GatewayConfig, InvalidBind, InvalidConfig};
#[cfg(feature = "cluster")]
pub use config::{ClusterConfig, InvalidCluster};
#[cfg(feature = "webhook")]
pub use config::{InvalidWebhook, WebhookConfig};
pub use feed::Feed;
pub use gateway::{Gateway, RunningGateway, StartError};
#[cfg(feature = "history")]
pub use history::{DEFAULT_AGE_MS, DEFAULT_BYTES, HistoryConfig};
pub use ipnet::IpNet;
pub use net::listen::ListenError;
pub use presence_core::fleet::{NameError, SourceRow, SourceUpdate};
pub use presence_core::model::setting::InvalidSetting;
pub use presence_core::wire::Limits;
pub use presence_core::{Now, PresenceEntry};
pub use recording::{Keep, RecordTo, Requests};
#[cfg(all(feature = "cli", feature = "tls"))]
pub use tls::ClientTls;
pub use tls::{Fingerprint, InvalidFingerprint, Tls, TlsError};
pub use web::{WebRoot, WebRootError};

/// Fixed bounds, which no configuration changes.
pub mod bounds {
    pub use crate::auth::slots::PATIENCE_MS;
    pub use crate::auth::throttle::{BURST, MAX_BUCKETS};
}

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
