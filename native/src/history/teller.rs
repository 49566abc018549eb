//! The driver's end: takes what changed out of the hub, and hands it to the thread.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::time::Duration;

use presence_core::Now;
use presence_core::roster::RowChanges;
use presence_core::server::Hub;
use tracing::warn;

use super::HistoryConfig;
use super::tracker::ALIVE_MS;
use super::writer::{Trouble, Writer};

/// How long changes gather, in ms.
const GATHER_MS: u64 = 250;
/// Messages that may wait for the thread. Further changes stay in the hub, which bounds them.
const MAX_WAITING: usize = 4;
/// How long the end of the gateway waits for what is not written yet.
const END_WITHIN: Duration = Duration::from_secs(2);

/// What changed, with the wall clock that the gateway states.
#[derive(Debug)]
pub(crate) struct Message {
    pub(super) changes: RowChanges,
    pub(super) now_ms: u64,
    /// Whether the gateway stops.
    pub(super) is_last: bool,
}

/// Tells the thread what changed. Once this is dropped everything is written, unless the disk hangs.
#[derive(Debug)]
pub(crate) struct Teller {
    messages: Option<Sender<Message>>,
    waiting: Arc<AtomicUsize>,
    /// When the thread was last told anything, or could not be, on the age clock.
    told_ms: u64,
    /// Disconnected once the thread has ended.
    ended: Receiver<()>,
}

impl Teller {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(crate) fn start(
        config: HistoryConfig,
        hub: &mut Hub,
        trouble: Trouble,
        now: Now,
    ) -> io::Result<Self> {
        hub.keep_row_changes();
        let (messages, received) = channel();
        let waiting = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&waiting);
        let (end, ended) = sync_channel::<()>(0);
        std::thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || {
                Writer::new(config, trouble).run(&received, &count);
                drop(end);
            })?;
        Ok(Self {
            messages: Some(messages),
            waiting,
            told_ms: now.age_ms,
            ended,
        })
    }

    /// When to call [`tell`](Self::tell), on the age clock.
    pub(crate) fn deadline(&self, hub: &Hub) -> u64 {
        let wait_ms = if hub.has_row_changes() {
            GATHER_MS
        } else {
            ALIVE_MS
        };
        self.told_ms.saturating_add(wait_ms)
    }

    /// Hands on what changed, if it is time.
    pub(crate) fn tell(&mut self, hub: &mut Hub, now: Now) {
        if self.deadline(hub) <= now.age_ms {
            self.told_ms = now.age_ms;
            if self.waiting.load(Ordering::Acquire) < MAX_WAITING {
                self.send(hub, now, false);
            }
        }
    }

    /// The gateway stops: every session ends now.
    pub(crate) fn end(mut self, hub: &mut Hub, now: Now) {
        self.send(hub, now, true);
    }

    fn send(&mut self, hub: &mut Hub, now: Now, is_last: bool) {
        let message = Message {
            changes: hub.take_row_changes(now),
            now_ms: hub.server_wall_ms(now),
            is_last,
        };
        self.waiting.fetch_add(1, Ordering::Relaxed);
        if let Some(messages) = &self.messages {
            // Without a thread nothing is written.
            let _ = messages.send(message);
        }
    }
}

impl Drop for Teller {
    /// Waits until everything is written, but not for a disk that hangs.
    fn drop(&mut self) {
        self.messages = None;
        if let Err(RecvTimeoutError::Timeout) = self.ended.recv_timeout(END_WITHIN) {
            warn!("the history may lack its end: its disk takes too long");
        }
    }
}
