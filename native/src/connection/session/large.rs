//! Large texts, which take long to read: one at a time, whoever sent it.

use tokio_tungstenite::tungstenite::Message;

use super::Session;
use crate::connection::budget::LARGE_BYTES;

impl Session {
    /// Whether more of a message comes than a socket takes without a place before its handshake is done.
    pub(super) fn needs_place(&self) -> bool {
        let is_without = |handshake: &super::OpenHandshake| handshake.place.is_none();
        self.handshake.as_deref().is_some_and(is_without)
            && (self.websocket.get_ref().is_held() || self.websocket.get_ref().unfinished() >= LARGE_BYTES)
    }

    /// Waits for a place until the handshake must be done. Returns whether there is one.
    pub(super) async fn take_place(&mut self) -> bool {
        let shared = self.shared.clone();
        let deadline = self.machine.poll_timeout().unwrap_or_default();
        let place = tokio::select! {
            biased;
            () = shared.stopping() => None,
            () = shared.clock.sleep_until(deadline) => None,
            place = shared.large_handshakes.clone().acquire_owned() => place.ok(),
        };
        let is_taken = place.is_some();
        if let Some(handshake) = &mut self.handshake {
            handshake.place = place;
        }
        if is_taken {
            self.websocket.get_mut().open_gate();
        }
        is_taken
    }

    /// Hands a large text to the machine when it is its turn among all large texts. The next one has to wait
    /// until all who are ready had their turn and the sockets were looked at.
    pub(super) async fn handle_large(&mut self, text: Message) {
        let shared = self.shared.clone();
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
