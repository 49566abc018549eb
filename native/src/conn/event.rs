//! What connections send to the driver.

use std::sync::Arc;

use presence_core::server::LeaveCause;
use tokio::sync::oneshot;

use super::input::Input;
use super::peer::Peer;

/// Events that may wait for the driver; connections wait when there are more.
pub(crate) const MAX_EVENTS: usize = 256;

/// Something that happened.
#[derive(Debug)]
pub(crate) enum Event {
    /// All that one read of a socket yielded.
    Batch(Arc<Peer>, Vec<Input>),
    /// A connection is gone, or about to.
    Leave(Arc<Peer>, LeaveCause),
    /// The gateway stops.
    Shutdown(&'static str),
    /// Answer when everything before is done and everything due is sent: with the next deadline.
    Settle(oneshot::Sender<Option<u64>>),
}
