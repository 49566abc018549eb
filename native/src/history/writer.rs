//! The writer thread.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tracing::{info, warn};

use super::op::Op;
use super::store::{Store, StoreError};
use super::tracker::{LOST, Tracker};
use super::{HistoryConfig, Message};

/// The reason of sessions that their process did not end.
const CRASHED: &str = "crashed";
/// Most changes that wait for a database that cannot be written; beyond it, they are dropped.
const MAX_WAITING_OPS: usize = 20_000;
/// Interval of retries after a failure; it is longer if a retry is not likely to succeed.
const RETRY: Duration = Duration::from_secs(5);
const RETRY_DAMAGED: Duration = Duration::from_secs(300);
/// Interval at which old sessions are deleted.
const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// Why the gateway is degraded, if it is.
pub(crate) type Degraded = watch::Sender<Option<Arc<str>>>;

/// The thread's state.
pub(super) struct Writer {
    config: HistoryConfig,
    tracker: Tracker,
    store: Option<Store>,
    /// Unwritten changes.
    waiting: Vec<Op>,
    /// Dropped changes.
    lost: u64,
    retry_at: Option<Instant>,
    prune_at: Instant,
    has_opened: bool,
    degraded: Degraded,
}

impl Writer {
    pub(super) fn new(config: HistoryConfig, degraded: Degraded) -> Self {
        Self {
            config,
            tracker: Tracker::default(),
            store: None,
            waiting: Vec::new(),
            lost: 0,
            retry_at: None,
            prune_at: Instant::now(),
            has_opened: false,
            degraded,
        }
    }

    /// Writes until the driver is gone.
    pub(super) fn run(mut self, received: &Receiver<Message>, waiting: &AtomicUsize) {
        self.open();
        while let Ok(message) = self.next(received) {
            let Some(message) = message else {
                self.write(false);
                continue;
            };
            if message.changes.lost > 0 {
                warn!(
                    lost = message.changes.lost,
                    "the history fell behind: when and why some sessions ended is unknown"
                );
            }
            let mut ops = self.tracker.apply(message.changes, message.now_ms);
            if message.is_last {
                ops.extend(self.tracker.end(message.now_ms));
            }
            self.waiting.append(&mut ops);
            self.write(message.is_last);
            self.prune(message.now_ms);
            waiting.fetch_sub(1, Ordering::Release);
        }
    }

    /// The next message; `None` if it is time to try again.
    fn next(&self, received: &Receiver<Message>) -> Result<Option<Message>, RecvTimeoutError> {
        let Some(at) = self.retry_at else {
            return received
                .recv()
                .map(Some)
                .map_err(|_| RecvTimeoutError::Disconnected);
        };
        match received.recv_timeout(at.saturating_duration_since(Instant::now())) {
            Err(RecvTimeoutError::Timeout) => Ok(None),
            message => message.map(Some),
        }
    }

    fn path(&self) -> &PathBuf {
        &self.config.path
    }

    fn open(&mut self) {
        let why = if self.has_opened { LOST } else { CRASHED };
        match Store::open(self.path(), why) {
            Ok(store) => {
                self.store = Some(store);
                let again = std::mem::replace(&mut self.has_opened, true);
                // Opening the file again closed the open sessions. Before the first time, the changes that began them
                // may have been dropped.
                if again || self.lost > 0 {
                    self.waiting.extend(self.tracker.whole());
                }
                self.retry_at = None;
            }
            Err(error) => self.failed(&error),
        }
    }

    fn write(&mut self, is_last: bool) {
        self.follow();
        if self.store.is_none() && (is_last || self.retry_at.is_none_or(|at| Instant::now() >= at)) {
            self.open();
        }
        let Some(store) = &mut self.store else {
            return self.bound();
        };
        match store.write(&self.waiting) {
            Ok(()) => {
                self.waiting.clear();
                if self.degraded.send_replace(None).is_some() {
                    let lost = std::mem::take(&mut self.lost);
                    info!(file = %self.path().display(), lost, "the history is written again");
                }
            }
            Err(error) => {
                self.failed(&error);
                self.bound();
            }
        }
    }

    /// Begins a new history if the file was moved away or replaced. The moved one gets the waiting changes.
    fn follow(&mut self) {
        let Some(mut store) = self.store.take_if(|store| !store.is_in_place(&self.config.path)) else {
            return;
        };
        let file = self.config.path.display();
        match store.write(&self.waiting).and_then(|()| {
            self.waiting.clear();
            store.leave()
        }) {
            Ok(()) => {
                info!(%file, "the history was moved away or replaced; the file at its place is used from now on");
            }
            Err(error) => warn!(%file, %error, "the history was moved away or replaced, and its end is lost"),
        }
        self.open();
    }

    /// Bounds the changes that wait for a database that cannot be written.
    fn bound(&mut self) {
        if self.waiting.len() > MAX_WAITING_OPS {
            self.lost += self.waiting.len() as u64;
            self.waiting.clear();
        }
    }

    /// Logs each new reason once, and tries again later.
    fn failed(&mut self, error: &StoreError) {
        self.store = None;
        let wait = if error.is_transient() {
            RETRY
        } else {
            RETRY_DAMAGED
        };
        self.retry_at = Some(Instant::now() + wait);
        let text: Arc<str> = format!("the history {} is not written: {error}", self.path().display()).into();
        let is_new = self.degraded.send_if_modified(|reason| {
            let is_new = reason.as_ref() != Some(&text);
            *reason = Some(Arc::clone(&text));
            is_new
        });
        if is_new {
            warn!("{text}");
        }
    }

    fn prune(&mut self, now_ms: u64) {
        if self.store.is_none() || Instant::now() < self.prune_at {
            return;
        }
        let before_ms = now_ms.saturating_sub(self.config.max_age_ms);
        let Some(store) = &mut self.store else { return };
        match store.prune(before_ms, self.config.max_bytes) {
            // The rest at the next message.
            Ok(true) => {}
            Ok(false) => self.prune_at = Instant::now() + PRUNE_EVERY,
            Err(error) => self.failed(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    use presence_core::roster::{RowChanges, RowState};
    use presence_core::wire::history::HistoryQuery;

    use super::super::query::Reader;
    use super::*;

    fn writer(path: PathBuf) -> Writer {
        let config = HistoryConfig {
            path,
            max_age_ms: super::super::DEFAULT_AGE_MS,
            max_bytes: super::super::DEFAULT_BYTES,
        };
        Writer::new(config, Degraded::new(None))
    }

    #[test]
    fn changes_that_wait_for_a_database_are_bounded_and_counted() {
        let mut writer = writer("/nowhere/history".into());
        let alive = |at_ms| Op::Alive { at_ms };
        writer.waiting = (0..MAX_WAITING_OPS as u64).map(alive).collect();
        writer.write(false);
        assert_eq!((writer.waiting.len(), writer.lost), (MAX_WAITING_OPS, 0));
        writer.waiting.push(alive(0));
        writer.write(false);
        assert_eq!(
            (writer.waiting.len(), writer.lost),
            (0, MAX_WAITING_OPS as u64 + 1)
        );
    }

    #[test]
    fn open_sessions_are_written_although_their_changes_were_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("later/history");
        let mut writer = writer(path.clone());
        let row = RowState {
            key: "mac-1".to_owned(),
            entry: r#"{"host":"studio"}"#.into(),
            stay: None,
            has_left: false,
            seen_ms: 1_000,
        };
        let changes = RowChanges {
            rows: vec![row],
            ..RowChanges::default()
        };
        writer.waiting = writer.tracker.apply(changes, 1_000);
        let dropped = (0..MAX_WAITING_OPS as u64).map(|at_ms| Op::Alive { at_ms });
        writer.waiting.extend(dropped);
        writer.write(false);
        assert!(writer.waiting.is_empty() && writer.lost > 0);

        // Now the file can be created.
        std::fs::create_dir(folder.path().join("later")).unwrap();
        writer.write(true);
        assert_eq!(writer.lost, 0);
        let query = HistoryQuery::default();
        let page = Reader::open(&path).unwrap().page(&query, None).unwrap();
        let [session] = &page.sessions[..] else {
            panic!("{page:?}");
        };
        assert_eq!((&*session.key, session.from, session.to), ("mac-1", 1_000, None));
        assert!(page.instances["mac-1"].get().contains("studio"));
    }
}
