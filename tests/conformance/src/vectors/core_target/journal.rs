//! What the hub was told, in order, for a model that follows it.

use presence_core::Now;
use presence_core::server::Handshake;
use presence_core::wire::Request;

use super::CoreTarget;

/// One thing that happened, and when.
#[derive(Clone, Debug)]
pub struct Happened {
    /// The clocks at that moment.
    pub now: Now,
    /// What it was.
    pub what: Happening,
}

/// What happened. Connections have the names of the script.
#[derive(Clone, Debug)]
pub enum Happening {
    /// The machine had slept.
    Woke,
    /// A deadline, or a read.
    Settled,
    /// A client joined.
    Joined(String, Box<Handshake>),
    /// A client called.
    Called(String, Box<Request>),
    /// A client answered a ping, or sent a pong by itself.
    Pong(String),
    /// A connection is over.
    Left {
        /// Whose.
        name: String,
        /// Whether it answered no ping, so that its end proves no life.
        is_silent: bool,
    },
}

impl CoreTarget {
    /// Keeps what happens from now on, until [`take_journal`](Self::take_journal).
    pub fn keep_journal(&mut self) {
        self.journal.get_or_insert_default();
    }

    /// What happened since the last call, if it is kept.
    pub fn take_journal(&mut self) -> Vec<Happened> {
        self.journal.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The clocks.
    #[must_use]
    pub fn now(&self) -> Now {
        self.now
    }

    /// Notes what the hub is about to be told, or what it just did by itself.
    pub(super) fn note(&mut self, what: impl FnOnce() -> Happening) {
        let (now, has_slept) = (self.now, self.hub.was_suspended(self.now));
        let Some(journal) = &mut self.journal else { return };
        let woke = has_slept.then_some(Happening::Woke);
        let all = woke.into_iter().chain([what()]);
        journal.extend(all.map(|what| Happened { now, what }));
    }
}
