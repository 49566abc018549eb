//! Records the driver's inputs to a file. A thread of its own replays and writes; the driver never waits for it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use presence_core::Now;
use presence_core::recording::{Input, Recorder, Redactor};
use presence_core::server::{Handshake, HubConfig, LeaveCause, Refused};
use presence_core::wire::{Call, Request};
use tracing::{info, warn};

/// Inputs that may wait for the thread; more are counted as a gap.
const MAX_WAITING: usize = 4_096;
/// Bytes of texts that may wait for the thread; inputs beyond are counted as a gap.
const MAX_WAITING_BYTES: usize = 8 * 1024 * 1024;
/// When what was written goes to the file at the latest.
const FLUSH_AFTER: Duration = Duration::from_secs(1);
/// How long the end of the gateway waits for what is not written yet.
const END_WITHIN: Duration = Duration::from_secs(2);

/// A file to record to, and how large it may grow.
#[derive(Clone, Debug)]
pub struct RecordTo {
    /// The file, open for writing and empty.
    pub file: Arc<File>,
    /// Most bytes. The recording ends before the line that would exceed them.
    pub max_bytes: u64,
}

/// The driver's end of a recording. Once this is dropped the file is complete, unless its disk hangs.
#[derive(Debug)]
pub(crate) struct Tap {
    inputs: SyncSender<Message>,
    /// Bytes of texts that wait for the thread.
    waiting_bytes: Arc<AtomicUsize>,
    /// Inputs that found no room since the last that did.
    missed: u64,
    is_over: bool,
    /// Disconnected once the thread has ended.
    ended: Receiver<()>,
}

/// An input of the hub that may change rows. The thread redacts it.
#[derive(Debug)]
pub(crate) enum Raw {
    Join(u64, Box<Handshake>),
    Leave(u64, LeaveCause),
    Pong(u64),
    Call(u64, Box<Request>),
    Refused(Box<Refused>),
    Wake,
    Shutdown,
}

impl Raw {
    /// `None` for a call that changes no row.
    pub(crate) fn call(serial: u64, request: &Request) -> Option<Self> {
        matches!(request.call, Ok(Call::SystemEvent(_) | Call::NodeEvent(_)))
            .then(|| Self::Call(serial, Box::new(request.clone())))
    }

    /// Bytes of its texts, as far as peers choose their lengths and how many there are.
    fn bytes(&self) -> usize {
        match self {
            Self::Join(_, handshake) => {
                let client = &handshake.client;
                let texts = [
                    &client.display_name,
                    &client.instance_id,
                    &client.device_family,
                    &client.model_identifier,
                    &client.time_zone,
                    &handshake.user,
                ];
                let lists = [&*handshake.scopes, &handshake.caps, &handshake.commands];
                [&client.id, &client.version, &client.platform, &client.mode]
                    .into_iter()
                    .chain(texts.into_iter().flatten())
                    .chain(lists.into_iter().flatten())
                    .map(text_bytes)
                    .sum()
            }
            Self::Call(_, request) => match &request.call {
                Ok(Call::SystemEvent(beacon)) => {
                    let texts = [
                        &beacon.instance_id,
                        &beacon.device_id,
                        &beacon.host,
                        &beacon.ip,
                        &beacon.mode,
                        &beacon.version,
                        &beacon.platform,
                        &beacon.device_family,
                        &beacon.model_identifier,
                        &beacon.reason,
                    ];
                    [&request.id, &beacon.text]
                        .into_iter()
                        .chain(texts.into_iter().flatten())
                        .chain(beacon.roles.iter().chain(&beacon.scopes))
                        .map(text_bytes)
                        .sum()
                }
                Ok(Call::NodeEvent(event)) => text_bytes(&request.id) + text_bytes(&event.event),
                _ => text_bytes(&request.id),
            },
            Self::Refused(refused) => refused.client.id.iter().map(text_bytes).sum(),
            Self::Leave(..) | Self::Pong(_) | Self::Wake | Self::Shutdown => 0,
        }
    }

    fn redacted(self, redactor: &Redactor) -> Option<Input> {
        Some(match self {
            Self::Join(serial, handshake) => Input::join(serial, &handshake, redactor),
            Self::Leave(serial, cause) => Input::leave(serial, cause),
            Self::Pong(serial) => Input::Pong(serial),
            Self::Call(serial, request) => return Input::call(serial, &request, redactor),
            Self::Refused(refused) => return Input::refused(&refused, redactor),
            Self::Wake => Input::Wake,
            Self::Shutdown => Input::Shutdown,
        })
    }
}

/// What a text takes. Of short ones in a list, most is their place there.
#[expect(clippy::borrowed_box, reason = "its place counts")]
fn text_bytes(text: &Box<str>) -> usize {
    size_of_val(text) + text.len()
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
        let (inputs, received) = sync_channel(MAX_WAITING);
        let waiting_bytes = Arc::<AtomicUsize>::default();
        let writer = Writer {
            recorder,
            redactor,
            file: BufWriter::new(to.file),
            left: to.max_bytes,
            waiting_bytes: Arc::clone(&waiting_bytes),
        };
        let (end, ended) = sync_channel(0);
        std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || {
                match writer.run(&header, &received) {
                    Ok(true) => {}
                    Ok(false) => info!("the recording is as large as it may grow, and ends"),
                    Err(error) => warn!(%error, "the recording ends: its file cannot be written"),
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
        let (missed, bytes) = (self.missed, input.bytes());
        if self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed)
            > MAX_WAITING_BYTES - bytes.min(MAX_WAITING_BYTES)
        {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.missed += 1;
            return;
        }
        match self.inputs.try_send(Message {
            missed,
            bytes,
            input,
            now,
        }) {
            Ok(()) => self.missed = 0,
            Err(TrySendError::Full(_)) => {
                self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
                self.missed += 1;
            }
            Err(TrySendError::Disconnected(_)) => self.is_over = true,
        }
    }
}

impl Drop for Tap {
    /// Waits until everything is written, but not for a disk that hangs.
    fn drop(&mut self) {
        self.inputs = sync_channel(0).0;
        if let Err(RecvTimeoutError::Timeout) = self.ended.recv_timeout(END_WITHIN) {
            warn!("the recording may lack its end: its file takes too long");
        }
    }
}

struct Writer {
    recorder: Recorder,
    redactor: Redactor,
    file: BufWriter<Arc<File>>,
    /// How many bytes may follow.
    left: u64,
    waiting_bytes: Arc<AtomicUsize>,
}

impl Writer {
    /// Writes until the driver is gone; returns `false` if the file is full before.
    fn run(mut self, header: &str, received: &Receiver<Message>) -> io::Result<bool> {
        let mut is_written = self.write(header)?;
        let mut last = None;
        while is_written {
            match received.recv_timeout(FLUSH_AFTER) {
                Ok(message) => {
                    is_written = self.message(message, &mut last)?;
                }
                Err(RecvTimeoutError::Timeout) => self.file.flush()?,
                Err(RecvTimeoutError::Disconnected) => {
                    if let Some(now) = last {
                        let digest = self.recorder.digest(now);
                        self.write(&digest)?;
                    }
                    self.file.flush()?;
                    return Ok(true);
                }
            }
        }
        self.file.flush()?;
        Ok(false)
    }

    fn message(&mut self, message: Message, last: &mut Option<Now>) -> io::Result<bool> {
        let Message {
            missed,
            bytes,
            input,
            now,
        } = message;
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        *last = Some(now);
        if missed > 0 {
            let gap = self.recorder.gap(missed, now);
            if !self.write(&gap)? {
                return Ok(false);
            }
        }
        let Some(input) = input.redacted(&self.redactor) else {
            return Ok(true);
        };
        let lines = self.recorder.record(input, now);
        self.write(&lines)
    }

    /// Returns `false` if there is no room for it.
    fn write(&mut self, lines: &str) -> io::Result<bool> {
        let Some(left) = self.left.checked_sub(lines.len() as u64) else {
            return Ok(false);
        };
        self.left = left;
        self.file.write_all(lines.as_bytes())?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_of_a_list_counts() {
        let list = (10..42).map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(",");
        for name in ["roles", "scopes"] {
            let frame = format!(
                r#"{{"type":"req","id":"1","method":"system-event","params":{{"text":"x","{name}":[{list}]}}}}"#
            );
            let request = Request::parse(&frame).unwrap();
            let bytes = Raw::call(1, &request).unwrap().bytes();
            assert!(bytes >= 32 * size_of::<Box<str>>(), "{name}: {bytes}");
        }
    }

    #[test]
    fn inputs_beyond_the_bytes_that_may_wait_are_a_gap() {
        let (inputs, received) = sync_channel(MAX_WAITING);
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
        for _ in 0..MAX_WAITING {
            tap.record(Raw::call(1, &request).unwrap(), now);
        }
        let taken = received.try_iter().count();
        // Its id and its text.
        assert_eq!(taken, MAX_WAITING_BYTES / (4_097 + 2 * size_of::<Box<str>>()));
        assert_eq!(tap.missed, (MAX_WAITING - taken) as u64);
        tap.waiting_bytes.store(0, Ordering::Relaxed);
        tap.record(Raw::Pong(1), now);
        assert_eq!(received.recv().unwrap().missed, (MAX_WAITING - taken) as u64);
    }
}
