//! The gateway's log, for tests.

use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Mutex, Once};

use serde_json::Value;

use super::within;

thread_local! {
    /// Where the lines of this thread go.
    static LOG: RefCell<Option<Log>> = const { RefCell::new(None) };
}

/// The log lines of this thread, as JSON.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

/// Ends a [`Log`].
pub(crate) struct LogGuard(());

impl Drop for LogGuard {
    fn drop(&mut self) {
        LOG.set(None);
    }
}

/// Writes to the log of its thread, if there is one.
struct OfThread;

impl io::Write for OfThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow(|log| {
            if let Some(Log(lines)) = log {
                lines.lock().unwrap().extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// All threads have one subscriber: `tracing` caches for each line of code whether a subscriber is interested in
    /// it, and may miss subscribers that come and go while other tests run.
    pub(crate) fn start() -> (Self, LogGuard) {
        static SUBSCRIBER: Once = Once::new();
        SUBSCRIBER.call_once(|| {
            tracing_subscriber::fmt()
                .json()
                .flatten_event(true)
                .with_writer(|| OfThread)
                .init();
        });
        let log = Self::default();
        LOG.set(Some(log.clone()));
        (log, LogGuard(()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// Drops earlier lines.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    /// Lines with this message.
    pub(crate) fn lines(&self, message: &str) -> Vec<Value> {
        let text = self.text();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["message"] == message).collect()
    }

    /// Waits for the first line with this message.
    pub(crate) async fn line(&self, message: &str) -> Value {
        within(message, async {
            loop {
                if let Some(line) = self.lines(message).pop() {
                    return line;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }
}
