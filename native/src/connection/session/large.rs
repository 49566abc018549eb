//! Large texts, which take long to read: one at a time, whoever sent it.

use std::ops::ControlFlow;
use std::sync::Arc;

use tokio_tungstenite::tungstenite::Message;

use super::{End, OpenHandshake, Session};
use crate::connection::budget::LARGE_BYTES;

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
        let places = Arc::clone(&self.shared.large_handshakes);
        let place = tokio::select! {
            biased;
            () = alarm => None,
            place = places.acquire_owned() => place.ok(),
        };
        let Some(place) = place else {
            return self.handle_alarm();
        };
        if let Some(handshake) = &mut self.handshake {
            handshake.place = Some(place);
        }
        self.websocket.get_mut().open_gate();
        ControlFlow::Continue(())
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
