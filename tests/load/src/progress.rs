//! The line on a terminal that shows what is being measured.

use std::io::{self, IsTerminal as _, Write as _};

/// Shows progress on stderr when that is a terminal.
pub(crate) struct Progress {
    is_shown: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            is_shown: io::stderr().is_terminal(),
        }
    }

    pub(crate) fn show(&self, text: &str) {
        if self.is_shown {
            // Nothing depends on it.
            let _ = write!(io::stderr(), "\r\x1b[K  {text}");
        }
    }

    pub(crate) fn clear(&self) {
        if self.is_shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
