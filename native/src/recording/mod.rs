//! Records the driver's inputs. A thread of its own replays and writes them; the driver never waits for it.

mod raw;
mod ring;
mod writer;

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::Duration;

use presence_core::Now;
use presence_core::model::setting::{InvalidSetting, within};
use presence_core::recording::{MAX_LINE_BYTES, Recorder, Redactor};
use presence_core::server::HubConfig;
use tracing::warn;

pub(crate) use self::raw::Raw;
use self::ring::Ring;
use self::writer::Writer;

/// Bytes of inputs that may wait for the thread; inputs beyond are counted as a gap.
const MAX_WAITING_BYTES: usize = 32 * 1024 * 1024;
/// How long the gateway waits at its end for unwritten lines.
const END_WITHIN: Duration = Duration::from_secs(2);
/// Fewest bytes of a recording: one input may take some of them.
const MIN_RECORD_BYTES: u64 = 4_096;
/// Most bytes of a recording, or of a saved list, that commands read: far more than 100,000 rows have.
pub(crate) const MAX_READ_BYTES: u64 = 256 * 1024 * 1024;
/// Most bytes by which a part exceeds its half: the lines of one or two inputs, with their gaps and digests.
const MAX_EXCESS_BYTES: u64 = 4 * MAX_LINE_BYTES as u64;
/// Most bytes of a recording. Also a file that has both parts, as of [`Keep::Last`], can be read.
const MAX_RECORD_BYTES: u64 = MAX_READ_BYTES - 2 * MAX_EXCESS_BYTES;
/// Shortest time for which inputs can be kept, in ms: they are written once a second.
const MIN_KEPT_MS: u64 = 1_000;

/// Where to record to, and how much is kept.
#[derive(Clone, Debug)]
pub struct RecordTo {
    /// The newest part, open for reading and writing.
    pub file: Arc<File>,
    /// The part before, open for writing.
    pub older: Arc<File>,
    /// Most bytes of both parts together, at most 260,046,848. Each may have the lines of one input more.
    pub max_bytes: u64,
    /// What is written, and when.
    pub keep: Keep,
}

impl RecordTo {
    /// Checks the bounds: 4,096 to 260,046,848 bytes (`replay` reads files of up to 256 MiB), and times of at least a
    /// second.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the one that is out of bounds.
    pub fn validate(&self) -> Result<(), InvalidSetting> {
        validate(self.max_bytes, &self.keep)
    }
}

/// Checks the bounds of a recording whose files are not open yet.
///
/// # Errors
/// [`InvalidSetting`] names the one that is out of bounds.
pub(crate) fn validate(max_bytes: u64, keep: &Keep) -> Result<(), InvalidSetting> {
    within("record.max_bytes", max_bytes, MIN_RECORD_BYTES..=MAX_RECORD_BYTES)?;
    let (name, time) = match keep {
        Keep::Inputs { max_age: None } => return Ok(()),
        Keep::Inputs { max_age: Some(age) } => ("record.keep.max_age_ms", age),
        Keep::Last(time, _) => ("record.keep.last_ms", time),
    };
    let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    within(name, ms, MIN_KEPT_MS..=u64::MAX)
}

/// What is written, and when.
#[derive(Clone, Debug)]
pub enum Keep {
    /// Each input, within about a second.
    Inputs {
        /// Inputs are kept no longer than this.
        max_age: Option<Duration>,
    },
    /// On request, the inputs in memory: those of this time, if the bound of bytes allows.
    Last(Duration, Requests),
}

/// Requests to write the inputs in memory.
#[derive(Clone, Debug, Default)]
pub struct Requests(Arc<AtomicBool>);

impl Requests {
    /// Requests it. The inputs are written within about a second.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

/// The driver's end of a recording. Once this is dropped the file is complete, unless its disk hangs.
#[derive(Debug)]
pub(crate) struct Tap {
    inputs: Sender<Message>,
    /// Bytes of inputs that wait for the thread.
    waiting_bytes: Arc<AtomicUsize>,
    /// Inputs without room since the last one that had room.
    missed: u64,
    is_over: bool,
    /// Disconnected once the thread has ended.
    ended: Receiver<()>,
}

/// An input, and how many were missed before it.
struct Message {
    missed: u64,
    bytes: usize,
    input: Raw,
    now: Now,
}

impl Tap {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system gives no randomness or no thread.
    pub(crate) fn start(to: RecordTo, config: &HubConfig, now: Now) -> io::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        let redactor = Redactor::new(key);
        let (recorder, header) = Recorder::new(config, &redactor, now);
        let (inputs, received) = channel();
        let waiting_bytes = Arc::<AtomicUsize>::default();
        let waiting = Arc::clone(&waiting_bytes);
        let (end, ended) = sync_channel(0);
        std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || {
                lower_priority();
                let writer = Writer::new(recorder, redactor, Ring::new(to), waiting, now);
                if let Err(error) = writer.run(&header, &received) {
                    warn!(%error, "the recording ends");
                }
                drop::<SyncSender<()>>(end);
            })?;
        Ok(Self {
            inputs,
            waiting_bytes,
            missed: 0,
            is_over: false,
            ended,
        })
    }

    /// Hands an input on, if there is room for it.
    pub(crate) fn record(&mut self, input: Raw, now: Now) {
        if self.is_over {
            return;
        }
        let (missed, bytes) = (self.missed, size_of::<Message>() + input.bytes());
        // The last input is sent even beyond the bound, because it states the gap before it.
        let is_last = matches!(input, Raw::Shutdown);
        if self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed)
            > MAX_WAITING_BYTES - bytes.min(MAX_WAITING_BYTES)
            && !is_last
        {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.missed += 1;
            return;
        }
        let message = Message {
            missed,
            bytes,
            input,
            now,
        };
        match self.inputs.send(message) {
            Ok(()) => self.missed = 0,
            Err(_) => self.is_over = true,
        }
    }
}

/// Gives this thread the lowest priority, so that it uses only time that the gateway leaves. Where that is not
/// possible, only speed is lost.
fn lower_priority() {
    // On Linux this is about the calling thread, elsewhere about the process.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, 19);
}

impl Drop for Tap {
    /// Waits until everything is written, but not for a disk that hangs.
    fn drop(&mut self) {
        self.inputs = channel().0;
        if let Err(RecvTimeoutError::Timeout) = self.ended.recv_timeout(END_WITHIN) {
            warn!("the recording may lack its end: its file takes too long");
        }
    }
}

#[cfg(test)]
mod tests {
    use presence_core::wire::Request;

    use super::*;

    #[test]
    fn a_recording_has_no_more_bytes_than_replay_reads() {
        let kinds = [
            Keep::Inputs { max_age: None },
            Keep::Last(Duration::from_secs(60), Requests::default()),
        ];
        for keep in kinds {
            assert_eq!(validate(260_046_848, &keep), Ok(()));
            let error = validate(260_046_849, &keep).unwrap_err();
            assert_eq!(error.name(), "record.max_bytes");
        }
    }

    #[test]
    fn each_text_of_a_list_counts() {
        let list = (10..42).map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(",");
        for name in ["roles", "scopes"] {
            let frame = format!(
                r#"{{"type":"req","id":"1","method":"system-event","params":{{"text":"x","{name}":[{list}]}}}}"#
            );
            let request = Request::parse(&frame).unwrap();
            let bytes = Raw::call(1, Box::new(request)).unwrap().bytes();
            assert!(bytes >= 32 * size_of::<Box<str>>(), "{name}: {bytes}");
        }
    }

    #[test]
    fn inputs_beyond_the_bytes_that_may_wait_are_a_gap() {
        let (inputs, received) = channel();
        let mut tap = Tap {
            inputs,
            waiting_bytes: Arc::default(),
            missed: 0,
            is_over: false,
            ended: sync_channel(0).1,
        };
        let text = "x".repeat(4_096);
        let frame =
            format!(r#"{{"type":"req","id":"1","method":"system-event","params":{{"text":"{text}"}}}}"#);
        let request = Request::parse(&frame).unwrap();
        let now = Now {
            age_ms: 0,
            wall_ms: 0,
        };
        let made = 2 * MAX_WAITING_BYTES / text.len();
        for _ in 0..made {
            tap.record(Raw::call(1, Box::new(request.clone())).unwrap(), now);
        }
        let taken: Vec<Message> = received.try_iter().collect();
        let bytes: usize = taken.iter().map(|message| message.bytes).sum();
        assert!(bytes <= MAX_WAITING_BYTES && bytes + taken[0].bytes > MAX_WAITING_BYTES);
        assert!(taken[0].bytes > text.len());
        assert_eq!(tap.missed, (made - taken.len()) as u64);
        tap.record(Raw::Shutdown, now);
        assert_eq!(received.recv().unwrap().missed, (made - taken.len()) as u64);
        tap.record(Raw::call(1, Box::new(request)).unwrap(), now);
        tap.waiting_bytes.store(0, Ordering::Relaxed);
        tap.record(Raw::Pong(1), now);
        assert_eq!(received.recv().unwrap().missed, 1);
    }
}
