//! Any moment of a recording, quickly.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::{Header, Place, ReadError, Reader, Replay, StepError};
use crate::model::setting::InvalidSetting;
use crate::model::time::Now;

/// Most copies of the replay that a [`Recording`] keeps, for each of two sets of bounds.
pub const MAX_COPIES: usize = 64;
/// Lines between two copies at first; with each time that they are too many, twice as many.
const LINES_PER_COPY: usize = 512;

/// Other bounds than those of the recording, for questions of the form "what if".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// How long a row lives after its last proof of life, in ms.
    pub ttl_ms: Option<u64>,
    /// Most rows.
    pub max_entries: Option<usize>,
}

/// A recording that was read and replayed once, so that each of its moments is reached from a copy of the replay
/// shortly before it. At most [`MAX_COPIES`] are kept.
#[derive(Debug)]
pub struct Recording {
    text: Box<str>,
    recorded: Track,
    /// The replay under the bounds that were asked for last.
    other: Option<Track>,
    end: Replay,
    problem: Option<Box<str>>,
}

/// The replay at a moment.
#[derive(Debug)]
pub struct Moment {
    /// The hub as it was.
    pub replay: Replay,
    /// Most rows there.
    pub max_entries: usize,
    /// Why the replay ends before this moment; it stands where it ends.
    pub problem: Option<Box<str>>,
}

impl Recording {
    /// Reads and replays all of it. What is wrong after the header is its [`problem`](Self::problem).
    ///
    /// # Errors
    /// [`ReadError`] if the header is missing, of another version or not valid.
    pub fn open(text: impl Into<Box<str>>) -> Result<Self, ReadError> {
        let text = text.into();
        let reader = Reader::new(&text)?;
        let mut recorded = Track::new(reader.header().clone(), reader.place(), true);
        let (end, problem) = recorded.reach(&text, u64::MAX);
        Ok(Self {
            text,
            recorded,
            other: None,
            end,
            problem,
        })
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.recorded.header
    }

    /// The moment of the last line that can be replayed.
    #[must_use]
    pub fn end(&self) -> Now {
        self.end.now()
    }

    /// Inputs, those before a checkpoint at the start included.
    #[must_use]
    pub fn inputs(&self) -> u64 {
        self.end.inputs()
    }

    /// Inputs that were not recorded.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.end.missing()
    }

    /// What is wrong, and in which line: it was replayed up to there.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// The replay so many ms after the start, at most at the end. Digests on the way are compared, except under other
    /// bounds, of which the last that were asked for are remembered.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the bound that no gateway can have.
    pub fn at(&mut self, after_ms: u64, bounds: Bounds) -> Result<Moment, InvalidSetting> {
        let header = bounds.applied(self.header());
        let until_ms = header.at.saturating_add(after_ms).min(self.end.now().age_ms);
        let track = if header == self.recorded.header {
            &mut self.recorded
        } else {
            header.config().validate()?;
            let begin = self.recorded.begin();
            match &mut self.other {
                Some(track) if track.header == header => track,
                other => other.insert(Track::new(header, begin, false)),
            }
        };
        let (mut replay, problem) = track.reach(&self.text, until_ms);
        let now = replay.now();
        if problem.is_none() {
            replay.pass(now.after(until_ms.saturating_sub(now.age_ms)));
        }
        Ok(Moment {
            replay,
            max_entries: track.header.max_entries,
            problem,
        })
    }
}

impl Bounds {
    fn applied(self, header: &Header) -> Header {
        Header {
            ttl_ms: self.ttl_ms.unwrap_or(header.ttl_ms),
            max_entries: self.max_entries.unwrap_or(header.max_entries),
            ..header.clone()
        }
    }
}

/// A replay under certain bounds, with copies of it.
#[derive(Debug)]
struct Track {
    header: Header,
    /// By ascending place; the first is the start.
    copies: Vec<(Place, Replay)>,
    lines_per_copy: usize,
    /// Whether digests have to be those of the recording.
    is_recorded: bool,
}

impl Track {
    fn new(header: Header, begin: Place, is_recorded: bool) -> Self {
        Self {
            copies: Vec::from([(begin, Replay::new(&header))]),
            header,
            lines_per_copy: LINES_PER_COPY,
            is_recorded,
        }
    }

    fn begin(&self) -> Place {
        self.copies[0].0
    }

    /// The replay after all lines up to this moment on the age clock, and why it ends before.
    fn reach(&mut self, text: &str, until_ms: u64) -> (Replay, Option<Box<str>>) {
        let after = self.copies.partition_point(|(place, _)| place.at() <= until_ms);
        let (place, mut replay) = self.copies[after.saturating_sub(1)].clone();
        let mut reader = Reader::resume(text, self.header.clone(), place);
        loop {
            let place = reader.place();
            self.keep(place, &replay);
            let problem = match reader.next() {
                Some(Ok(line)) if line.at <= until_ms => match replay.step(&line) {
                    Err(StepError::Digest | StepError::Finding) if !self.is_recorded => continue,
                    Err(error) => alloc::format!("line {}: {error}", reader.line()),
                    Ok(()) => continue,
                },
                Some(Err(error)) => error.to_string(),
                Some(Ok(_)) | None => return (replay, None),
            };
            return (replay, Some(problem.into()));
        }
    }

    /// Keeps a copy where there is none for long enough.
    fn keep(&mut self, place: Place, replay: &Replay) {
        let last = self.copies.last().map_or(0, |(place, _)| place.line());
        if place.line() < last.saturating_add(self.lines_per_copy) {
            return;
        }
        if self.copies.len() >= MAX_COPIES {
            let mut at = 0;
            self.copies.retain(|_| {
                at += 1;
                at % 2 == 1
            });
            self.lines_per_copy = self.lines_per_copy.saturating_mul(2);
            return self.keep(place, replay);
        }
        self.copies.push((place, replay.clone()));
    }
}

#[cfg(test)]
mod tests;
