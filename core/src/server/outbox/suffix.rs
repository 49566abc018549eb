//! The end of an event frame, `,"seq":12}`, without an allocation, because every recipient has its
//! own.

use core::fmt;

const OPEN: &[u8] = b",\"seq\":";
/// `OPEN`, the 20 digits of `u64::MAX`, and the brace.
const CAPACITY: usize = OPEN.len() + 20 + 1;

/// The end of one event's frame on one connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SeqSuffix {
    /// Right-aligned text.
    bytes: [u8; CAPACITY],
    /// Where it begins.
    start: u8,
}

impl SeqSuffix {
    /// The end of the event number `seq`.
    #[must_use]
    pub fn new(seq: u64) -> Self {
        let mut bytes = [0; CAPACITY];
        let mut start = CAPACITY - 1;
        bytes[start] = b'}';
        let mut rest = seq;
        loop {
            start -= 1;
            bytes[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        start -= OPEN.len();
        bytes[start..start + OPEN.len()].copy_from_slice(OPEN);
        Self {
            bytes,
            start: start as u8,
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII was written, so this never falls back.
        core::str::from_utf8(&self.bytes[usize::from(self.start)..]).unwrap_or("")
    }
}

impl fmt::Debug for SeqSuffix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SeqSuffix").field(&self.as_str()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_of_number() {
        assert_eq!(SeqSuffix::new(0).as_str(), r#","seq":0}"#);
        assert_eq!(SeqSuffix::new(9).as_str(), r#","seq":9}"#);
        assert_eq!(SeqSuffix::new(10).as_str(), r#","seq":10}"#);
        assert_eq!(
            SeqSuffix::new(u64::MAX).as_str(),
            r#","seq":18446744073709551615}"#
        );
    }
}
