//! WebSocket frames on the client side, at the lowest cost: a frame is scanned in the read buffer and only copied
//! if it is kept.

use memchr::memmem;

/// Bytes known of either end of a frame that is not kept.
const END_BYTES: usize = 768;
/// Frames up to this size are always kept.
const SMALL_BYTES: usize = 8 * 1024;

pub(crate) const TEXT: u8 = 1;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// A received frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WsFrame<'a> {
    pub(crate) opcode: u8,
    /// Bytes of the payload.
    pub(crate) len: usize,
    /// Its first bytes.
    pub(crate) head: &'a [u8],
    /// Its last bytes.
    pub(crate) tail: &'a [u8],
    /// All of it, if it is small, was in one read, or is kept.
    pub(crate) whole: Option<&'a [u8]>,
}

/// Splits a stream of bytes into frames.
#[derive(Debug)]
pub(crate) struct Scanner {
    /// Whether every frame is kept.
    pub(crate) keeps_all: bool,
    header: [u8; 10],
    header_len: usize,
    payload: Option<Payload>,
}

/// An incomplete payload.
#[derive(Debug)]
struct Payload {
    opcode: u8,
    len: usize,
    left: usize,
    is_kept: bool,
    head: Vec<u8>,
    /// The last bytes so far; all of them if the payload is kept.
    rest: Vec<u8>,
}

impl Scanner {
    pub(crate) fn new(keeps_all: bool) -> Self {
        Self {
            keeps_all,
            header: [0; 10],
            header_len: 0,
            payload: None,
        }
    }

    /// Consumes `bytes` and calls `frame` for every complete frame.
    pub(crate) fn scan(&mut self, mut bytes: &[u8], mut frame: impl FnMut(WsFrame<'_>)) {
        while !bytes.is_empty() {
            if let Some(payload) = &mut self.payload {
                let (piece, rest) = bytes.split_at(payload.left.min(bytes.len()));
                bytes = rest;
                payload.append(piece);
                if payload.left > 0 {
                    return;
                }
                if let Some(payload) = self.payload.take() {
                    payload.done(&mut frame);
                }
                continue;
            }
            let Some((opcode, len)) = self.header(&mut bytes) else {
                return;
            };
            if bytes.len() >= len {
                let (text, rest) = bytes.split_at(len);
                bytes = rest;
                frame(WsFrame {
                    opcode,
                    len,
                    head: &text[..len.min(END_BYTES)],
                    tail: &text[len.saturating_sub(END_BYTES)..],
                    whole: Some(text),
                });
            } else {
                self.payload = Some(Payload {
                    opcode,
                    len,
                    left: len,
                    is_kept: self.keeps_all || len <= SMALL_BYTES,
                    head: Vec::new(),
                    rest: Vec::new(),
                });
            }
        }
    }

    /// Opcode and length of the next payload, once its header is complete.
    fn header(&mut self, bytes: &mut &[u8]) -> Option<(u8, usize)> {
        loop {
            let wanted = match self.header[1] & 0x7f {
                _ if self.header_len < 2 => 2,
                126 => 4,
                127 => 10,
                _ => 2,
            };
            if self.header_len == wanted {
                break;
            }
            let (&byte, rest) = bytes.split_first()?;
            *bytes = rest;
            self.header[self.header_len] = byte;
            self.header_len += 1;
        }
        self.header_len = 0;
        let header = &self.header;
        let len = match header[1] & 0x7f {
            126 => usize::from(u16::from_be_bytes([header[2], header[3]])),
            127 => header[2..10]
                .iter()
                .fold(0, |len, byte| (len << 8) | usize::from(*byte)),
            len => usize::from(len),
        };
        Some((header[0] & 0x0f, len))
    }
}

impl Payload {
    fn append(&mut self, piece: &[u8]) {
        self.left -= piece.len();
        if self.is_kept {
            if self.rest.is_empty() {
                self.rest.reserve_exact(self.len);
            }
            return self.rest.extend_from_slice(piece);
        }
        let missing = END_BYTES.saturating_sub(self.head.len()).min(piece.len());
        self.head.extend_from_slice(&piece[..missing]);
        if piece.len() >= END_BYTES {
            self.rest.clear();
        }
        self.rest
            .extend_from_slice(&piece[piece.len().saturating_sub(END_BYTES)..]);
    }

    fn done(self, frame: &mut impl FnMut(WsFrame<'_>)) {
        let rest = &self.rest[..];
        frame(WsFrame {
            opcode: self.opcode,
            len: self.len,
            head: if self.is_kept {
                &rest[..self.len.min(END_BYTES)]
            } else {
                &self.head
            },
            tail: &rest[rest.len().saturating_sub(END_BYTES)..],
            whole: self.is_kept.then_some(rest),
        });
    }
}

impl WsFrame<'_> {
    /// Whether it is the event of that name, judging by its first bytes.
    pub(crate) fn is_event(&self, name: &str) -> bool {
        find(self.head, b"\"event\":\"")
            .and_then(|at| self.head[at..].strip_prefix(name.as_bytes()))
            .is_some_and(|rest| rest.first() == Some(&b'"'))
    }

    /// Whether it is a response.
    pub(crate) fn is_response(&self) -> bool {
        find(self.head, b"\"type\":\"res\"").is_some()
    }

    /// Whether it is a successful response.
    pub(crate) fn is_ok(&self) -> bool {
        find(self.head, b"\"ok\":true").is_some()
    }

    /// The presence version at the end of an event.
    pub(crate) fn presence_version(&self) -> Option<u64> {
        let at = find(self.tail, b"\"stateVersion\":{\"presence\":")?;
        Some(number(&self.tail[at..]))
    }

    /// The text, if the whole frame is known.
    pub(crate) fn text(&self) -> Option<&str> {
        std::str::from_utf8(self.whole?).ok()
    }
}

/// Position after the first `wanted`.
pub(crate) fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    Some(memmem::find(text, wanted)? + wanted.len())
}

fn number(text: &[u8]) -> u64 {
    text.iter()
        .take_while(|byte| byte.is_ascii_digit())
        .take(18)
        .fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
}

/// Appends a client's frame. Its mask is zero, which is legal and costs nothing.
pub(crate) fn write(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(0x80 | opcode);
    match payload.len() {
        len @ 0..=125 => out.push(0x80 | len as u8),
        len @ 126..=0xffff => {
            out.push(0x80 | 126);
            out.extend((len as u16).to_be_bytes());
        }
        len => {
            out.push(0x80 | 127);
            out.extend((len as u64).to_be_bytes());
        }
    }
    out.extend([0; 4]);
    out.extend_from_slice(payload);
}

/// A server's frame.
pub(crate) fn server_frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x80 | opcode];
    match payload.len() {
        len @ 0..=125 => out.push(len as u8),
        len @ 126..=0xffff => {
            out.push(126);
            out.extend((len as u16).to_be_bytes());
        }
        len => {
            out.push(127);
            out.extend((len as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(payload);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_do_not_depend_on_how_the_stream_is_cut() {
        let long = format!(
            r#"{{"type":"event","event":"presence","payload":"{}","stateVersion":{{"presence":417,"health":1}},"seq":9}}"#,
            "x".repeat(90_000)
        );
        let payloads: [(u8, &[u8]); 4] = [
            (TEXT, br#"{"type":"res","id":"1","ok":true}"#),
            (TEXT, long.as_bytes()),
            (PING, b""),
            (TEXT, &long.as_bytes()[..900]),
        ];
        let stream: Vec<u8> = payloads
            .iter()
            .flat_map(|(opcode, payload)| server_frame(*opcode, payload))
            .collect();
        for keeps_all in [false, true] {
            for cut in [1, 2, 3, 7, 767, 768, 769, 1_000, 65_536, 1_000_000] {
                let mut scanner = Scanner::new(keeps_all);
                let mut seen = Vec::new();
                for piece in stream.chunks(cut) {
                    scanner.scan(piece, |frame| {
                        let (_, payload) = payloads[seen.len()];
                        assert_eq!(frame.head, &payload[..payload.len().min(END_BYTES)]);
                        assert_eq!(frame.tail, &payload[payload.len().saturating_sub(END_BYTES)..]);
                        if let Some(whole) = frame.whole {
                            assert_eq!(whole, payload);
                        }
                        assert!(frame.whole.is_some() || (!keeps_all && payload.len() > SMALL_BYTES));
                        seen.push((frame.opcode, frame.len, frame.presence_version()));
                    });
                }
                let wanted: Vec<_> = payloads
                    .iter()
                    .zip([None, Some(417), None, None])
                    .map(|((opcode, payload), version)| (*opcode, payload.len(), version))
                    .collect();
                assert_eq!(seen, wanted, "cut at {cut}");
            }
        }
    }

    #[test]
    fn the_members_of_a_frame_are_scanned() {
        let text = br#"{"type":"event","event":"presence.delta","payload":{},"stateVersion":{"presence":3,"health":1},"seq":2}"#;
        Scanner::new(false).scan(&server_frame(TEXT, text), |frame| {
            assert!(frame.is_event("presence.delta") && !frame.is_event("presence"));
            assert!(!frame.is_response());
            assert_eq!(frame.presence_version(), Some(3));
        });
        let text = br#"{"type":"res","id":"7","ok":false,"error":{}}"#;
        Scanner::new(false).scan(&server_frame(TEXT, text), |frame| {
            assert!(frame.is_response() && !frame.is_ok() && !frame.is_event("presence"));
        });
    }

    #[test]
    fn a_clients_frame_is_masked() {
        for len in [0, 125, 126, 65_535, 65_536] {
            let mut out = Vec::new();
            write(&mut out, TEXT, &vec![b'a'; len]);
            assert_eq!((out[0], out[1] & 0x80), (0x81, 0x80));
            assert!(out.len() >= len + 6 && out.ends_with(&vec![b'a'; len]));
        }
    }
}
