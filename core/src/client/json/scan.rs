//! The quick look at JSON text: where things end, without taking anything apart.

/// Goes over text that is written without blanks and escapes. What it does not accept may still be JSON; what it
/// accepts is. One loop over bytes each: for most of what comes in, this is all that is done.
pub(super) struct Scan<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl Scan<'_> {
    pub(super) fn peek(&self) -> u8 {
        // No byte of JSON is 0.
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    /// A string.
    pub(super) fn string(&mut self) -> Option<()> {
        let bytes = self.bytes;
        let mut at = self.at;
        if at >= bytes.len() || bytes[at] != b'"' {
            return None;
        }
        at += 1;
        while at < bytes.len() {
            let byte = bytes[at];
            at += 1;
            if byte == b'"' {
                self.at = at;
                return Some(());
            }
            if byte == b'\\' || byte < b' ' {
                return None;
            }
        }
        None
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
