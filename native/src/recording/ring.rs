//! The two newest parts of a recording, on disk or in memory. Each part is a recording of its own: a header, a
//! checkpoint and the inputs after it. When the newer part is full it replaces the older one.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::mem::take;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Keep, MAX_RECORD_BYTES, RecordTo, Requests};

/// The two parts.
pub(super) struct Ring {
    parts: Parts,
    /// Most bytes of a part.
    max_bytes: u64,
    /// The longest time that a part covers.
    span: Option<Duration>,
    /// When the newer part began.
    began: Instant,
    /// Bytes of the newer part.
    written: u64,
}

enum Parts {
    /// Lines are written to the first; it later replaces the second.
    Files(BufWriter<Arc<File>>, Arc<File>),
    Memory(Memory),
}

struct Memory {
    older: Vec<u8>,
    newer: Vec<u8>,
    /// Where the header of the newer part ends.
    header_end: usize,
    file: Arc<File>,
    older_file: Arc<File>,
    requests: Requests,
}

impl Ring {
    pub(super) fn new(to: RecordTo) -> Self {
        let (parts, span) = match to.keep {
            // Each part covers at most half of the time, so that both together never cover more than all of it.
            Keep::Inputs { max_age } => {
                let parts = Parts::Files(BufWriter::new(to.file), to.older);
                (parts, max_age.map(|age| age / 2))
            }
            // Each part covers all of the time, so that it is covered even while the newer part has just begun.
            Keep::Last(span, requests) => {
                let memory = Memory {
                    older: Vec::new(),
                    newer: Vec::new(),
                    header_end: 0,
                    file: to.file,
                    older_file: to.older,
                    requests,
                };
                (Parts::Memory(memory), Some(span))
            }
        };
        Self {
            parts,
            max_bytes: to.max_bytes / 2,
            span,
            began: Instant::now(),
            written: 0,
        }
    }

    /// Whether the newer part is full.
    pub(super) fn is_full(&self) -> bool {
        self.written >= self.max_bytes || self.span.is_some_and(|span| self.began.elapsed() >= span)
    }

    /// Whether this many further bytes fit into the newer part.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.written.saturating_add(bytes as u64) < self.max_bytes
    }

    /// Whether the inputs in memory were requested since the last call.
    pub(super) fn is_requested(&self) -> bool {
        matches!(&self.parts, Parts::Memory(memory) if memory.requests.take())
    }

    /// Begins a new part with its header and its checkpoint; the newer one becomes the older one.
    ///
    /// # Errors
    /// If these lines exceed the bound of a part, or a file cannot be written.
    pub(super) fn turn(&mut self, start: &str) -> io::Result<()> {
        if start.len() as u64 >= self.max_bytes {
            return Err(io::Error::other(format!(
                "--record-bytes is too small for what each part has to begin with now, {} bytes: it needs four times that, and \
                 can be at most {MAX_RECORD_BYTES}",
                start.len()
            )));
        }
        match &mut self.parts {
            Parts::Files(newer, older) => {
                newer.flush()?;
                replace(older, newer.get_ref())?;
                clear(newer.get_ref())?;
            }
            Parts::Memory(memory) => {
                memory.older = take(&mut memory.newer);
                memory.header_end = start.find('\n').map_or(0, |end| end + 1);
            }
        }
        self.began = Instant::now();
        self.written = 0;
        self.write(start)
    }

    /// Adds lines to the newer part.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn write(&mut self, lines: &str) -> io::Result<()> {
        self.written += lines.len() as u64;
        match &mut self.parts {
            Parts::Files(newer, _) => newer.write_all(lines.as_bytes()),
            Parts::Memory(memory) => {
                extend(&mut memory.newer, lines.as_bytes(), self.max_bytes);
                Ok(())
            }
        }
    }

    /// Flushes buffered lines to the system.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match &mut self.parts {
            Parts::Files(newer, _) => newer.flush(),
            Parts::Memory(_) => Ok(()),
        }
    }

    /// Writes the inputs in memory to the file, as one recording; the file's previous content becomes the older one.
    /// Returns the number of bytes.
    ///
    /// # Errors
    /// If a file cannot be written. The file is then empty or as before, and the older one may be empty, if possible;
    /// the inputs stay in memory.
    pub(super) fn save(&mut self) -> io::Result<usize> {
        let Parts::Memory(memory) = &self.parts else {
            return Ok(0);
        };
        if memory.file.metadata()?.len() > 0 {
            let replaced = replace(&memory.older_file, &memory.file);
            if replaced.is_err() {
                // The error of the replacement is the one to report.
                let _ = clear(&memory.older_file);
            }
            replaced?;
        }
        clear(&memory.file)?;
        // The newer part begins where the older one ends.
        let newer = match memory.older.len() {
            0 => &memory.newer[..],
            _ => &memory.newer[memory.header_end..],
        };
        let mut file = &*memory.file;
        let written = file.write_all(&memory.older).and_then(|()| file.write_all(newer));
        if let Err(error) = written {
            // Half a recording must not become the older one.
            clear(&memory.file)?;
            return Err(error);
        }
        Ok(memory.older.len() + newer.len())
    }
}

/// Adds bytes. The vector grows by doubling, but not beyond the bound of a part.
fn extend(part: &mut Vec<u8>, bytes: &[u8], max_bytes: u64) {
    let needed = part.len() + bytes.len();
    if needed > part.capacity() {
        let most = usize::try_from(max_bytes).unwrap_or(usize::MAX);
        let capacity = needed.max(part.capacity().saturating_mul(2).min(most));
        part.reserve_exact(capacity - part.len());
    }
    part.extend_from_slice(bytes);
}

/// Empties the file.
fn clear(mut file: &File) -> io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0)).map(drop)
}

/// Copies the content of `newer` to `older`; `newer` is unchanged. Files are not renamed, because the sandbox does not
/// allow the gateway to open files.
fn replace(older: &File, mut newer: &File) -> io::Result<()> {
    clear(older)?;
    newer.seek(SeekFrom::Start(0))?;
    let mut older = older;
    io::copy(&mut newer, &mut older).map(drop)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn ring(max_bytes: u64, keep: Keep) -> (Ring, [File; 2]) {
        let [file, older] = [(); 2].map(|()| tempfile::tempfile().unwrap());
        let files = [file.try_clone().unwrap(), older.try_clone().unwrap()];
        let to = RecordTo {
            file: Arc::new(file),
            older: Arc::new(older),
            max_bytes,
            keep,
        };
        (Ring::new(to), files)
    }

    fn texts(files: &mut [File; 2]) -> [String; 2] {
        files.each_mut().map(|file| {
            let mut text = String::new();
            file.seek(SeekFrom::Start(0)).unwrap();
            file.read_to_string(&mut text).unwrap();
            text
        })
    }

    #[test]
    fn a_full_part_replaces_the_older_one() {
        let (mut ring, mut files) = ring(40, Keep::Inputs { max_age: None });
        ring.write("head 1\n").unwrap();
        for part in 2..5 {
            assert!(!ring.is_full() && ring.has_room(12) && !ring.has_room(13));
            ring.write("thirteen byte").unwrap();
            assert!(ring.is_full());
            ring.turn(&format!("head {part}\n")).unwrap();
        }
        ring.write("x").unwrap();
        ring.flush().unwrap();
        assert_eq!(texts(&mut files), ["head 4\nx", "head 3\nthirteen byte"]);
        let error = ring.turn(&"x".repeat(20)).unwrap_err();
        assert!(error.to_string().starts_with("--record-bytes is too small"));
        ring.flush().unwrap();
        assert_eq!(texts(&mut files)[0], "head 4\nx", "nothing is lost");
    }

    #[test]
    fn no_part_covers_more_than_half_of_the_age() {
        let never = Keep::Inputs {
            max_age: Some(Duration::from_secs(7_200)),
        };
        assert!(!ring(1_000, never).0.is_full());
        let at_once = Keep::Inputs {
            max_age: Some(Duration::ZERO),
        };
        assert!(ring(1_000, at_once).0.is_full());
    }

    #[test]
    fn memory_has_at_most_the_bytes_of_both_parts_and_an_input() {
        let keep = Keep::Last(Duration::from_secs(7_200), Requests::default());
        let (max_bytes, input) = (10_000, "an input of twenty-six b.\n");
        let (mut ring, mut files) = ring(max_bytes, keep);
        ring.write("head\n").unwrap();
        let (mut turns, mut most) = (0, 0);
        for _ in 0..4_000 {
            ring.write(input).unwrap();
            if ring.is_full() {
                turns += 1;
                ring.turn("head\nstate\n").unwrap();
            }
            let Parts::Memory(memory) = &ring.parts else {
                panic!("it is kept in memory");
            };
            most = most.max(memory.older.capacity() + memory.newer.capacity());
        }
        let bound = usize::try_from(max_bytes).unwrap() + 2 * input.len();
        assert!(
            turns > 10 && most > bound / 2 && most <= bound,
            "{most} of {bound} bytes"
        );
        let saved = ring.save().unwrap();
        assert!(saved <= bound && texts(&mut files)[0].len() == saved);
    }

    #[test]
    fn memory_goes_to_the_file_as_one_recording_when_asked() {
        let requests = Requests::default();
        let keep = Keep::Last(Duration::from_secs(7_200), requests.clone());
        let (mut ring, mut files) = ring(1_000, keep);
        ring.write("head 1\ninput 1\n").unwrap();
        ring.flush().unwrap();
        assert!(!ring.is_requested());
        assert_eq!(texts(&mut files), ["", ""]);
        requests.request();
        assert!(ring.is_requested() && !ring.is_requested());
        ring.save().unwrap();
        assert_eq!(texts(&mut files), ["head 1\ninput 1\n", ""]);
        for part in 2..4 {
            ring.turn(&format!("head {part}\nstate {part}\n")).unwrap();
            ring.write(&format!("input {part}\n")).unwrap();
        }
        let saved = "head 2\nstate 2\ninput 2\nstate 3\ninput 3\n";
        assert_eq!(ring.save().unwrap(), saved.len());
        assert_eq!(texts(&mut files), [saved, "head 1\ninput 1\n"]);
    }
}
