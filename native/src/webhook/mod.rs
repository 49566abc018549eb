//! The webhook: sends joins and leaves to a server that the operator configures.

mod client;
mod delivery;
mod event;
mod handle;
mod signature;

pub(crate) use self::client::Client;
pub(crate) use self::delivery::Delivery;
pub(crate) use self::event::Event;
pub(crate) use self::handle::WebhookHandle;

/// Maximum number of waiting events. Further events are dropped and counted.
pub(crate) const MAX_WAITING: usize = 1_024;
