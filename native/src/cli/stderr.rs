//! Stderr: the log and remarks to the user. Writing never blocks and never fails: lines go through a bounded queue to
//! a thread. Lines that do not fit into the queue or cannot be written are lost and counted; their number is logged
//! once a line is written again, and so is the number of lines that were too long.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use presence_core::model::text::prefix_bytes;
use tracing::error;

/// Most lines that wait to be written.
const MAX_WAITING_LINES: usize = 512;
/// Most bytes of a line. A longer one is dropped: half a JSON object is useless.
const MAX_LINE_BYTES: usize = 4 * 1024;
/// Time limit for the last lines at the end of the program.
const LAST_LINES_TIME: Duration = Duration::from_millis(500);

/// The queue of this process.
static STDERR: LazyLock<Stderr> = LazyLock::new(|| Stderr::new(MAX_WAITING_LINES));

/// Starts the thread that writes, unless it runs already. Notes and lines of the log wait until then, because `serve`
/// first gives up rights, and a thread that runs already would keep them.
pub(super) fn start_writing() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| STDERR.start(destination()));
}

/// Prints a remark for the user, once [`start_writing`] was called; a long text is cut.
pub(super) fn print_note(text: &str) {
    const NAME: &str = "presence-gateway: ";
    let text = prefix_bytes(text, MAX_LINE_BYTES - NAME.len() - "\n".len());
    STDERR.put(format!("{NAME}{text}\n").as_bytes());
}

/// The writer of the log.
pub(super) fn stderr() -> &'static Stderr {
    &STDERR
}

/// Waits until everything is written, for at most [`LAST_LINES_TIME`].
pub(super) fn finish() {
    if !STDERR.queue().waiting.is_empty() {
        start_writing();
        STDERR.wait();
    }
}

/// A writer behind a bounded queue. That of `tracing-appender` cannot be flushed within a time limit and does not
/// count failed writes.
#[derive(Clone, Debug)]
pub(super) struct Stderr {
    queue: Arc<(Mutex<Queue>, Condvar)>,
    max_waiting_lines: usize,
}

#[derive(Debug, Default)]
struct Queue {
    /// The first one is being written.
    waiting: VecDeque<Vec<u8>>,
    /// Lines that did not fit into the queue or could not be written.
    lost: u64,
    /// Lines of more than [`MAX_LINE_BYTES`].
    too_long: u64,
}

impl Stderr {
    fn new(max_waiting_lines: usize) -> Self {
        Self {
            queue: Arc::default(),
            max_waiting_lines,
        }
    }

    /// Starts the thread, which ends with the process.
    fn start(&self, destination: impl Write + Send + 'static) {
        let worker = self.clone();
        let started = std::thread::Builder::new()
            .name("stderr".to_owned())
            .spawn(move || worker.write_all(destination));
        // Without the thread the queue fills, and the lines after that are lost.
        drop(started);
    }

    /// Queues a line.
    fn put(&self, line: &[u8]) {
        let mut queue = self.queue();
        if line.len() > MAX_LINE_BYTES {
            queue.too_long += 1;
        } else if queue.waiting.len() >= self.max_waiting_lines {
            queue.lost += 1;
        } else {
            queue.waiting.push_back(line.to_vec());
            self.queue.1.notify_all();
        }
    }

    fn wait(&self) {
        let is_behind = |queue: &mut Queue| !queue.waiting.is_empty();
        // The program ends in any case.
        drop(
            self.queue
                .1
                .wait_timeout_while(self.queue(), LAST_LINES_TIME, is_behind),
        );
    }

    /// Writes line after line.
    fn write_all(&self, mut destination: impl Write) {
        let (mut logged_lost, mut logged_too_long) = (0, 0);
        loop {
            let waiting = self
                .queue
                .1
                .wait_while(self.queue(), |queue| queue.waiting.is_empty());
            let mut queue = waiting.unwrap_or_else(PoisonError::into_inner);
            let line = queue.waiting.front_mut().map(std::mem::take).unwrap_or_default();
            drop(queue);
            let is_through = destination.write_all(&line).is_ok();
            let mut queue = self.queue();
            queue.lost += u64::from(!is_through);
            let has_room = is_through && queue.waiting.len() == 1;
            let (lost, too_long) = (queue.lost, queue.too_long);
            // The lines below lock the queue in `put`.
            drop(queue);
            if has_room && lost > std::mem::replace(&mut logged_lost, lost) {
                error!(
                    lost,
                    "lines of the log were lost since the start: stderr did not take them"
                );
            }
            if has_room && too_long > std::mem::replace(&mut logged_too_long, too_long) {
                error!(
                    too_long,
                    "lines of the log were dropped since the start: longer than {MAX_LINE_BYTES} bytes"
                );
            }
            // Last, so that `wait` includes the lines above.
            self.queue().waiting.pop_front();
            self.queue.1.notify_all();
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The log's writer.
impl Write for &Stderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.put(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns a handle of its own: a blocked write through `io::stderr` would hold the lock of that one.
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
        let stderr = Stderr::new(max_waiting_lines);
        stderr.start(Gate { verdicts, taken });
        (stderr, decide, lines)
    }

    #[test]
    fn no_writer_waits_and_dropped_lines_are_counted() {
        let (stderr, decide, lines) = gated(STDERR.max_waiting_lines);
        // The one that is being written waits, too.
        for _ in 0..MAX_WAITING_LINES + 3 {
            stderr.put(b"line\n");
        }
        assert_eq!(stderr.queue().lost, 3);
        for _ in 0..MAX_WAITING_LINES {
            decide.send(true).unwrap();
        }
        stderr.wait();
        assert_eq!(lines.try_iter().count(), MAX_WAITING_LINES);
    }

    #[test]
    fn what_cannot_be_written_is_counted() {
        let (stderr, decide, lines) = gated(8);
        for verdict in [false, false, true] {
            decide.send(verdict).unwrap();
            stderr.put(b"line\n");
        }
        stderr.wait();
        assert_eq!((lines.try_iter().count(), stderr.queue().lost), (1, 2));
    }

    #[test]
    fn lines_are_bounded() {
        let (stderr, decide, lines) = gated(8);
        decide.send(true).unwrap();
        stderr.put(&[b'x'; MAX_LINE_BYTES]);
        stderr.put(&[b'x'; MAX_LINE_BYTES + 1]);
        stderr.wait();
        let queue = stderr.queue();
        assert_eq!((lines.try_iter().count(), queue.lost, queue.too_long), (1, 0, 1));
    }
}
