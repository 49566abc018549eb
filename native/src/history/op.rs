//! What is written to a history. Each may be written twice: the second changes nothing.

/// A session: of one key, no two begin at the same moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) key: String,
    /// When it began, in ms since the Unix epoch.
    pub(super) from_ms: u64,
}

impl Session {
    pub(super) fn new(key: &str, from_ms: u64) -> Self {
        Self {
            key: key.to_owned(),
            from_ms,
        }
    }
}

/// A change of a history. Times are in ms since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// What is known of an instance.
    Facts { key: String, facts: String },
    /// The session goes on.
    Open {
        session: Session,
        seen_ms: u64,
        is_connected: bool,
    },
    /// Every session with a connection goes on.
    Alive { at_ms: u64 },
    /// Nothing was heard of it for a while.
    Silence {
        session: Session,
        from_ms: u64,
        to_ms: u64,
    },
    /// The session is over.
    Close {
        session: Session,
        to_ms: u64,
        seen_ms: u64,
        why: &'static str,
    },
    /// The instance has another key: the session is of that one.
    Rename { session: Session, to: String },
}
