//! Answers requests on a thread of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use presence_core::server::ConnId;
use presence_core::wire::history::HistoryQuery;
use presence_core::wire::{ResponseFrame, WireError};

use super::query::Reader;
use super::store::StoreError;

/// Requests that may wait for the thread.
const MAX_ASKED: usize = 32;

/// Takes the answers of the thread.
pub(crate) type Reply = Box<dyn Fn(ConnId, ResponseFrame) + Send>;

/// A request.
#[derive(Debug)]
struct Asked {
    conn: ConnId,
    id: Box<str>,
    query: Box<HistoryQuery>,
}

/// The driver's end.
#[derive(Debug)]
pub(crate) struct Ask(SyncSender<Asked>);

impl Ask {
    /// Starts the thread. It ends when this is dropped.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(crate) fn start(path: PathBuf, reply: Reply) -> io::Result<Self> {
        let (asks, asked) = sync_channel(MAX_ASKED);
        std::thread::Builder::new()
            .name("history-reader".to_owned())
            .spawn(move || run(&path, &asked, &reply))?;
        Ok(Self(asks))
    }

    /// Asks; returns whether there was room for the request.
    pub(crate) fn ask(&self, conn: ConnId, id: &str, query: Box<HistoryQuery>) -> bool {
        let id = id.into();
        self.0.try_send(Asked { conn, id, query }).is_ok()
    }
}

fn run(path: &Path, asked: &Receiver<Asked>, reply: &Reply) {
    while let Ok(Asked { conn, id, query }) = asked.recv() {
        let frame = match page(path, &query) {
            Ok(page) => ResponseFrame::ok_shared(&id, Arc::new(page)),
            Err(error) => refusal(&id, &format!("the history cannot be read: {error}")),
        };
        reply(conn, frame);
    }
}

/// Opens the file for each page: it may be another one by now.
fn page(path: &Path, query: &HistoryQuery) -> Result<String, StoreError> {
    let page = Reader::open(path)?.page(query)?;
    // Strings and numbers: it always encodes.
    Ok(serde_json::to_string(&page).unwrap_or_default())
}

/// The answer `UNAVAILABLE`.
pub(crate) fn refusal(id: &str, why: &str) -> ResponseFrame {
    ResponseFrame::error(id, &WireError::unavailable(why.to_owned()))
}
