//! Writes to a history. They are idempotent: a repeated one changes nothing.

/// A session, identified by its key and its start.
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
    /// The last known entry of an instance.
    Facts { key: String, facts: String },
    /// The session continues.
    Open {
        session: Session,
        seen_ms: u64,
        is_connected: bool,
    },
    /// Every session with a connection continues.
    Alive { at_ms: u64 },
    /// The client sent nothing for a while.
    Silence {
        session: Session,
        from_ms: u64,
        to_ms: u64,
    },
    /// The session ended.
    Close {
        session: Session,
        to_ms: u64,
        seen_ms: u64,
        why: &'static str,
    },
    /// The instance has another key, which the session gets.
    Rename { session: Session, to: String },
}
