//! The client's side of the protocol as state machines without IO (SPEC 3).

pub mod backoff;
pub mod clock;
pub mod json;
pub mod mirror;
pub mod raw;

pub use backoff::{Backoff, BackoffConfig};
pub use clock::ServerClock;
pub use json::Json;
pub use mirror::{Mirror, MirrorConfig, RosterDiff, Row, RowView};
pub use raw::RawEntry;
