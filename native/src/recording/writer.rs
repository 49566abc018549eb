//! The thread that redacts, replays and writes.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use presence_core::Now;
use presence_core::recording::{Recorder, Redactor};
use tracing::{info, warn};

use super::Message;
use super::ring::Ring;

/// How long inputs are collected before they are recorded: waking the thread for each would cost more than recording.
const GATHER: Duration = Duration::from_millis(10);
/// Most inputs between two checks for requests.
const MAX_AT_ONCE: usize = 16_384;
/// The longest time between two flushes to the file, and between two reads of the clock.
const FLUSH_AFTER: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    recorder: Recorder,
    redactor: Redactor,
    ring: Ring,
    waiting_bytes: Arc<AtomicUsize>,
    /// The moment of the last line, and the instant when it was written.
    last: (Now, Instant),
    /// When the buffered lines are flushed.
    flush_at: Instant,
}

impl Writer {
    pub(super) fn new(
        recorder: Recorder,
        redactor: Redactor,
        ring: Ring,
        waiting_bytes: Arc<AtomicUsize>,
        now: Now,
    ) -> Self {
        Self {
            recorder,
            redactor,
            ring,
            waiting_bytes,
            last: (now, Instant::now()),
            flush_at: Instant::now() + FLUSH_AFTER,
        }
    }

    /// Writes until the driver is gone.
    ///
    /// # Errors
    /// If a file cannot be written, or the bound of bytes is too small.
    pub(super) fn run(mut self, header: &str, received: &Receiver<Message>) -> io::Result<()> {
        self.ring.write(header)?;
        loop {
            match received.recv_timeout(self.flush_at.saturating_duration_since(Instant::now())) {
                Ok(first) => {
                    std::thread::sleep(GATHER);
                    self.message(first)?;
                    for message in received.try_iter().take(MAX_AT_ONCE) {
                        self.message(message)?;
                        self.turn_if_full()?;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let digest = self.recorder.digest(self.last.0);
                    self.ring.write(&digest)?;
                    return self.ring.flush();
                }
            }
            self.turn_if_full()?;
            self.flush_if_due()?;
            if self.ring.is_requested() {
                let now = self.now();
                let digest = self.recorder.digest(now);
                self.ring.write(&digest)?;
                match self.ring.save() {
                    Ok(bytes) => info!(bytes, "SIGUSR1: what was recorded lately is written"),
                    Err(error) => {
                        warn!(%error, "SIGUSR1: what was recorded lately cannot be written, and stays in memory");
                    }
                }
            }
        }
    }

    fn message(&mut self, message: Message) -> io::Result<()> {
        let Message {
            missed,
            bytes,
            input,
            mut now,
        } = message;
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        // A line that was written in the meantime may be later.
        now.age_ms = now.age_ms.max(self.last.0.age_ms);
        self.last = (now, Instant::now());
        if missed > 0 {
            let gap = self.recorder.gap(missed, now);
            self.ring.write(&gap)?;
        }
        let Some(input) = input.redacted(&self.redactor) else {
            return Ok(());
        };
        let lines = self.recorder.record(input, now);
        self.ring.write(&lines)?;
        match self.recorder.checkpoint_if_due(now) {
            Some(lines) if self.ring.has_room(lines.len()) => self.ring.write(&lines),
            Some(_) => self.turn(),
            None => Ok(()),
        }
    }

    /// Also while inputs arrive all the time, so that a gateway that is killed loses about a second.
    fn flush_if_due(&mut self) -> io::Result<()> {
        let now = Instant::now();
        if now < self.flush_at {
            return Ok(());
        }
        self.flush_at = now + FLUSH_AFTER;
        self.ring.flush()
    }

    fn turn_if_full(&mut self) -> io::Result<()> {
        if self.ring.is_full() {
            self.turn()?;
        }
        Ok(())
    }

    /// Begins a new part.
    fn turn(&mut self) -> io::Result<()> {
        let now = self.now();
        let start = self.recorder.restart(now);
        self.ring.turn(&start)
    }

    /// The current moment: that of the last line plus the time since.
    fn now(&mut self) -> Now {
        let (now, at) = self.last;
        let passed_ms = u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last = (now.after(passed_ms), Instant::now());
        self.last.0
    }
}

#[cfg(test)]
mod tests {
    use presence_core::PresenceEntry;
    use presence_core::server::HubConfig;
    use presence_core::wire::Limits;

    use super::super::{Keep, Raw, RecordTo, Tap};
    use super::*;

    #[test]
    fn lines_are_flushed_while_inputs_arrive() {
        let file = Arc::new(tempfile::tempfile().unwrap());
        let to = RecordTo {
            file: Arc::clone(&file),
            older: Arc::new(tempfile::tempfile().unwrap()),
            max_bytes: 1 << 20,
            keep: Keep::Inputs { max_age: None },
        };
        let config = HubConfig {
            limits: Limits::default(),
            ttl_ms: 300_000,
            max_entries: 5,
            ephemeral_modes: Vec::new(),
            hash_seed: 7,
            server_version: "1".into(),
            boot_id: "boot".into(),
            self_entry: PresenceEntry::default(),
            auth_mode: "none",
        };
        let now = Now {
            age_ms: 0,
            wall_ms: 0,
        };
        let mut tap = Tap::start(to, &config, now).unwrap();
        // The thread is never idle for `FLUSH_AFTER`, and all lines together do not fill the buffer.
        let is_flushed = (0..100).any(|_| {
            tap.record(Raw::Pong(1), now);
            std::thread::sleep(Duration::from_millis(50));
            file.metadata().unwrap().len() > 0
        });
        assert!(is_flushed);
    }
}
