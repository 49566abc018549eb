//! The gateway's side of the protocol as state machines without IO.
//!
//! ```text
//! socket ──frames──► Connection ──Authenticate──► shell (secrets, signatures, origin)
//!                        │  ◄─────Evidence────────┘
//!                        ├──Join(Handshake)──► Hub (roster, broadcasts, pings, ticks)
//!                        └──Call(Request)────► Hub
//! socket ◄──text frames── Outbox ◄──Item── Hub
//! ```
//!
//! The shell moves values between them, and owns the sockets and the clock; it has no rules.

mod address_mask;
pub mod admission;
pub mod connection;
mod grant;
mod handshake;
pub mod hub;
pub mod outbox;
pub mod refused;

pub use address_mask::AddressMask;
pub use admission::{DeviceEvidence, Evidence, OriginEvidence, SecretEvidence, judge_request};
pub use connection::{Connection, ConnectionOutput};
pub use grant::{Grant, Permit};
pub use handshake::{Handshake, MIN_VISITOR};
pub use hub::{BEACON_MODE, ConnId, Counts, Hub, HubConfig, HubOutput, LeaveCause};
#[cfg(feature = "recording")]
pub(crate) use hub::{
    RefusedClock, RowEvent, SavedEnded, SavedHub, SavedMember, SavedMemory, SavedRoster, SavedRow, SavedTrace,
};
pub use outbox::{Item, Outbox, Outgoing};
pub use refused::{Introduction, Refused};
