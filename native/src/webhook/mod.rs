//! The webhook: joins and leaves, sent to a server that the operator names.

mod client;
mod delivery;
mod event;
mod handle;
mod signature;

pub(crate) use self::client::Client;
pub(crate) use self::delivery::Delivery;
pub(crate) use self::event::Event;
pub(crate) use self::handle::WebhookHandle;

/// Most events that wait. Further ones are dropped and counted.
pub(crate) const MAX_WAITING: usize = 1_024;
