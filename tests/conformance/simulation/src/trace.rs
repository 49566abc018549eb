//! The events of a world, as one number.

use std::fmt;

use xxhash_rust::xxh3::Xxh3Default;

/// A digest over everything noted so far, in order.
pub struct Trace {
    digest: Xxh3Default,
    notes: u64,
}

impl Trace {
    pub(crate) fn new() -> Self {
        Self {
            digest: Xxh3Default::new(),
            notes: 0,
        }
    }

    /// Adds an event to the digest: its time, its client, its kind and its text.
    pub(crate) fn note(&mut self, at_ms: u64, who: usize, what: &str, text: &str) {
        self.notes += 1;
        for part in [&*format!("{at_ms} {who} {what} "), text, "\n"] {
            self.digest.update(part.as_bytes());
        }
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} notes, digest {:016x}", self.notes, self.digest.digest())
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
