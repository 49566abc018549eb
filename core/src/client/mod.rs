//! The client's side of the protocol as state machines without IO (SPEC 3).
//!
//! ```text
//!            commands: start, stop, request, beacon, set_*, report_input
//!                 │
//! socket ──frames─► Client ──Open, Send, Close, Sign──► shell (sockets, clocks, device key)
//!                 │  └─────Event──────────────────────► application
//!                 └► Mirror (rows, statuses, diffs, findings) ◄── read at any time
//! ```
//!
//! * [`Client`]: successive connections to one gateway of protocol 3 or 4.
//! * [`Mirror`]: its roster, also usable without a gateway on a pasted list.
//! * [`ServerClock`], [`Backoff`]: time and randomness.

pub mod backoff;
pub mod clock;
pub mod config;
pub mod event;
pub mod hello;
pub mod machine;
pub mod mirror;
pub mod problem;

pub use backoff::{Backoff, BackoffConfig};
pub use clock::ServerClock;
pub use config::{BeaconOccasions, BeaconPolicy, ClientConfig, DeviceKey};
pub use event::{ClientEvent, ClientOutput, ClientState};
pub use hello::Hello;
pub use machine::{CallError, Client};
pub use mirror::{Mirror, MirrorConfig, RosterDiff, Row, RowView};
pub use problem::Problem;
