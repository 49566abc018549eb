//! The end of a connection: writes the last frames and lets the peer close first.

use std::io::ErrorKind;
use std::time::Duration;

use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::error::Error;

use super::Session;
use crate::conn::budget::TURN_BYTES;

/// Time limit for the last frames, and then for the peer's close. Counted on the runtime's clock, because it does not
/// affect presence.
const FLUSH_TIME: Duration = Duration::from_secs(1);

impl Session {
    /// Writes what is left and lets the peer close first, both within bounds. Otherwise the system would discard what
    /// the peer has not read yet.
    pub(super) async fn finish(mut self: Box<Self>, is_gone: bool) {
        self.drop_large_buffer();
        let flushed = tokio::time::timeout(FLUSH_TIME, self.drain()).await;
        if is_gone || flushed.is_err() {
            return;
        }
        let _ = tokio::time::timeout(FLUSH_TIME, self.discard_input()).await;
        self.peer.close_socket();
    }

    /// Frees the buffer of a large message: until the peer closes, other sockets can use its memory.
    fn drop_large_buffer(&mut self) {
        self.unfinished = None;
        let stream = self.websocket.get_ref();
        if self.has_large_buffer || stream.unfinished() > 0 {
            // Without the bytes that are dropped here, the start of the next frame is unknown.
            self.is_unreadable |= stream.may_hold_bytes() || !self.websocket.can_read();
            self.renew_buffers();
        }
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

    /// Whether the turn is over, while the socket may hold more.
    fn is_turn_over(&self) -> bool {
        let stream = self.websocket.get_ref();
        !self.is_unreadable && (stream.is_spent() || stream.is_held())
    }

    /// Discards input until the peer closes.
    async fn discard_input(&mut self) {
        loop {
            let stream = self.websocket.get_mut();
            stream.start_turn(TURN_BYTES);
            // A large frame of a refused peer is not worth its memory.
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
                Err(error)
                    if error.kind() == ErrorKind::Interrupted
                        || (error.kind() == ErrorKind::WouldBlock && self.is_turn_over()) =>
                {
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
