//! One turn of reading, within its budget.

use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::sync::Arc;

use presence_core::wire::CloseFrame;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Message, WebSocket};
use tracing::debug;

use super::{End, KEPT_BYTES, Session};
use crate::conn::Input;
use crate::conn::budget::{
    EARLY_CONTROLS, LARGE_BYTES, TURN_BYTES, TURN_MESSAGES, control_bytes, message_bytes,
};
use crate::conn::stream::PeerStream;

impl Session {
    /// Reads within a turn's bounds, and answers the messages or sends them to the driver.
    pub(super) async fn read(&mut self) -> ControlFlow<End> {
        if self.needs_place() {
            // Boxed: unboxed it adds 80 bytes to each idle connection.
            return Box::pin(self.take_place()).await;
        }
        let (end, large) = match self.read_messages() {
            ControlFlow::Continue(large) => (ControlFlow::Continue(()), large),
            ControlFlow::Break(end) => (ControlFlow::Break(end), None),
        };
        if let Some(text) = large {
            // Boxed: unboxed it adds 312 bytes to each idle connection.
            Box::pin(self.handle_large(text)).await;
        }
        if self.inputs.is_empty() {
            self.peer.flush(self.shared.clock.now());
        } else {
            self.send_inputs().await?;
        }
        end
    }

    /// Reads until the socket is empty, the turn is over or the handshake is done. Returns a large text unhandled.
    fn read_messages(&mut self) -> ControlFlow<End, Option<Message>> {
        let had_joined = self.has_joined();
        self.has_unread = true;
        let bytes = self.turn_bytes();
        self.websocket.get_mut().start_turn(bytes);
        for _ in 0..TURN_MESSAGES {
            match self.websocket.read() {
                Ok(message @ (Message::Text(_) | Message::Binary(_))) => {
                    self.websocket.get_mut().message_ended(message.len());
                    self.unfinished = None;
                    self.has_large_buffer |= message.len() > KEPT_BYTES;
                    if message.len() > LARGE_BYTES {
                        return ControlFlow::Continue(Some(message));
                    }
                    self.handle_message(&message);
                }
                Ok(Message::Close(Some(close))) => self.record.closed_by_client(close),
                Ok(Message::Ping(payload)) => self.count_control(payload.len()),
                Ok(Message::Pong(payload)) => {
                    self.count_control(payload.len());
                    // One pong per batch is enough.
                    if self.has_joined() && !matches!(self.inputs.last(), Some(Input::Pong)) {
                        self.inputs.push(Input::Pong);
                    }
                }
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                    let stream = self.websocket.get_ref();
                    self.has_unread = stream.is_spent() || stream.is_held();
                    if self.has_large_buffer && !self.has_unread {
                        self.give_buffer_back();
                    }
                    break;
                }
                Err(Error::Capacity(_)) => {
                    self.is_unreadable = true;
                    self.machine.handle_oversized();
                    self.take_outputs();
                    break;
                }
                Err(Error::Protocol(error)) if error != ProtocolError::ResetWithoutClosingHandshake => {
                    debug!(%error, "not WebSocket: closed");
                    self.refuse_to_read(CloseFrame::PROTOCOL_ERROR);
                    break;
                }
                Err(Error::Utf8(_)) => {
                    self.refuse_to_read(CloseFrame::NOT_UTF8);
                    break;
                }
                Err(_) => return ControlFlow::Break(End::Gone),
            }
            self.take_outputs();
            // `Driver::handle_all` joins several clients at once, if the batch of each has the handshake only.
            if self.is_unreadable || self.has_joined() != had_joined {
                break;
            }
        }
        let most = message_bytes(self.machine.max_frame_bytes());
        let unfinished = self.websocket.get_ref().unfinished();
        if !self.is_unreadable && unfinished > most {
            self.refuse_to_read(CloseFrame::TOO_MANY_FRAMES);
        }
        if !self.is_unreadable && self.has_joined() {
            self.count_unfinished(unfinished);
        }
        ControlFlow::Continue(None)
    }

    /// tungstenite's buffer never shrinks. Once it holds nothing, a new WebSocket replaces it.
    fn give_buffer_back(&mut self) {
        if !self.websocket.get_ref().may_hold_bytes() && self.websocket.can_read() {
            self.renew_buffers();
        }
    }

    /// Frees tungstenite's buffers, with the bytes in them.
    pub(super) fn renew_buffers(&mut self) {
        let stream = PeerStream::new(Arc::clone(&self.peer), Vec::new());
        let config = *self.websocket.get_config();
        let websocket = WebSocket::from_raw_socket(stream, Role::Server, Some(config));
        let stream = std::mem::replace(&mut self.websocket, websocket).into_inner();
        *self.websocket.get_mut() = stream;
        self.has_large_buffer = false;
    }

    /// Bytes that this turn may take.
    fn turn_bytes(&self) -> usize {
        match &self.handshake {
            Some(handshake) if handshake.place.is_none() => {
                LARGE_BYTES.saturating_sub(self.websocket.get_ref().unfinished())
            }
            _ => TURN_BYTES,
        }
    }

    /// Hands a whole message to the machine.
    pub(super) fn handle_message(&mut self, message: &Message) {
        let now = self.shared.clock.now();
        match message {
            Message::Text(text) => self.machine.handle_text(text, now),
            Message::Binary(bytes) => self.machine.handle_text(&String::from_utf8_lossy(bytes), now),
            _ => {}
        }
    }

    /// Counts a ping or a pong. Before the handshake is done their number is bounded; after it a turn bounds them.
    fn count_control(&mut self, payload: usize) {
        self.websocket.get_mut().control_ended(control_bytes(payload));
        let Some(handshake) = &mut self.handshake else {
            return;
        };
        handshake.controls += 1;
        if handshake.controls > EARLY_CONTROLS {
            self.refuse_to_read(CloseFrame::TOO_MANY_CONTROLS);
        }
    }

    /// Closes and discards further input.
    pub(super) fn refuse_to_read(&mut self, close: CloseFrame) {
        self.is_unreadable = true;
        self.close(close);
    }
}
