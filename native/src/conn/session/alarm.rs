//! The alarm of a connection: its deadlines, its eviction, the end of the gateway.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;

use presence_core::wire::CloseFrame;

use super::{End, Session};

pub(super) type Alarm = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Session {
    /// Arms the alarm. Before the handshake is done: its deadline, that of a large message, the eviction and the
    /// gateway's end. After it: the deadline of a full socket, and of a large message. An armed alarm stays; when it
    /// fires, the deadlines are compared with the clock.
    pub(super) fn set_alarm(&mut self) {
        if self.has_joined() {
            let starts = [self.peer.blocked_since_ms(), self.unfinished_since_ms()];
            let Some(since) = starts.into_iter().flatten().min() else {
                self.alarm = None;
                return;
            };
            if self.alarm.is_none() {
                let clock = self.shared.clock.clone();
                let at = since.saturating_add(self.shared.config.limits.stall_ms);
                self.alarm = Some(Box::pin(async move { clock.sleep_until(at).await }));
            }
        } else if self.alarm.is_none()
            && let Some(deadline) = self.machine.poll_timeout()
        {
            let deadline = deadline.min(self.place_ends_ms().unwrap_or(deadline));
            let shared = Arc::clone(&self.shared);
            let eviction = self.slot.eviction();
            self.alarm = Some(Box::pin(async move {
                tokio::select! {
                    () = shared.clock.sleep_until(deadline) => {}
                    () = eviction => {}
                    () = shared.stopping() => {}
                }
            }));
        }
    }

    pub(super) fn handle_alarm(&mut self) -> ControlFlow<End> {
        self.alarm = None;
        let now = self.shared.clock.now();
        if !self.has_joined() {
            if self.shared.is_stopping() {
                self.peer.close(CloseFrame::SERVICE_RESTART);
            } else if self.slot.is_evicted() {
                self.peer.close(CloseFrame::TOO_MANY_UNAUTHENTICATED);
            } else if self.place_ends_ms().is_some_and(|ends_ms| ends_ms <= now.age_ms) {
                self.peer.close(CloseFrame::HANDSHAKE_TIMEOUT);
            } else {
                self.machine.handle_timeout(now);
                self.take_outputs();
                self.peer.flush(now);
            }
            return ControlFlow::Continue(());
        }
        let stall_ms = self.shared.config.limits.stall_ms;
        let is_over = |since_ms: Option<u64>| {
            since_ms.is_some_and(|since| since.saturating_add(stall_ms) <= now.age_ms)
        };
        if is_over(self.peer.blocked_since_ms()) {
            self.peer.close(CloseFrame::SLOW_CONSUMER);
            return ControlFlow::Break(End::Stalled);
        }
        if is_over(self.unfinished_since_ms()) {
            if self.peer.is_paused() {
                // The rest may wait in the socket.
                self.restart_unfinished(now);
            } else {
                self.peer.close(CloseFrame::MESSAGE_TIMEOUT);
            }
        }
        ControlFlow::Continue(())
    }
}
