//! A socket before its upgrade: waiting for a request, or being answered.

use std::net::SocketAddr;
use std::sync::Arc;

use ::http::StatusCode;
use tracing::warn;

use super::{counted_as, note_unattributed};
use crate::auth::proxy::Client;
use crate::auth::slots::{Refused, Slot};
use crate::auth::user_header::StatedUser;
use crate::conn::Shared;
use crate::net::answer::refusal;
use crate::net::head::{Head, begins_api};
use crate::net::refused::{log_refusal, refuse_slot};
use crate::tls::{ServerStream, Transport};

pub(super) struct Caller<'a> {
    pub(super) stream: Transport<ServerStream>,
    pub(super) address: SocketAddr,
    pub(super) slot: Slot,
    pub(super) shared: &'a Arc<Shared>,
    /// When the socket was accepted, on the age clock.
    pub(super) accepted_ms: u64,
    /// When the gateway began to wait for the request, on the age clock.
    pub(super) asked_ms: u64,
}

impl Caller<'_> {
    /// Returns the user that a trusted proxy states.
    pub(super) fn user(&self, head: &Head) -> Option<Box<str>> {
        let proxy = self.address.ip().to_canonical();
        match &head.user {
            StatedUser::User(id) if self.shared.proxies.contains(proxy) => Some(id.clone()),
            StatedUser::Unusable if self.shared.proxies.contains(proxy) => {
                if self.shared.log.user.passes(self.asked_ms) {
                    warn!(%proxy, "the header for the user is repeated, too long or not UTF-8: the client has no user");
                }
                None
            }
            _ => None,
        }
    }

    /// Attributes the request to a client.
    pub(super) fn client(&self, head: &Head) -> Client {
        let client = self.shared.proxies.attribute(
            self.address.ip(),
            head.has_proxy_headers,
            head.forwarded_for.as_deref(),
        );
        if client.ip.is_none() {
            note_unattributed(self.shared, self.address, self.shared.clock.now());
        }
        client
    }

    /// Counts the socket against this client, and marks it as busy.
    pub(super) fn count(&mut self, client: Client) -> Result<(), Refused> {
        let now = self.shared.clock.now();
        let address = counted_as(self.shared, client.ip.unwrap_or(client.peer));
        self.slot.attribute(address, now.age_ms)?;
        self.slot.busy(now.age_ms)
    }

    /// Whether the request comes by TLS.
    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self.stream, Transport::Tls(_))
    }

    /// Answers with a status and a line of text, logs both, and closes. Without a head, the bytes that were read of it
    /// decide whether the answer is an error of the API.
    pub(super) fn refuse<T>(
        self,
        client: Client,
        head: Result<&Head, &[u8]>,
        status: StatusCode,
        why: &str,
    ) -> Option<T> {
        log_refusal(self.shared, client, head.ok(), status, why, self.accepted_ms);
        let is_api = head.map_or_else(begins_api, Head::asks_api);
        let answer = refusal(status, &format!("{why}\n"), is_api, self.shared.clock.now());
        self.dismiss(answer);
        None
    }

    /// Answers that there is no slot, logs it, and closes.
    pub(super) fn refuse_without_slot<T>(self, client: Client, head: &Head, refused: Refused) -> Option<T> {
        let answer = refuse_slot(self.shared, client, Some(head), refused, self.accepted_ms);
        self.dismiss(answer);
        None
    }

    /// Closes after these last bytes. The slot is free immediately.
    pub(super) fn dismiss(self, answer: Vec<u8>) {
        drop(self.slot);
        self.shared.parting.dismiss(self.stream, answer);
    }
}
