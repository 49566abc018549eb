//! The quick look at JSON text: where things end, without taking anything apart.

/// Goes over text that is written without blanks and escapes. What it does not accept may still be JSON; what it
/// accepts is. One loop over bytes each: for most of what comes in, this is all that is done.
pub(super) struct Scan<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

/// Where the bytes from `at` on end that stand for themselves in a string: at a quote, a backslash, a control
/// character, or the end. Eight bytes at a time, for that is most of what is done with a frame.
pub(super) fn plain_until(bytes: &[u8], mut at: usize) -> usize {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * EACH;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(*chunk);
        // The highest bit of a byte is set where the subtraction goes below 0; bytes behind the first such may be wrong.
        let quotes = (word ^ (u64::from(b'"') * EACH)).wrapping_sub(EACH);
        let backslashes = (word ^ (u64::from(b'\\') * EACH)).wrapping_sub(EACH);
        let controls = word.wrapping_sub(u64::from(b' ') * EACH);
        let special = (quotes | backslashes | controls) & !word & HIGH;
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while bytes
        .get(at)
        .is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..b' '))
    {
        at += 1;
    }
    at
}

impl Scan<'_> {
    #[inline(always)]
    pub(super) fn peek(&self) -> u8 {
        // No byte of JSON is 0.
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    /// A string.
    #[inline(always)]
    pub(super) fn string(&mut self) -> Option<()> {
        if self.peek() != b'"' {
            return None;
        }
        let end = plain_until(self.bytes, self.at + 1);
        if self.bytes.get(end) != Some(&b'"') {
            return None;
        }
        self.at = end + 1;
        Some(())
    }

    /// Any value, nested at most `depth` times.
    pub(super) fn value(&mut self, depth: u32) -> Option<()> {
        match self.peek() {
            b'"' => self.string(),
            b'[' => self.items(depth.checked_sub(1)?, b']'),
            b'{' => self.items(depth.checked_sub(1)?, b'}'),
            b'n' => self.word(b"null"),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            _ => self.number(),
        }
    }

    fn items(&mut self, depth: u32, end: u8) -> Option<()> {
        self.at += 1;
        if self.peek() == end {
            self.at += 1;
            return Some(());
        }
        loop {
            if end == b'}' {
                self.string()?;
                if self.peek() != b':' {
                    return None;
                }
                self.at += 1;
            }
            self.value(depth)?;
            let byte = self.peek();
            self.at += 1;
            if byte == end {
                return Some(());
            }
            if byte != b',' {
                return None;
            }
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        if self.bytes.get(self.at..self.at + word.len()) != Some(word) {
            return None;
        }
        self.at += word.len();
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        if self.peek() == b'-' {
            self.at += 1;
        }
        // No zeros in front.
        if self.peek() == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if self.peek() | 0x20 == b'e' {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let bytes = self.bytes;
        let start = self.at;
        let mut at = start;
        while at < bytes.len() && bytes[at].wrapping_sub(b'0') < 10 {
            at += 1;
        }
        self.at = at;
        (at > start).then_some(())
    }
}
