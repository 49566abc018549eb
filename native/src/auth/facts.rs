//! Facts about a client from the HTTP request of its connection.

use presence_core::wire::error::Misplaced;

use crate::auth::proxy::{Client, is_loopback, network};
use crate::auth::throttle::Bucket;

/// Facts from the HTTP request of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// The client.
    pub client: Client,
    /// Its Origin header.
    pub origin: Option<Box<str>>,
    /// Its Host header.
    pub host: Option<Box<str>>,
    /// Its User-Agent header, cut; for the log.
    pub user_agent: Option<Box<str>>,
    /// A place that is not read, in which the request has a value that looks like a secret.
    pub misplaced: Option<Misplaced>,
    /// Its user, as a trusted proxy states it.
    pub user: Option<Box<str>>,
}

impl Facts {
    /// The clients that share a throttle of wrong secrets, and the row of their beacons over plain HTTP.
    pub(crate) fn bucket(&self) -> Bucket {
        match (self.client.ip, &self.origin) {
            (None, _) => Bucket::Proxy(network(self.client.peer)),
            (Some(ip), None) if is_loopback(ip) => Bucket::Local,
            (Some(ip), Some(_)) if is_loopback(ip) => Bucket::Page,
            (Some(ip), _) => Bucket::Address(network(ip)),
        }
    }
}
