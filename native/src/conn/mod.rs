//! One WebSocket connection: who writes what when.
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
mod gate;
pub(crate) mod parting;
mod peer;
mod record;
mod session;
mod stream;
mod writer;

pub(crate) use peer::{Input, Peer};
pub(crate) use record::refused_request;
pub(crate) use session::{Opening, Session};
