//! Pending output of one socket, frame by frame.

use std::collections::VecDeque;
use std::io::{self, Cursor, ErrorKind, IoSlice};

use presence_core::server::outbox::SlowConsumer;
use presence_core::server::{Item, Outbox, Outgoing};
use presence_core::wire::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::metrics::Metrics;

/// Most pieces of one vectored write.
const MAX_PIECES: usize = 12;
/// Most slices of one write: a large frame is a header and four segments.
const MAX_SLICES: usize = MAX_PIECES * 5;
/// No further frame joins a write of this many bytes.
const ENOUGH_BYTES: usize = 256 * 1024;
/// Up to this size, frames are copied together: the kernel takes one piece faster than five.
const SMALL_BYTES: usize = 2 * 1024;
/// First capacity of a buffer for small frames: a size that allocators serve from their fast path.
const ROOM_BYTES: usize = 960;

const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

/// The outbox, the frames taken out of it that are not wholly written, and pending control frames.
#[derive(Debug)]
pub(crate) struct Writer {
    /// The answer to the upgrade, until it is taken out.
    answer: Option<Box<[u8]>>,
    outbox: Outbox,
    /// Frames taken out, in order. No more are taken out while any is left, so that a newer snapshot can replace an
    /// older one in the outbox.
    writing: VecDeque<Piece>,
    /// How many bytes of the first one are written.
    offset: usize,
    is_ping_due: bool,
    /// The answer to the client's newest ping; older ones need none (RFC 6455 5.5.3).
    pong: Option<Box<[u8]>>,
    /// The answer to the client's close.
    farewell: Option<Box<[u8]>>,
    /// A close was taken out: nothing follows.
    is_closed: bool,
}

type Header = Cursor<[u8; 10]>;

/// Bytes written together.
#[derive(Debug)]
enum Piece {
    /// Small frames, whole.
    Small(Vec<u8>),
    /// A large frame; its text is shared with other connections.
    Large { header: Header, text: Outgoing },
}

/// How a flush ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flush {
    /// All is written.
    Done,
    /// The socket takes no more for now.
    Blocked,
}

impl Writer {
    /// `answer` is written ahead of everything, together with the first frames.
    pub(crate) fn new(answer: Option<Box<[u8]>>, buffered_bytes: usize) -> Self {
        Self {
            answer,
            outbox: Outbox::new(buffered_bytes),
            writing: VecDeque::new(),
            offset: 0,
            is_ping_due: false,
            pong: None,
            farewell: None,
            is_closed: false,
        }
    }

    /// Queues an item of the outbox.
    pub(crate) fn push(&mut self, item: Item) -> Result<(), SlowConsumer> {
        self.outbox.push(item)
    }

    /// See [`Outbox::take_behind`].
    pub(crate) fn take_behind(&mut self) -> bool {
        self.outbox.take_behind()
    }

    /// Queues a ping ahead of the outbox.
    pub(crate) fn ping(&mut self) {
        self.is_ping_due = true;
    }

    /// Queues what tungstenite writes: whole pong and close frames only.
    pub(crate) fn control(&mut self, mut bytes: &[u8]) {
        while let [opcode, len, ..] = *bytes {
            let (frame, rest) = bytes.split_at(bytes.len().min(2 + usize::from(len & 0x7f)));
            match opcode {
                PONG => self.pong = Some(frame.into()),
                CLOSE => self.farewell = Some(frame.into()),
                _ => {}
            }
            bytes = rest;
        }
    }

    /// Bytes of responses that wait in the outbox.
    pub(crate) fn buffered_bytes(&self) -> usize {
        self.outbox.buffered_bytes()
    }

    /// Bytes of frames that are taken out and not wholly written.
    pub(crate) fn writing_bytes(&self) -> usize {
        let bytes = self.writing.iter().map(|piece| match piece {
            Piece::Small(frames) => frames.len(),
            Piece::Large { text, .. } => text.len(),
        });
        bytes.sum()
    }

    /// Frames that wait in the outbox.
    pub(crate) fn waiting_frames(&self) -> usize {
        self.outbox.len()
    }

    /// Whether nothing waits to be written.
    pub(crate) fn is_empty(&self) -> bool {
        let has_more = self.answer.is_some()
            || !self.outbox.is_empty()
            || self.is_ping_due
            || self.pong.is_some()
            || self.farewell.is_some();
        self.writing.is_empty() && (self.is_closed || !has_more)
    }

    /// Writes until all is written or the socket is full. `write` is a non-blocking vectored write.
    /// The second result says whether any byte was accepted.
    pub(crate) fn flush(
        &mut self,
        mut write: impl FnMut(&[IoSlice<'_>]) -> io::Result<usize>,
        metrics: Option<&Metrics>,
    ) -> (io::Result<Flush>, bool) {
        let mut has_progress = false;
        loop {
            if self.writing.is_empty() {
                self.take_out(metrics);
                if self.writing.is_empty() {
                    self.writing = VecDeque::new();
                    return (Ok(Flush::Done), has_progress);
                }
            }
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let count = self.slices(&mut slices);
            match write(&slices[..count]) {
                Ok(0) => return (Err(ErrorKind::WriteZero.into()), has_progress),
                Ok(written) => {
                    has_progress = true;
                    self.advance(written);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return (Ok(Flush::Blocked), has_progress);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return (Err(error), has_progress),
            }
        }
    }

    /// Takes frames out, small ones together.
    fn take_out(&mut self, metrics: Option<&Metrics>) {
        let mut bytes = 0;
        while self.writing.len() < MAX_PIECES && bytes < ENOUGH_BYTES && !self.is_closed {
            bytes += if let Some(answer) = self.answer.take() {
                self.take_small(&[&answer])
            } else if std::mem::take(&mut self.is_ping_due) {
                self.take_small(&[&[PING, 0]])
            } else if let Some(pong) = self.pong.take() {
                self.take_small(&[&pong])
            } else if let Some(farewell) = self.farewell.take() {
                self.is_closed = true;
                self.take_small(&[&farewell])
            } else {
                match self.outbox.pop() {
                    None => return,
                    Some(Outgoing::Close(close)) => {
                        self.is_closed = true;
                        self.take_small(&[&close_frame(&close)])
                    }
                    Some(text) => {
                        if let Some(metrics) = metrics {
                            metrics.sent_frame(&text);
                        }
                        self.take_text(text)
                    }
                }
            };
        }
    }

    /// Takes one text; returns its frame's length.
    fn take_text(&mut self, text: Outgoing) -> usize {
        let header = text_header(text.len());
        if text.len() <= SMALL_BYTES {
            let [a, b, c, d] = text.segments();
            return self.take_small(&[written(&header), a, b, c, d]);
        }
        let piece = Piece::Large { header, text };
        let len = piece.len();
        self.writing.push_back(piece);
        len
    }

    /// Takes one small frame, into the last buffer if it fits; returns its length.
    fn take_small(&mut self, segments: &[&[u8]]) -> usize {
        let len: usize = segments.iter().map(|segment| segment.len()).sum();
        let is_room =
            matches!(self.writing.back(), Some(Piece::Small(bytes)) if bytes.len() + len <= SMALL_BYTES);
        if !is_room {
            self.writing
                .push_back(Piece::Small(Vec::with_capacity(len.max(ROOM_BYTES))));
        }
        if let Some(Piece::Small(bytes)) = self.writing.back_mut() {
            for segment in segments {
                bytes.extend_from_slice(segment);
            }
        }
        len
    }

    /// Collects the unwritten bytes of the pieces; returns the number of slices.
    fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>; MAX_SLICES]) -> usize {
        let mut skip = self.offset;
        let mut count = 0;
        for segment in self.writing.iter().flat_map(Piece::segments) {
            let skipped = skip.min(segment.len());
            skip -= skipped;
            if skipped < segment.len() {
                slices[count] = IoSlice::new(&segment[skipped..]);
                count += 1;
            }
        }
        count
    }

    fn advance(&mut self, written: usize) {
        self.offset += written;
        while let Some(first) = self.writing.front()
            && self.offset >= first.len()
        {
            self.offset -= first.len();
            self.writing.pop_front();
        }
    }
}

impl Piece {
    fn len(&self) -> usize {
        match self {
            Self::Small(bytes) => bytes.len(),
            Self::Large { header, text } => written(header).len() + text.len(),
        }
    }

    fn segments(&self) -> [&[u8]; 5] {
        match self {
            Self::Small(bytes) => [bytes, &[], &[], &[], &[]],
            Self::Large { header, text } => {
                let [a, b, c, d] = text.segments();
                [written(header), a, b, c, d]
            }
        }
    }
}

/// Returns the header of an unmasked text frame: 2, 4 or 10 bytes.
fn text_header(payload: usize) -> Header {
    let text = FrameHeader {
        opcode: OpCode::Data(Data::Text),
        ..FrameHeader::default()
    };
    let mut header = Header::default();
    // 10 bytes are enough.
    let _ = text.format(payload as u64, &mut header);
    header
}

fn written(header: &Header) -> &[u8] {
    &header.get_ref()[..header.position() as usize]
}

/// A close frame; its reason fits, as [`CloseFrame`] promises.
fn close_frame(close: &CloseFrame) -> Box<[u8]> {
    let reason = close.reason.as_bytes();
    let reason = &reason[..reason.len().min(123)];
    let mut bytes = Vec::with_capacity(4 + reason.len());
    bytes.extend([CLOSE, 2 + reason.len() as u8]);
    bytes.extend(close.code.to_be_bytes());
    bytes.extend(reason);
    bytes.into()
}

#[cfg(test)]
mod tests;
