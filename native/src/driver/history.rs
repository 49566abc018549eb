//! The part of the driver that tells the history what changed.

use presence_core::Now;

use super::Driver;
#[cfg(feature = "history")]
use crate::history::{HistoryConfig, Teller, Trouble};

/// The history, if one is written.
#[derive(Debug, Default)]
pub(super) struct Past {
    #[cfg(feature = "history")]
    teller: Option<Teller>,
}

#[cfg(feature = "history")]
impl Driver {
    /// Writes a history; before it runs.
    pub(crate) fn write_history(mut self, config: HistoryConfig, trouble: Trouble) -> Self {
        let now = self.clock.now();
        self.past.teller = Teller::start(config, &mut self.hub, trouble, now)
            .inspect_err(|error| tracing::warn!(%error, "no history is written"))
            .ok();
        self
    }

    /// When the history is due, on the age clock.
    pub(super) fn history_deadline(&self) -> Option<u64> {
        self.past.teller.as_ref().map(|teller| teller.deadline(&self.hub))
    }

    pub(super) fn tell_history(&mut self, now: Now) {
        if let Some(teller) = &mut self.past.teller {
            teller.tell(&mut self.hub, now);
        }
    }

    /// The gateway stops: no session goes on.
    pub(super) fn end_history(&mut self, now: Now) {
        if let Some(teller) = self.past.teller.take() {
            teller.end(&mut self.hub, now);
        }
    }
}

#[cfg(not(feature = "history"))]
#[expect(clippy::unused_self, reason = "as where there are histories")]
impl Driver {
    pub(super) fn history_deadline(&self) -> Option<u64> {
        None
    }

    pub(super) fn tell_history(&mut self, _: Now) {}

    pub(super) fn end_history(&mut self, _: Now) {}
}
