//! The part of the driver that tells the history what changed.

use presence_core::Now;
use presence_core::server::{ConnId, Item};
use presence_core::wire::ResponseFrame;
use presence_core::wire::history::HistoryQuery;

use super::Driver;
#[cfg(feature = "history")]
use crate::history::{Ask, HistoryConfig, Reply, Teller, Trouble, refusal};

/// Requests of one connection that may wait for the history.
#[cfg(feature = "history")]
const MAX_ASKED: u8 = 2;

/// The history, if one is written.
#[derive(Debug, Default)]
pub(super) struct Past {
    #[cfg(feature = "history")]
    teller: Option<Teller>,
    #[cfg(feature = "history")]
    reader: Option<Ask>,
    /// How many requests of each connection wait for the history.
    #[cfg(feature = "history")]
    asked: std::collections::BTreeMap<ConnId, u8>,
}

#[cfg(feature = "history")]
impl Driver {
    /// Writes a history, and answers from it by `reply`; before it runs.
    pub(crate) fn write_history(mut self, config: HistoryConfig, trouble: Trouble, reply: Reply) -> Self {
        let now = self.clock.now();
        self.past.reader = Ask::start(config.path.clone(), reply)
            .inspect_err(|error| tracing::warn!(%error, "the history is not read"))
            .ok();
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

    /// A connection asks what the history has.
    pub(super) fn ask_history(&mut self, conn: ConnId, id: &str, query: Box<HistoryQuery>, now: Now) {
        let waiting = self.past.asked.get(&conn).copied().unwrap_or_default();
        let reader = self.past.reader.as_ref();
        let why = if waiting >= MAX_ASKED {
            "other requests of this connection wait for the history: ask one after the other"
        } else if reader.is_some_and(|reader| reader.ask(conn, id, query)) {
            self.past.asked.insert(conn, waiting + 1);
            return;
        } else {
            "too many requests wait for the history: try again"
        };
        self.send(conn, Item::Response(refusal(id, why)), now);
    }

    /// The history answers a request.
    pub(super) fn answer_history(&mut self, conn: ConnId, frame: ResponseFrame, now: Now) {
        if let Some(asked) = self.past.asked.get_mut(&conn) {
            *asked -= 1;
            if *asked == 0 {
                self.past.asked.remove(&conn);
            }
        }
        self.send(conn, Item::Response(frame), now);
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
        let Past {} = self.past;
        None
    }

    pub(super) fn tell_history(&mut self, _: Now) {}

    pub(super) fn ask_history(&mut self, _: ConnId, _: &str, _: Box<HistoryQuery>, _: Now) {}

    pub(super) fn answer_history(&mut self, conn: ConnId, frame: ResponseFrame, now: Now) {
        self.send(conn, Item::Response(frame), now);
    }

    pub(super) fn end_history(&mut self, _: Now) {}
}
