//! Events for the driver.

use std::sync::Arc;

use presence_core::fleet::{SourceId, SourceUpdate};
use presence_core::model::SharedText;
use presence_core::server::{ConnId, Handshake, LeaveCause, Refused};
use presence_core::wire::{Request, ResponseFrame, WireError};
use tokio::sync::oneshot;

use super::input::Input;
use super::peer::Peer;
use super::subscription::Subscription;

/// Events that may wait for the driver; connections wait when there are more.
pub(crate) const MAX_EVENTS: usize = 256;

/// An event, most of them from connections.
#[derive(Debug)]
pub(crate) enum Event {
    /// The inputs from one read of a socket.
    Batch(Arc<Peer>, Vec<Input>),
    /// A connection ends.
    Leave(Arc<Peer>, LeaveCause),
    /// A handshake was refused for the client's clock.
    Refused(Box<Refused>),
    /// The history answers a request of this connection.
    #[cfg_attr(
        not(feature = "history"),
        expect(dead_code, reason = "without a history nothing answers")
    )]
    Answer(ConnId, Box<ResponseFrame>),
    /// An update from an observed gateway. The sender is dropped once the list has it.
    Source(SourceId, SourceUpdate, oneshot::Sender<()>),
    /// Inputs from the buckets of the fleet. The sender is dropped once the list has them.
    #[cfg(feature = "cluster")]
    Cluster(Vec<presence_core::cluster::ClusterInput>, oneshot::Sender<()>),
    /// A stream of plain HTTP has ended.
    Unsubscribe(Arc<Subscription>),
    /// A request of plain HTTP. The answer is dropped if the client has disconnected.
    Http(HttpCall, oneshot::Sender<HttpAnswer>),
    /// The gateway stops.
    Shutdown(&'static str),
    /// Answer with the next deadline once all earlier events are handled and everything due is sent.
    Settle(oneshot::Sender<Option<u64>>),
}

/// A call of plain HTTP to the hub.
#[derive(Debug)]
pub(crate) enum HttpCall {
    /// The list, unless it has a tag of this If-None-Match; `true` leaves addresses out.
    List(Option<Box<str>>, bool),
    /// To write a beacon.
    Beacon(Box<Handshake>, Box<Request>),
    /// Deltas from now on, or from those after the event of this id.
    Subscribe(Box<Handshake>, Option<Box<str>>, Arc<Subscription>),
}

/// The hub's answer.
#[derive(Debug)]
pub(crate) enum HttpAnswer {
    /// The tag of the list, and the list unless the client has it.
    List(Box<str>, Option<SharedText>),
    /// Why the beacon was refused, if it was.
    Beacon(Result<(), WireError>),
    /// The prefix of the ids of events.
    Subscribed(Box<str>),
}
