//! Reads a recording, line by line.

use alloc::string::{String, ToString};

use super::{FORMAT, Header, Line, MAX_LINE_BYTES, Step};
use crate::model::entry::MAX_SAFE_INTEGER;

/// The start of a checkpoint's first line, after the moment.
const CHECKPOINT: &str = r#""state":{"start":{"#;
const FAR: &str = "its time is beyond 2^53-1";

/// An error in a recording, with its line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The text is empty.
    #[error("line 1: the header is missing")]
    Empty,
    /// The first line is not a header: most likely the file is not a recording but, for example, a presence list.
    #[error("line 1: not the header of a recording; expected a file of `serve --record`")]
    NoHeader,
    /// Another version of the format.
    #[error("line 1: the recording has format {0}, and this program reads format {FORMAT}")]
    Format(u32),
    /// A number of the configuration is out of bounds.
    #[error("line 1: {0}")]
    Setting(String),
    /// A line is not valid in a recording, or is truncated.
    #[error("line {line}: {why}")]
    Line {
        /// The number of the line, from 1.
        line: usize,
        /// The error.
        why: String,
    },
}

/// A place between two lines of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Unread bytes.
    rest: usize,
    line: usize,
    at: u64,
}

impl Place {
    /// The number of the line before it.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// Bytes after it.
    #[must_use]
    pub fn bytes_left(&self) -> usize {
        self.rest
    }

    /// The moment of that line on the age clock, in ms.
    #[must_use]
    pub fn at(&self) -> u64 {
        self.at
    }
}

/// The lines of a recording.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    header: Header,
    rest: &'a str,
    /// The number of the line that was read last.
    line: usize,
    /// The moment of that line.
    at: u64,
}

impl<'a> Reader<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`ReadError`] if it is missing, of another version or not valid.
    pub fn new(text: &'a str) -> Result<Self, ReadError> {
        #[derive(serde::Deserialize)]
        struct Versioned {
            format: u32,
        }
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        if first.trim().is_empty() {
            return Err(ReadError::Empty);
        }
        let bad = |error: serde_json::Error| ReadError::Line {
            line: 1,
            why: error.to_string(),
        };
        check_length(first, 1)?;
        let Versioned { format } = serde_json::from_str(first).map_err(|_| ReadError::NoHeader)?;
        if format != FORMAT {
            return Err(ReadError::Format(format));
        }
        let header: Header = serde_json::from_str(first).map_err(bad)?;
        if header.at > MAX_SAFE_INTEGER || header.wall > MAX_SAFE_INTEGER {
            return Err(ReadError::Setting(FAR.into()));
        }
        header
            .config()
            .validate()
            .map_err(|error| ReadError::Setting(error.to_string()))?;
        Ok(Self {
            at: header.at,
            header,
            rest,
            line: 1,
        })
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The number of the line that was read last.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The current place, for [`resume`](Self::resume).
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            rest: self.rest.len(),
            line: self.line,
            at: self.at,
        }
    }

    /// Goes to the last checkpoint before this moment on the age clock, if there is one, without reading the lines
    /// before it. The search reads only the start of lines, in the spelling of this project's programs.
    pub fn skip_to_checkpoint(&mut self, until_ms: u64) {
        let mut end = end_of(self.rest, until_ms);
        while let Some(found) = self.rest[..end].rfind(CHECKPOINT) {
            let begin = self.rest[..found].rfind('\n').map_or(0, |at| at + 1);
            let mut lines = self.rest[begin..].split_inclusive('\n');
            let read = lines
                .next()
                .and_then(|line| serde_json::from_str::<Line>(line).ok());
            // An incomplete checkpoint is not used.
            let needed = read.and_then(|line| match line.step {
                Step::State(state) => state.lines_after(),
                _ => None,
            });
            if needed.is_some_and(|needed| {
                lines.filter(|line| line.ends_with('\n')).take(needed).count() == needed
            }) {
                self.line += self.rest[..begin].bytes().filter(|&byte| byte == b'\n').count();
                self.rest = &self.rest[begin..];
                return;
            }
            end = begin;
        }
    }

    /// A reader of the same text that continues at a place.
    #[must_use]
    pub fn resume(text: &'a str, header: Header, place: Place) -> Self {
        let begin = text.len().saturating_sub(place.rest);
        Self {
            header,
            rest: text.get(begin..).unwrap_or_default(),
            line: place.line,
            at: place.at,
        }
    }

    fn read(&mut self) -> Result<Option<Line>, ReadError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        self.line += 1;
        let line = self.line;
        let bad = |why: String| ReadError::Line { line, why };
        // A line without its end may be truncated, even if it can be read.
        let (text, rest) = self
            .rest
            .split_once('\n')
            .ok_or_else(|| bad("it is cut off".into()))?;
        check_length(text, line)?;
        let read: Line = serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
        if read.at > MAX_SAFE_INTEGER || read.wall > MAX_SAFE_INTEGER {
            return Err(bad(FAR.into()));
        }
        if read.at < self.at {
            return Err(bad("it is earlier than the line before".into()));
        }
        self.at = read.at;
        self.rest = rest;
        Ok(Some(read))
    }
}

/// Returns where the lines up to this moment end. Lines are in the order of their times.
fn end_of(text: &str, until_ms: u64) -> usize {
    let (mut low, mut high) = (0, text.len());
    // The line at `low` is not later than the moment; the lines from `high` on are.
    while low < high {
        let middle = low + (high - low) / 2;
        let bytes = text.as_bytes();
        let begin = bytes[low..middle]
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(low, |at| low + at + 1);
        let end = bytes[middle..high]
            .iter()
            .position(|&byte| byte == b'\n')
            .map_or(high, |at| middle + at + 1);
        // A line without a time at its start, as from another program, ends the search.
        let at = text.get(begin..end).and_then(time_of);
        if at.is_some_and(|at| at <= until_ms) {
            low = end;
        } else {
            high = begin;
        }
    }
    low
}

/// The time at the start of a line.
fn time_of(line: &str) -> Option<u64> {
    let digits = line.strip_prefix(r#"{"at":"#)?;
    digits[..digits.find(',')?].parse().ok()
}

fn check_length(text: &str, line: usize) -> Result<(), ReadError> {
    if text.len() <= MAX_LINE_BYTES {
        return Ok(());
    }
    Err(ReadError::Line {
        line,
        why: "it is longer than 1 MiB".into(),
    })
}

impl Iterator for Reader<'_> {
    type Item = Result<Line, ReadError>;

    /// Returns the next line; nothing after an error.
    fn next(&mut self) -> Option<Self::Item> {
        let read = self.read().transpose();
        if matches!(read, Some(Err(_))) {
            self.rest = "";
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::recording::{Input, Replay};

    fn text_at(start: u64, line: u64) -> String {
        let header = json!({
            "format": 1, "version": "1", "at": start, "wall": 0, "ttlMs": 60_000, "maxEntries": 9,
            "pingIntervalMs": 25_000, "ephemeralModes": [], "own": { "reason": "self", "ts": 0 },
        });
        let digest = json!({ "at": line, "wall": 0, "digest": "0" });
        alloc::format!("{header}\n{digest}\n")
    }

    #[test]
    fn times_are_integers_of_json() {
        let most = MAX_SAFE_INTEGER;
        let lines = |text: &str| Reader::new(text).map(|mut reader| reader.next());
        assert!(matches!(lines(&text_at(most, most)), Ok(Some(Ok(_)))));
        let Ok(Some(Err(ReadError::Line { line: 2, why }))) = lines(&text_at(most, most + 1)) else {
            panic!("a time beyond");
        };
        assert_eq!(why, FAR);
        let refused = Reader::new(&text_at(most + 1, most + 1)).unwrap_err();
        assert_eq!(refused, ReadError::Setting(FAR.into()));
    }

    #[test]
    fn a_replay_at_the_last_moment_ends() {
        let text = text_at(0, 0);
        let mut config = Reader::new(&text).unwrap().header().config();
        config.limits.ping_interval_ms = 1_000;
        let last = crate::Now {
            age_ms: u64::MAX,
            wall_ms: u64::MAX,
        };
        let mut replay = Replay::with_config(config, last);
        let joined = Input::Join(1, alloc::boxed::Box::default());
        replay.input(&joined, last);
        replay.input(&Input::Pong(1), last);
        replay.pass(last);
        assert_eq!(replay.list().len(), 2);
    }
}
