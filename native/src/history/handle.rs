//! The driver's end of the writer thread: takes changes from the hub, and hands them to the thread.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::time::Duration;

use presence_core::Now;
use presence_core::roster::{Follower, RowChanges};
use presence_core::server::Hub;
use tracing::warn;

use super::HistoryConfig;
use super::tracker::ALIVE_MS;
use super::writer::{Degraded, Writer};

/// How long changes are collected, in ms.
const GATHER_MS: u64 = 250;
/// Messages that may wait for the thread. Further changes stay in the hub, which bounds them.
const MAX_WAITING: usize = 4;
/// How long the gateway waits at its end for unwritten changes.
const END_WITHIN: Duration = Duration::from_secs(2);

/// Changes, with the wall clock that the gateway states.
#[derive(Debug)]
pub(crate) struct Message {
    pub(super) changes: RowChanges,
    pub(super) now_ms: u64,
    /// Whether the gateway stops.
    pub(super) is_last: bool,
}

/// Sends changes to the writer thread. Dropping it waits until all changes are written, unless the disk hangs.
#[derive(Debug)]
pub(crate) struct WriterHandle {
    /// `None` once the gateway stops.
    messages: Option<Sender<Message>>,
    waiting: Arc<AtomicUsize>,
    /// When changes were last sent, or could not be because too many waited, on the age clock.
    sent_ms: u64,
    /// Disconnected once the thread has ended.
    ended: Receiver<()>,
}

impl WriterHandle {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(crate) fn start(
        config: HistoryConfig,
        hub: &mut Hub,
        degraded: Degraded,
        now: Now,
    ) -> io::Result<Self> {
        hub.keep_row_changes(Follower::History);
        let (messages, received) = channel();
        let waiting = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&waiting);
        let (end, ended) = sync_channel::<()>(0);
        std::thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || {
                Writer::new(config, degraded).run(&received, &count);
                drop(end);
            })?;
        Ok(Self {
            messages: Some(messages),
            waiting,
            sent_ms: now.age_ms,
            ended,
        })
    }

    /// When to call [`send_changes`](Self::send_changes), on the age clock; `None` once the gateway stops.
    pub(crate) fn deadline(&self, hub: &Hub) -> Option<u64> {
        let wait_ms = if hub.has_row_changes(Follower::History) {
            GATHER_MS
        } else {
            ALIVE_MS
        };
        self.messages
            .is_some()
            .then(|| self.sent_ms.saturating_add(wait_ms))
    }

    /// Sends changes, if it is time.
    pub(crate) fn send_changes(&mut self, hub: &mut Hub, now: Now) {
        if self.deadline(hub).is_some_and(|at_ms| at_ms <= now.age_ms) {
            self.sent_ms = now.age_ms;
            if self.waiting.load(Ordering::Acquire) < MAX_WAITING {
                self.send(hub, now, false);
            }
        }
    }

    /// The gateway stops: every session ends now, and later changes are not written. Does not wait for the thread.
    pub(crate) fn end(&mut self, hub: &mut Hub, now: Now) {
        self.send(hub, now, true);
        self.messages = None;
    }

    fn send(&mut self, hub: &mut Hub, now: Now, is_last: bool) {
        let Some(messages) = &self.messages else { return };
        let message = Message {
            changes: hub.take_row_changes(Follower::History, now),
            now_ms: hub.server_wall_ms(now),
            is_last,
        };
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // Without the thread there is no writer.
        let _ = messages.send(message);
    }
}

impl Drop for WriterHandle {
    /// Waits until all changes are written, but not for a disk that hangs.
    fn drop(&mut self) {
        self.messages = None;
        if let Err(RecvTimeoutError::Timeout) = self.ended.recv_timeout(END_WITHIN) {
            warn!("the history may lack its end: its disk takes too long");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{START, hub};
    use super::*;

    #[test]
    fn the_end_is_sent_without_a_wait_for_the_thread() {
        let (messages, received) = channel();
        let (thread, ended) = sync_channel::<()>(0);
        let mut handle = WriterHandle {
            messages: Some(messages),
            waiting: Arc::default(),
            sent_ms: START.age_ms,
            ended,
        };
        let mut hub = hub();
        assert_eq!(handle.deadline(&hub), Some(START.age_ms + GATHER_MS));
        // Returns while the thread still runs.
        handle.end(&mut hub, START);
        assert!(received.recv().unwrap().is_last);
        assert!(received.recv().is_err(), "the queue is closed");
        assert_eq!(handle.deadline(&hub), None);
        handle.send_changes(&mut hub, START.after(ALIVE_MS));
        drop(thread);
    }
}
