//! One WebSocket connection: its task, its queue and the only writer of its socket.
//!
//! Uses `auth`, `config`, `clock`, `log` and `identity`. The driver and `net` use this module, not the reverse.
//!
//! ```text
//!   driver ──items──► Peer (outbox, half-written frames) ──writev──► socket
//!                       ▲                                              │
//!   tungstenite ──pongs─┘ ◄──────────────frames────────────────────────┘ read by the session's task
//! ```
//!
//! Text frames never pass through tungstenite on the way out: it would copy each into a buffer of
//! the connection's own and keep that. All writes, its pongs included, go through one [`writer::Writer`], so
//! nothing can come between the halves of a frame.

mod budget;
mod event;
mod gate;
mod input;
#[cfg(test)]
mod model;
pub(crate) mod parting;
mod peer;
mod pool;
pub(crate) mod record;
mod session;
mod shared;
mod socket;
mod stream;
mod subscription;
mod sync;
mod writer;

pub(crate) use event::{Event, HttpAnswer, HttpCall, MAX_EVENTS};
pub(crate) use input::Input;
pub(crate) use peer::Peer;
pub(crate) use session::{Opening, Session};
pub(crate) use shared::Shared;
pub(crate) use subscription::Subscription;
