//! Large text messages: read one at a time across all connections.

use std::ops::ControlFlow;
use std::sync::Arc;

use tokio_tungstenite::tungstenite::Message;

use super::{End, OpenHandshake, Session};
use crate::auth::slots::LARGE_MS;
use crate::conn::budget::LARGE_BYTES;

impl Session {
    /// Whether more of a message comes than a socket takes without a place before its handshake is done.
    pub(super) fn needs_place(&self) -> bool {
        let is_without = |handshake: &OpenHandshake| handshake.place.is_none();
        self.handshake.as_deref().is_some_and(is_without)
            && (self.websocket.get_ref().is_held() || self.websocket.get_ref().unfinished() >= LARGE_BYTES)
    }

    /// Waits for a place. It may be that the handshake has to be done, or the socket to go, before there is one.
    pub(super) async fn take_place(&mut self) -> ControlFlow<End> {
        let Some(alarm) = &mut self.alarm else {
            return ControlFlow::Continue(());
        };
        let place = tokio::select! {
            biased;
            () = alarm => None,
            place = self.slot.large_place() => Some(place),
        };
        let Some(place) = place else {
            return self.handle_alarm();
        };
        if let Some(handshake) = &mut self.handshake {
            let ends_ms = self.shared.clock.now().age_ms.saturating_add(LARGE_MS);
            handshake.place = Some((place, ends_ms));
        }
        // The next one is for the time of the place too.
        self.alarm = None;
        self.websocket.get_mut().open_gate();
        ControlFlow::Continue(())
    }

    /// When the time of its place is over, if it has one.
    pub(super) fn place_ends_ms(&self) -> Option<u64> {
        let (_, ends_ms) = self.handshake.as_deref()?.place.as_ref()?;
        Some(*ends_ms)
    }

    /// Hands a large text to the machine when it is its turn among all large texts. The next one has to wait
    /// until all who are ready had their turn and the sockets were looked at.
    pub(super) async fn handle_large(&mut self, text: Message) {
        let shared = Arc::clone(&self.shared);
        let permit = tokio::select! {
            biased;
            () = shared.stopping() => return,
            permit = shared.large_texts.acquire() => permit,
        };
        self.handle_message(&text);
        drop(text);
        self.take_outputs();
        tokio::task::yield_now().await;
        drop(permit);
    }
}
