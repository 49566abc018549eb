//! Holds back large frames: tungstenite allocates room for a whole frame as soon as it knows the length, so the end of
//! a large frame's header does not pass.

use std::io::Cursor;

use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;

use super::budget::LARGE_BYTES;

/// The longest header: two bytes, eight of length, four of mask.
const MAX_HEADER_BYTES: usize = 14;

/// The position in the stream of frames.
#[derive(Debug, Default)]
pub(super) struct Gate {
    header: [u8; MAX_HEADER_BYTES],
    header_len: usize,
    /// Bytes of the payload that have not passed.
    payload_left: u64,
}

impl Gate {
    /// Returns how many of the next bytes may pass. If not all, the next byte is the last of the header of a frame
    /// with more than [`LARGE_BYTES`] of payload.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            if self.payload_left > 0 {
                let left = usize::try_from(self.payload_left).unwrap_or(usize::MAX);
                let step = left.min(bytes.len() - at);
                at += step;
                self.payload_left -= step as u64;
                continue;
            }
            self.header[self.header_len] = bytes[at];
            self.header_len += 1;
            if let Some(payload) = self.payload() {
                if payload > LARGE_BYTES as u64 {
                    self.header_len -= 1;
                    return at;
                }
                self.header_len = 0;
                self.payload_left = payload;
            }
            at += 1;
        }
        at
    }

    /// The length of the payload, once the header is complete. An invalid header passes: tungstenite refuses it.
    fn payload(&self) -> Option<u64> {
        match FrameHeader::parse(&mut Cursor::new(&self.header[..self.header_len])) {
            Ok(header) => header.map(|(_, payload)| payload),
            Err(_) => Some(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A masked frame with so much payload.
    fn frame(len: usize) -> Vec<u8> {
        let mut bytes = vec![0x81];
        match len {
            0..=125 => bytes.push(0x80 | len as u8),
            126..=0xffff => {
                bytes.push(0x80 | 126);
                bytes.extend((len as u16).to_be_bytes());
            }
            _ => {
                bytes.push(0x80 | 127);
                bytes.extend((len as u64).to_be_bytes());
            }
        }
        bytes.extend([0; 4]);
        bytes.resize(bytes.len() + len, b'x');
        bytes
    }

    #[test]
    fn small_frames_pass_however_they_are_cut() {
        let bytes: Vec<u8> = [0, 1, 125, 126, 300, LARGE_BYTES, 0, 7]
            .into_iter()
            .flat_map(frame)
            .collect();
        for size in [1, 2, 3, 7, 1_000, bytes.len()] {
            let mut gate = Gate::default();
            for piece in bytes.chunks(size) {
                assert_eq!(gate.pass(piece), piece.len());
            }
        }
    }

    #[test]
    fn the_header_of_a_large_frame_never_passes_whole() {
        for (len, header) in [(LARGE_BYTES + 1, 8), (70_000, 14)] {
            let mut bytes = frame(5);
            let before = bytes.len();
            bytes.extend(frame(len));
            for size in [1, 4, bytes.len()] {
                let mut gate = Gate::default();
                let mut passed = 0;
                for piece in bytes.chunks(size) {
                    let more = gate.pass(piece);
                    passed += more;
                    if more < piece.len() {
                        assert_eq!(gate.pass(&piece[more..]), 0, "nor when it is asked again");
                        break;
                    }
                }
                assert_eq!(passed, before + header - 1);
            }
        }
    }
}
