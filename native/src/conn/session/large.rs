//! Large messages: permits for them before the handshake, a bound for all of them after it, and parsing one at a time
//! across all connections.

use std::ops::ControlFlow;
use std::sync::Arc;

use presence_core::Now;
use presence_core::wire::CloseFrame;
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::Message;

use super::{End, OpenHandshake, Session};
use crate::auth::slots::LARGE_MS;
use crate::conn::budget::LARGE_BYTES;
use crate::conn::pool::Share;

/// A large message of an accepted client, up to its end.
pub(super) struct Unfinished {
    share: Share,
    since_ms: u64,
}

impl Session {
    /// Whether the handshake needs a permit to read more of its message.
    pub(super) fn needs_place(&self) -> bool {
        let is_without = |handshake: &OpenHandshake| handshake.place.is_none();
        self.handshake.as_deref().is_some_and(is_without)
            && (self.websocket.get_ref().is_held() || self.websocket.get_ref().unfinished() >= LARGE_BYTES)
    }

    /// Waits for a permit, at most until the alarm: the handshake's deadline, an eviction or the gateway's end.
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
        // The next alarm includes the permit's end.
        self.alarm = None;
        self.websocket.get_mut().open_gate();
        ControlFlow::Continue(())
    }

    /// When its permit ends, if it has one.
    pub(super) fn place_ends_ms(&self) -> Option<u64> {
        let (_, ends_ms) = self.handshake.as_deref()?.place.as_ref()?;
        Some(*ends_ms)
    }

    /// Counts the bytes of an incomplete message after the handshake. Closes when too many wait in all connections.
    pub(super) fn count_unfinished(&mut self, bytes: usize) {
        if bytes <= LARGE_BYTES {
            self.unfinished = None;
            return;
        }
        let (shared, now) = (&self.shared, self.shared.clock.now());
        let unfinished = self.unfinished.get_or_insert_with(|| {
            Box::new(Unfinished {
                share: Share::of(&shared.unfinished),
                since_ms: now.age_ms,
            })
        });
        unfinished.share.set(bytes);
        if unfinished.share.is_exceeded() {
            self.refuse_to_read(CloseFrame::TOO_MANY_UNFINISHED);
        }
    }

    /// Gives the incomplete message its whole time again.
    pub(super) fn restart_unfinished(&mut self, now: Now) {
        if let Some(unfinished) = &mut self.unfinished {
            unfinished.since_ms = now.age_ms;
        }
    }

    /// When the incomplete message was first large, or the gateway last paused it.
    pub(super) fn unfinished_since_ms(&self) -> Option<u64> {
        self.unfinished.as_ref().map(|unfinished| unfinished.since_ms)
    }

    /// Handles a large text in its turn, unless the gateway stops.
    pub(super) async fn handle_large(&mut self, text: Message) {
        let shared = Arc::clone(&self.shared);
        let handle = || {
            self.handle_message(&text);
            drop(text);
            self.take_outputs();
        };
        tokio::select! {
            biased;
            () = shared.stopping() => {}
            () = in_turn(&shared.large_texts, handle) => {}
        }
    }
}

/// Handles a large text once it has a permit. The permit is kept until all ready tasks ran and the runtime polled the
/// sockets.
async fn in_turn(permits: &Semaphore, handle: impl FnOnce()) {
    let permit = permits.acquire().await;
    handle();
    tokio::task::yield_now().await;
    drop(permit);
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::conn::budget::LARGE_TEXTS;

    #[tokio::test]
    async fn few_large_texts_are_handled_between_two_polls_of_the_sockets() {
        const TEXTS: usize = 5;

        let permits = Arc::new(Semaphore::new(LARGE_TEXTS));
        let handled = Arc::new(Mutex::new(Vec::new()));
        for text in 0..TEXTS {
            let (permits, handled) = (Arc::clone(&permits), Arc::clone(&handled));
            tokio::spawn(async move { in_turn(&permits, || handled.lock().unwrap().push(text)).await });
        }
        for polls in 1..=TEXTS {
            tokio::task::yield_now().await;
            let handled = handled.lock().unwrap().len();
            assert!(handled <= polls * LARGE_TEXTS, "{handled} after {polls}");
        }
        // In the order of their arrival.
        assert_eq!(*handled.lock().unwrap(), Vec::from_iter(0..TEXTS));
    }
}
