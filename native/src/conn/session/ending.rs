//! The end of a connection: the last frames get out, and the peer is let close first.

use std::io::ErrorKind;
use std::time::Duration;

use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::error::Error;

use super::Session;
use crate::conn::budget::TURN_BYTES;

/// How long the last frames may take to get out, and how long the peer may take to close after that.
/// Counted on the runtime's clock: it is about sockets, not about presence.
const FLUSH_TIME: Duration = Duration::from_secs(1);

impl Session {
    /// Writes what is left, within bounds, and lets the peer close first if it wants to. Without
    /// that the system would cut off what the peer has not read yet.
    pub(super) async fn finish(mut self: Box<Self>, is_gone: bool) {
        let flushed = tokio::time::timeout(FLUSH_TIME, self.drain()).await;
        if is_gone || flushed.is_err() {
            return;
        }
        let _ = tokio::time::timeout(FLUSH_TIME, self.linger()).await;
    }

    async fn drain(&mut self) {
        loop {
            self.peer.resume(self.shared.clock.now());
            if self.peer.is_drained() {
                return;
            }
            if std::future::poll_fn(|cx| self.peer.poll_write_ready(cx))
                .await
                .is_err()
            {
                return;
            }
        }
    }

    /// Whether it is the turn that is over, and not what the socket holds.
    fn is_turn_over(&self) -> bool {
        let stream = self.websocket.get_ref();
        !self.is_unreadable && (stream.is_spent() || stream.is_held())
    }

    /// Reads and throws away until the peer closes.
    async fn linger(&mut self) {
        loop {
            let stream = self.websocket.get_mut();
            stream.start_turn(TURN_BYTES);
            // A large frame of somebody refused is not worth the room for it.
            self.is_unreadable |= stream.is_held();
            let outcome = if !self.is_unreadable {
                match self.websocket.read() {
                    Ok(Message::Close(_)) => return,
                    Ok(_) => Ok(1),
                    Err(Error::Io(error)) => Err(error),
                    Err(_) => {
                        self.is_unreadable = true;
                        Ok(1)
                    }
                }
            } else {
                self.peer.try_read(&mut [0; 4096])
            };
            match outcome {
                Ok(0) => return,
                Ok(_) => tokio::task::yield_now().await,
                Err(error) if error.kind() == ErrorKind::WouldBlock && self.is_turn_over() => {
                    tokio::task::yield_now().await;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if std::future::poll_fn(|cx| self.peer.poll_read_ready(cx))
                        .await
                        .is_err()
                    {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    }
}
