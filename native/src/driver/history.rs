//! The part of the driver that writes a history and answers from it.

use presence_core::Now;
use presence_core::server::{ConnId, Item};
use presence_core::wire::ResponseFrame;
use presence_core::wire::history::HistoryQuery;

use super::Driver;
#[cfg(feature = "history")]
use crate::history::{Degraded, HistoryConfig, NO_READER, ReaderHandle, Reply, WriterHandle, unavailable};

/// Queries of one connection that may wait for the history.
#[cfg(feature = "history")]
const MAX_PENDING: u8 = 2;

/// The history, if one is written.
#[derive(Debug, Default)]
pub(super) struct History {
    #[cfg(feature = "history")]
    writer: Option<WriterHandle>,
    #[cfg(feature = "history")]
    reader: Option<ReaderHandle>,
    /// How many queries of each connection wait for the history.
    #[cfg(feature = "history")]
    pending: std::collections::BTreeMap<ConnId, u8>,
}

#[cfg(feature = "history")]
impl Driver {
    /// Writes a history, and answers from it by `reply`. Must be called before [`run`](Self::run).
    pub(crate) fn with_history(mut self, config: HistoryConfig, degraded: Degraded, reply: Reply) -> Self {
        let now = self.clock.now();
        self.history.reader = ReaderHandle::start(config.path.clone(), reply)
            .inspect_err(|error| tracing::warn!(%error, "the history is not read"))
            .ok();
        self.history.writer = WriterHandle::start(config, &mut self.hub, degraded, now)
            .inspect_err(|error| tracing::warn!(%error, "no history is written"))
            .ok();
        self
    }

    /// When the history is due, on the age clock.
    pub(super) fn history_deadline(&self) -> Option<u64> {
        self.history.writer.as_ref()?.deadline(&self.hub)
    }

    /// Sends the writer what changed, if it is time.
    pub(super) fn write_history(&mut self, now: Now) {
        if let Some(writer) = &mut self.history.writer {
            writer.send_changes(&mut self.hub, now);
        }
    }

    /// Hands a query of a connection to the reader.
    pub(super) fn query_history(&mut self, conn: ConnId, id: &str, query: Box<HistoryQuery>, now: Now) {
        let pending = self.history.pending.get(&conn).copied().unwrap_or_default();
        let queued = match &self.history.reader {
            _ if pending >= MAX_PENDING => {
                Err("other requests of this connection wait for the history: send one after the other")
            }
            Some(reader) => reader.query(conn, id, query, self.hub.address_mask(conn)),
            None => Err(NO_READER),
        };
        match queued {
            Ok(()) => {
                self.history.pending.insert(conn, pending + 1);
            }
            Err(why) => self.send(conn, Item::Response(unavailable(id, why)), now),
        }
    }

    /// Sends the reader's answer.
    pub(super) fn answer_history(&mut self, conn: ConnId, frame: ResponseFrame, now: Now) {
        if let Some(pending) = self.history.pending.get_mut(&conn) {
            *pending -= 1;
            if *pending == 0 {
                self.history.pending.remove(&conn);
            }
        }
        self.send(conn, Item::Response(frame), now);
    }

    /// The gateway stops: all sessions end. The driver's end waits until they are written.
    pub(super) fn end_history(&mut self, now: Now) {
        if let Some(writer) = &mut self.history.writer {
            writer.end(&mut self.hub, now);
        }
    }
}

#[cfg(not(feature = "history"))]
#[expect(clippy::unused_self, reason = "as where there are histories")]
impl Driver {
    pub(super) fn history_deadline(&self) -> Option<u64> {
        let History {} = self.history;
        None
    }

    pub(super) fn write_history(&mut self, _: Now) {}

    pub(super) fn query_history(&mut self, _: ConnId, _: &str, _: Box<HistoryQuery>, _: Now) {}

    pub(super) fn answer_history(&mut self, conn: ConnId, frame: ResponseFrame, now: Now) {
        self.send(conn, Item::Response(frame), now);
    }

    pub(super) fn end_history(&mut self, _: Now) {}
}
