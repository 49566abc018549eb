//! Stderr: the log and remarks to the user. Writing to it never waits and never fails. Lines go through a
//! bounded queue to a thread of their own. Lines that find no room, and lines that stderr does not take,
//! are lost and counted; their number is logged as soon as a line gets through again. So is the number of lines
//! that were too long.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tracing::error;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder};
use tracing_subscriber::fmt::MakeWriter;

use crate::log::start_of;

/// Most lines that wait to be written.
const MAX_WAITING_LINES: usize = 512;
/// Most bytes of a line. A longer one is lost: the half of a JSON object helps nobody.
const MAX_LINE_BYTES: usize = 4 * 1024;
/// How long the end of the program waits for the last lines.
const LAST_LINES_TIME: Duration = Duration::from_millis(500);

/// The queue of this process, once there was something to write.
static STDERR: OnceLock<Stderr> = OnceLock::new();

/// Says something to the user; a long text is cut.
pub(super) fn say(text: &str) {
    const NAME: &str = "presence-gateway: ";
    let text = start_of(text, MAX_LINE_BYTES - NAME.len() - "\n".len());
    stderr().put(format!("{NAME}{text}\n").as_bytes());
}

/// Where the log writes to.
pub(super) fn stderr() -> &'static Stderr {
    STDERR.get_or_init(|| Stderr::new(destination(), MAX_WAITING_LINES))
}

/// Waits until everything is written, or for half a second if nobody reads it.
pub(super) fn finish() {
    if let Some(stderr) = STDERR.get() {
        stderr.wait();
    }
}

/// A writer behind a bounded queue.
#[derive(Debug)]
pub(super) struct Stderr {
    queue: NonBlocking,
    ledger: Arc<Ledger>,
}

impl Stderr {
    fn new(destination: impl Write + Send + 'static, max_waiting_lines: usize) -> Self {
        let ledger = Arc::new(Ledger::default());
        let (queue, guard) = NonBlockingBuilder::default()
            .lossy(true)
            .buffered_lines_limit(max_waiting_lines)
            .thread_name("stderr")
            .finish(Worker {
                destination,
                ledger: Arc::clone(&ledger),
                told: 0,
                told_too_long: 0,
                is_through: false,
            });
        ledger.progress().queue = Some(queue.clone());
        // Dropped while nobody reads, it would hold up the end of the program and then print to stdout, which
        // panics if that is gone too. `wait` does its work within bounds; the thread ends with the process.
        std::mem::forget(guard);
        Self { queue, ledger }
    }

    /// Queues a line.
    fn put(&self, line: &[u8]) {
        if line.len() > MAX_LINE_BYTES {
            self.ledger.progress().too_long += 1;
            return;
        }
        self.ledger.queued.fetch_add(1, Ordering::Relaxed);
        // A queue that loses lines does not fail.
        let _ = self.queue.clone().write_all(line);
    }

    fn wait(&self) {
        let queued = self.ledger.queued.load(Ordering::Relaxed);
        let is_behind = |progress: &mut Progress| progress.handled + progress.without_room() < queued;
        let progress = self.ledger.progress();
        // Whatever came of it, the program ends.
        drop(
            self.ledger
                .moved
                .wait_timeout_while(progress, LAST_LINES_TIME, is_behind),
        );
    }
}

/// The log's writer.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogLine(&'static Stderr);

impl<'a> MakeWriter<'a> for &'static Stderr {
    type Writer = LogLine;

    fn make_writer(&'a self) -> LogLine {
        LogLine(self)
    }
}

impl Write for LogLine {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.put(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What became of the lines.
#[derive(Debug, Default)]
struct Ledger {
    /// Lines that went to the queue, whether it had room or not.
    queued: AtomicU64,
    progress: Mutex<Progress>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct Progress {
    /// Lines that the thread wrote or could not write.
    handled: u64,
    /// Lines that could not be written.
    unwritable: u64,
    /// Lines of more than [`MAX_LINE_BYTES`].
    too_long: u64,
    /// For its count of lines that found no room.
    queue: Option<NonBlocking>,
}

impl Ledger {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress {
    fn without_room(&self) -> u64 {
        let lost = self
            .queue
            .as_ref()
            .map_or(0, |queue| queue.error_counter().dropped_lines());
        u64::try_from(lost).unwrap_or(u64::MAX)
    }

    fn lost(&self) -> u64 {
        self.unwritable.saturating_add(self.without_room())
    }
}

/// What the queue's thread writes to.
struct Worker<W> {
    destination: W,
    ledger: Arc<Ledger>,
    /// How many lost lines the log has told of.
    told: u64,
    /// How many long lines it has told of.
    told_too_long: u64,
    /// The last line got out.
    is_through: bool,
}

impl<W: Write> Write for Worker<W> {
    /// Takes one whole line.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let outcome = self.destination.write_all(line);
        self.is_through = outcome.is_ok();
        let mut progress = self.ledger.progress();
        progress.handled += 1;
        progress.unwritable += u64::from(outcome.is_err());
        drop(progress);
        self.ledger.moved.notify_all();
        Ok(line.len())
    }

    /// The queue is empty, so there is room for a line about those that were lost.
    fn flush(&mut self) -> io::Result<()> {
        if !self.is_through {
            return Ok(());
        }
        let progress = self.ledger.progress();
        let (lost, too_long) = (progress.lost(), progress.too_long);
        // The lines below come back to `put`.
        drop(progress);
        if lost > self.told {
            self.told = lost;
            error!(
                lost,
                "lines of the log were lost since the start: stderr did not take them"
            );
        }
        if too_long > self.told_too_long {
            self.told_too_long = too_long;
            error!(
                too_long,
                "lines of the log were dropped since the start: longer than {MAX_LINE_BYTES} bytes"
            );
        }
        Ok(())
    }
}

/// A handle of its own: Rust's has a lock, and a thread that waits in a write would hold it.
#[cfg(unix)]
fn destination() -> Box<dyn Write + Send> {
    use std::os::fd::AsFd;

    match io::stderr().as_fd().try_clone_to_owned() {
        Ok(descriptor) => Box::new(std::fs::File::from(descriptor)),
        Err(_) => Box::new(io::stderr()),
    }
}

#[cfg(not(unix))]
fn destination() -> Box<dyn Write + Send> {
    Box::new(io::stderr())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Takes a line when the test lets it, or fails.
    struct Gate {
        verdicts: mpsc::Receiver<bool>,
        taken: mpsc::Sender<String>,
    }

    impl Write for Gate {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            if self.verdicts.recv() == Ok(true) {
                let _ = self.taken.send(String::from_utf8_lossy(line).into_owned());
                Ok(line.len())
            } else {
                Err(io::ErrorKind::StorageFull.into())
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn gated(max_waiting_lines: usize) -> (Stderr, mpsc::Sender<bool>, mpsc::Receiver<String>) {
        let (decide, verdicts) = mpsc::channel();
        let (taken, lines) = mpsc::channel();
        (
            Stderr::new(Gate { verdicts, taken }, max_waiting_lines),
            decide,
            lines,
        )
    }

    #[test]
    fn nobody_waits_for_a_reader_and_what_finds_no_room_is_counted() {
        let (stderr, decide, lines) = gated(2);
        // The thread has one line in hand at most, and two wait.
        for line in ["1\n", "2\n", "3\n", "4\n", "5\n"] {
            stderr.put(line.as_bytes());
        }
        let lost = stderr.ledger.progress().lost();
        assert!((2..=3).contains(&lost), "{lost}");
        for _ in lost..5 {
            decide.send(true).unwrap();
        }
        stderr.wait();
        assert_eq!(lines.try_iter().count() as u64, 5 - lost);
    }

    #[test]
    fn what_cannot_be_written_is_counted() {
        let (stderr, decide, lines) = gated(8);
        for verdict in [false, false, true] {
            decide.send(verdict).unwrap();
            stderr.put(b"line\n");
        }
        stderr.wait();
        assert_eq!(
            (lines.try_iter().count(), stderr.ledger.progress().lost()),
            (1, 2)
        );
    }

    #[test]
    fn lines_are_bounded() {
        let (stderr, decide, lines) = gated(8);
        decide.send(true).unwrap();
        stderr.put(&[b'x'; MAX_LINE_BYTES]);
        stderr.put(&[b'x'; MAX_LINE_BYTES + 1]);
        stderr.wait();
        let progress = stderr.ledger.progress();
        assert_eq!(
            (lines.try_iter().count(), progress.lost(), progress.too_long),
            (1, 0, 1)
        );
    }
}
