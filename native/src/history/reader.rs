//! Answers queries on a separate thread.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use presence_core::server::{AddressMask, ConnId};
use presence_core::wire::history::HistoryQuery;
use presence_core::wire::{ResponseFrame, WireError};

use super::query::Reader;
use super::store::StoreError;

/// Queries that may wait for the thread.
const MAX_PENDING: usize = 32;

/// Receives the answers of the thread.
pub(crate) type Reply = Box<dyn Fn(ConnId, ResponseFrame) + Send>;

/// A query of a connection.
#[derive(Debug)]
struct Pending {
    conn: ConnId,
    id: Box<str>,
    query: Box<HistoryQuery>,
    /// Hides addresses in the answer.
    mask: Option<AddressMask>,
}

/// The driver's end of the reader thread.
#[derive(Debug)]
pub(crate) struct ReaderHandle(SyncSender<Pending>);

impl ReaderHandle {
    /// Starts the thread. It ends when this is dropped.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(crate) fn start(path: PathBuf, reply: Reply) -> io::Result<Self> {
        let (queries, received) = sync_channel(MAX_PENDING);
        std::thread::Builder::new()
            .name("history-reader".to_owned())
            .spawn(move || run(&path, &received, &reply))?;
        Ok(Self(queries))
    }

    /// Queues a query for the thread.
    ///
    /// # Errors
    /// Why it is not queued.
    pub(crate) fn query(
        &self,
        conn: ConnId,
        id: &str,
        query: Box<HistoryQuery>,
        mask: Option<AddressMask>,
    ) -> Result<(), &'static str> {
        let pending = Pending {
            conn,
            id: id.into(),
            query,
            mask,
        };
        self.0.try_send(pending).map_err(|error| match error {
            TrySendError::Full(_) => "too many requests wait for the history: try again",
            TrySendError::Disconnected(_) => NO_READER,
        })
    }
}

/// The error of all queries without the thread.
pub(crate) const NO_READER: &str = "the history cannot be read: its reader thread is gone; the gateway's log says why, and a restart starts it again";

fn run(path: &Path, received: &Receiver<Pending>, reply: &Reply) {
    while let Ok(pending) = received.recv() {
        let Pending {
            conn,
            id,
            query,
            mask,
        } = pending;
        let frame = match page(path, &query, mask.as_ref()) {
            Ok(page) => ResponseFrame::ok_shared(&id, Arc::new(page)),
            Err(error) => unavailable(&id, &format!("the history cannot be read: {error}")),
        };
        reply(conn, frame);
    }
}

/// Opens the file for each page, because it may have been replaced.
fn page(path: &Path, query: &HistoryQuery, mask: Option<&AddressMask>) -> Result<String, StoreError> {
    let page = Reader::open(path)?.page(query, mask)?;
    // Strings and numbers always serialise.
    let page = serde_json::to_string(&page).unwrap_or_default();
    Ok(match mask {
        Some(mask) => mask.history(&page),
        None => page,
    })
}

/// The answer `UNAVAILABLE`.
pub(crate) fn unavailable(id: &str, why: &str) -> ResponseFrame {
    ResponseFrame::error(id, &WireError::unavailable(why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_that_is_not_queued_states_why() {
        let conn = ConnId { slot: 0, serial: 1 };
        let (queries, received) = sync_channel(1);
        let handle = ReaderHandle(queries);
        let query = || handle.query(conn, "1", Box::default(), None);
        assert_eq!(query(), Ok(()));
        assert!(query().unwrap_err().contains("too many requests"));
        drop(received);
        assert_eq!(query(), Err(NO_READER));
    }
}
