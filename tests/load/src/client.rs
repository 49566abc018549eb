//! One client of the load generator. The core's client does the handshake. Frames after it are only counted, and
//! kept where mirrors are compared.

use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;
use std::time::Instant;

use presence_core::Now;
use presence_core::client::{Client, ClientOutput};

use crate::line::Line;
use crate::signer::Signer;
use crate::ws_frame::{self, Scanner, WsFrame, find};

/// Longest answer to the upgrade.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// First bytes of an event with the whole list.
const LIST_EVENT: &str = r#"{"type":"event","event":"presence","#;

/// Stage of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Connecting,
    /// The TLS handshake with the bare server.
    Encrypting,
    Upgrading,
    Handshake,
    Live,
    Ended,
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// Code of the close frame; 1006 without one.
    pub(crate) code: u16,
    pub(crate) reason: String,
}

/// Counts of what a client has received.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) bytes: u64,
    /// Frames with the roster or its changes, after hello.
    pub(crate) presence: u64,
    /// Bytes of the last presence frame.
    pub(crate) presence_len: usize,
    /// Newest presence version.
    pub(crate) version: u64,
    pub(crate) responses: u64,
    /// Refusals among the responses.
    pub(crate) refused: u64,
    pub(crate) response_len: usize,
    pub(crate) hello_len: usize,
    pub(crate) pings: u64,
}

/// One client.
pub(crate) struct LoadClient {
    line: Line,
    pub(crate) stage: Stage,
    pub(crate) seen: Seen,
    pub(crate) end: Option<End>,
    /// Whether it has stopped reading.
    pub(crate) is_paused: bool,
    /// Whether it has reached the fleet's goal.
    pub(crate) has_reached_goal: bool,
    /// Frames that make a mirror, if they are kept.
    kept: Option<Vec<(Instant, Box<str>)>>,
    scanner: Scanner,
    /// `None` on a connection to the bare server, which has no handshake.
    protocol: Option<Box<Client>>,
    signer: Option<Rc<Signer>>,
    head: Vec<u8>,
    out: Vec<u8>,
}

impl LoadClient {
    pub(crate) fn new(
        line: Line,
        protocol: Option<Box<Client>>,
        signer: Option<Rc<Signer>>,
        keeps: bool,
    ) -> Self {
        Self {
            line,
            stage: Stage::Connecting,
            seen: Seen::default(),
            end: None,
            is_paused: false,
            has_reached_goal: false,
            kept: keeps.then(Vec::new),
            scanner: Scanner::new(keeps),
            protocol,
            signer,
            head: Vec::new(),
            out: Vec::new(),
        }
    }

    /// The socket is connected, or has failed.
    pub(crate) fn handle_connected(&mut self, upgrade: &str) {
        match self.line.socket.take_error() {
            Ok(None) if self.line.socket.peer_addr().is_ok() => {}
            Ok(None) => return,
            Ok(Some(error)) | Err(error) => return self.finish(1006, &error.to_string()),
        }
        // Without it the socket is only slower.
        let _ = self.line.socket.set_nodelay(true);
        if self.protocol.is_some() {
            self.stage = Stage::Upgrading;
            self.out.extend_from_slice(upgrade.as_bytes());
            self.flush();
        } else if self.line.is_encrypted() {
            self.stage = Stage::Encrypting;
            self.flush();
        } else {
            self.stage = Stage::Live;
        }
    }

    /// Reads until the socket is drained. `until_end`: the peer has closed, so the end is read too.
    pub(crate) fn read(&mut self, buffer: &mut [u8], until_end: bool, now: Now) {
        while !self.is_paused && self.stage != Stage::Ended {
            match self.line.read(buffer) {
                Ok(0) => return self.finish(1006, "the connection ended"),
                Ok(len) => {
                    self.seen.bytes += len as u64;
                    self.take_in(&buffer[..len], now);
                    // A short read means the socket is drained; more bytes are a new event.
                    if len < buffer.len() && !until_end && !self.line.is_encrypted() {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if self.stage == Stage::Encrypting && !self.line.is_handshaking() {
                        self.stage = Stage::Live;
                    }
                    return;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return self.finish(1006, &error.to_string()),
            }
        }
    }

    /// Queues a text frame; [`flush`](Self::flush) sends it.
    pub(crate) fn push(&mut self, text: &str) {
        ws_frame::write(&mut self.out, ws_frame::TEXT, text.as_bytes());
    }

    /// Writes until the socket is full.
    pub(crate) fn flush(&mut self) {
        let mut written = 0;
        while written < self.out.len() {
            match self.line.write(&self.out[written..]) {
                Ok(len) => written += len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return self.finish(1006, &error.to_string()),
            }
        }
        self.out.drain(..written);
        if let Err(error) = self.line.flush() {
            self.finish(1006, &error.to_string());
        }
    }

    pub(crate) fn local_port(&self) -> io::Result<u16> {
        Ok(self.line.socket.local_addr()?.port())
    }

    /// The kept hello.
    pub(crate) fn hello(&self) -> Option<&str> {
        Some(&self.kept.as_ref()?.first()?.1)
    }

    /// The client with its mirror after the frames that had arrived by `until`. `None` if it would have sent a
    /// request: the frames were not consistent.
    pub(crate) fn mirrored(&mut self, until: Instant, now: Now) -> Option<&Client> {
        let protocol = self.protocol.as_deref_mut()?;
        let mut kept = self.kept.take()?;
        kept.retain(|(at, _)| *at <= until);
        let is_list = |(_, text): &(Instant, Box<str>)| text.starts_with(LIST_EVENT);
        if kept.len() > 2 && kept[1..].iter().all(is_list) {
            // Each list replaces the previous one.
            kept.drain(1..kept.len() - 1);
        }
        let mut is_sound = true;
        for (_, text) in kept {
            protocol.handle_text(1, &text, now);
            while let Some(output) = protocol.poll_output() {
                is_sound &= !matches!(output, ClientOutput::Send { .. } | ClientOutput::Close { .. });
            }
        }
        is_sound.then_some(protocol)
    }

    fn take_in(&mut self, mut bytes: &[u8], now: Now) {
        if self.stage == Stage::Upgrading {
            let before = self.head.len();
            self.head.extend_from_slice(bytes);
            let Some(end) = find(&self.head, b"\r\n\r\n") else {
                if self.head.len() > MAX_HEAD_BYTES {
                    self.finish(1006, "the answer to the upgrade does not end");
                }
                return;
            };
            let head = std::mem::take(&mut self.head);
            if !head.starts_with(b"HTTP/1.1 101") {
                let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
                return self.finish(1006, &String::from_utf8_lossy(line));
            }
            bytes = &bytes[end - before..];
            self.stage = Stage::Handshake;
            if let Some(protocol) = &mut self.protocol {
                protocol.handle_open(1, now);
            }
        }
        let mut scanner = std::mem::replace(&mut self.scanner, Scanner::new(false));
        scanner.scan(bytes, |frame| self.handle(frame, now));
        self.scanner = scanner;
    }

    fn handle(&mut self, frame: WsFrame<'_>, now: Now) {
        match frame.opcode {
            ws_frame::PING => {
                self.seen.pings += 1;
                ws_frame::write(&mut self.out, ws_frame::PONG, frame.whole.unwrap_or_default());
                self.flush();
            }
            ws_frame::CLOSE => {
                let (code, reason) = match frame.whole {
                    Some([high, low, reason @ ..]) => (
                        u16::from_be_bytes([*high, *low]),
                        String::from_utf8_lossy(reason).into_owned(),
                    ),
                    _ => (1005, String::new()),
                };
                ws_frame::write(&mut self.out, ws_frame::CLOSE, frame.whole.unwrap_or_default());
                self.flush();
                self.finish(code, &reason);
            }
            _ if self.stage == Stage::Handshake => self.shake_hands(frame, now),
            _ if frame.is_response() => {
                self.seen.responses += 1;
                self.seen.refused += u64::from(!frame.is_ok());
                self.seen.response_len = frame.len;
                self.keep(frame);
            }
            _ if ["presence", "presence.delta", "presence.snapshot"]
                .iter()
                .any(|name| frame.is_event(name)) =>
            {
                self.seen.presence += 1;
                self.seen.presence_len = frame.len;
                self.seen.version = self.seen.version.max(frame.presence_version().unwrap_or(0));
                self.keep(frame);
            }
            _ => {}
        }
    }

    fn keep(&mut self, frame: WsFrame<'_>) {
        // Only where it is kept: the check for UTF-8 reads the whole frame, which takes a third of the time of
        // receiving it.
        if let Some(kept) = &mut self.kept
            && let Some(text) = frame.text()
        {
            kept.push((Instant::now(), text.into()));
        }
    }

    /// The core's client answers the challenge. Hello is only scanned: parsing it would take longer than making it.
    fn shake_hands(&mut self, frame: WsFrame<'_>, now: Now) {
        if frame.is_response() {
            if frame.is_ok() {
                self.stage = Stage::Live;
                self.seen.hello_len = frame.len;
                self.seen.version = frame.presence_version().unwrap_or(0);
                self.keep(frame);
            } else {
                let text = frame.text().unwrap_or("refused").to_owned();
                self.finish(1008, &text);
            }
            return;
        }
        let (Some(protocol), Some(text)) = (&mut self.protocol, frame.text()) else {
            return;
        };
        protocol.handle_text(1, text, now);
        while let Some(output) = protocol.poll_output() {
            match output {
                ClientOutput::Sign { socket, payload } => {
                    let signature = self.signer.as_ref().map(|signer| signer.sign(&payload));
                    protocol.handle_signature(socket, signature.as_deref(), now);
                }
                ClientOutput::Send { text, .. } => {
                    ws_frame::write(&mut self.out, ws_frame::TEXT, text.as_bytes());
                }
                _ => {}
            }
        }
        self.flush();
    }

    fn finish(&mut self, code: u16, reason: &str) {
        if self.stage != Stage::Ended {
            self.stage = Stage::Ended;
            self.end = Some(End {
                code,
                reason: reason.chars().take(300).collect(),
            });
        }
    }
}
