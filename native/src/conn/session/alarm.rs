//! The alarm of a connection: its deadlines, its eviction, the end of the gateway.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use presence_core::wire::CloseFrame;

use super::{End, Session};
use crate::conn::Peer;
use crate::conn::peer::Turn;

pub(super) type Alarm = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Returns the next step, or `None` when a deadline is due. Deadlines come before reads, because a peer that sends
/// without a pause always has bytes to read.
pub(super) fn next_turn(
    cx: &mut Context<'_>,
    peer: &Peer,
    (has_unread, has_joined): (bool, bool),
    alarm: &mut Option<Alarm>,
) -> Poll<Option<Turn>> {
    let turn = peer.poll_turn(cx, has_unread);
    if let Poll::Ready(turn @ (Turn::Write | Turn::Resend(_) | Turn::Close | Turn::Broken)) = turn {
        return Poll::Ready(Some(turn));
    }
    let is_due = match alarm {
        Some(alarm) => alarm.as_mut().poll(cx).is_ready(),
        // The driver filled the socket while this task slept: arm the alarm.
        None => has_joined && peer.blocked_since_ms().is_some(),
    };
    if is_due {
        return Poll::Ready(None);
    }
    turn.map(Some)
}

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

#[cfg(test)]
mod tests {
    use std::future::{pending, poll_fn, ready};

    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::conn::pool::{Pool, Share};
    use crate::conn::socket::Socket;
    use crate::tls::Transport;

    #[tokio::test]
    async fn a_deadline_comes_before_a_read() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let socket = Socket::new(Transport::Plain(listener.accept().await.unwrap().0));
        let share = Share::of(&Pool::new(usize::MAX));
        let peer = Peer::new(socket, Box::default(), usize::MAX, share, None);
        // Bytes wait to be read in every case.
        let turn = async |mut alarm: Option<Alarm>| {
            poll_fn(|cx| Poll::Ready(next_turn(cx, &peer, (true, false), &mut alarm))).await
        };
        let is_early = turn(Some(Box::pin(pending()))).await;
        assert!(matches!(is_early, Poll::Ready(Some(Turn::Read))));
        let is_due = turn(Some(Box::pin(ready(())))).await;
        assert!(matches!(is_due, Poll::Ready(None)));
        peer.close(CloseFrame::HANDSHAKE_TIMEOUT);
        let is_closed = turn(Some(Box::pin(ready(())))).await;
        assert!(matches!(is_closed, Poll::Ready(Some(Turn::Close))));
    }
}
