//! Fast access to any moment of a recording.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::{Change, Header, Place, ReadError, Reader, Replay};
use crate::model::setting::InvalidSetting;
use crate::model::time::Now;

/// Most copies of the replay that a [`Recording`] keeps, for each of two sets of bounds.
pub const MAX_COPIES: usize = 64;
/// Initial number of lines between two copies; doubles each time there are too many copies.
const LINES_PER_COPY: usize = 512;

/// Bounds that replace those of the recording ("what if").
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
    /// The replay under the last requested bounds.
    other: Option<Track>,
    end: Standing,
    is_complete: bool,
    problem: Option<Box<str>>,
}

/// The replay at a moment.
#[derive(Debug)]
pub struct Moment {
    /// The replay up to this moment.
    pub replay: Replay,
    /// Most rows there.
    pub max_entries: usize,
    /// Why the replay ends before this moment; `replay` is then its last state.
    pub problem: Option<Box<str>>,
}

impl Recording {
    /// Reads and replays all of it. An error after the header becomes its [`problem`](Self::problem).
    ///
    /// # Errors
    /// [`ReadError`] if the header is missing, of another version or not valid.
    pub fn open(text: impl Into<Box<str>>) -> Result<Self, ReadError> {
        let mut recording = Self::begin(text)?;
        recording.advance(usize::MAX);
        Ok(recording)
    }

    /// Reads the header. [`advance`](Self::advance) replays the lines, and makes the moments up to there available.
    ///
    /// # Errors
    /// [`ReadError`] if the header is missing, of another version or not valid.
    pub fn begin(text: impl Into<Box<str>>) -> Result<Self, ReadError> {
        let text = text.into();
        let reader = Reader::new(&text)?;
        let (header, place) = (reader.header().clone(), reader.place());
        Ok(Self {
            end: (place, Replay::new(&header)),
            recorded: Track::new(header, place, true),
            text,
            other: None,
            is_complete: false,
            problem: None,
        })
    }

    /// Replays at most this many further lines. Returns the bytes that are left: 0 at the end, and after a
    /// [`problem`](Self::problem).
    pub fn advance(&mut self, most_lines: usize) -> usize {
        if !self.is_complete {
            let stop = self
                .recorded
                .run(&self.text, &mut self.end, (u64::MAX, most_lines), true);
            self.is_complete = stop != Stop::Lines;
            self.problem = stop.problem();
        }
        if self.is_complete {
            0
        } else {
            self.end.0.bytes_left()
        }
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.recorded.header
    }

    /// The moment of the last line that was replayed.
    #[must_use]
    pub fn end(&self) -> Now {
        self.end.1.now()
    }

    /// Inputs, those before a checkpoint at the start included.
    #[must_use]
    pub fn inputs(&self) -> u64 {
        self.end.1.inputs()
    }

    /// Inputs that were not recorded.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.end.1.missing()
    }

    /// The error and its line; the lines before it were replayed.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// The replay this many ms after the start, at most at the end. Digests on the way are compared, except under other
    /// bounds; a replay under the last requested bounds is kept.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the bound that is out of range.
    pub fn at(&mut self, after_ms: u64, bounds: Bounds) -> Result<Moment, InvalidSetting> {
        let until_ms = self.age_at(after_ms);
        let (track, text) = self.track(bounds)?;
        let ((_, mut replay), problem) = track.reach(text, until_ms);
        pass_until(&mut replay, until_ms, problem.as_deref());
        Ok(Moment {
            replay,
            max_entries: track.header.max_entries,
            problem,
        })
    }

    /// The changes of rows after one moment and until another, oldest first, and the number of older changes that are
    /// left out: at most [`MAX_CHANGES`](super::MAX_CHANGES) are kept.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the bound that is out of range.
    pub fn changes(
        &mut self,
        from_ms: u64,
        until_ms: u64,
        bounds: Bounds,
    ) -> Result<(Vec<Change>, u64), InvalidSetting> {
        let (from_ms, until_ms) = (self.age_at(from_ms), self.age_at(until_ms));
        let (track, text) = self.track(bounds)?;
        let (mut standing, problem) = track.reach(text, from_ms);
        pass_until(&mut standing.1, from_ms, problem.as_deref());
        standing.1.note_changes();
        let stop = track.run(text, &mut standing, (until_ms, usize::MAX), false);
        let (_, mut replay) = standing;
        pass_until(&mut replay, until_ms, stop.problem().as_deref());
        Ok(replay.take_changes())
    }

    /// The age clock this many ms after the start, at most at the end.
    fn age_at(&self, after_ms: u64) -> u64 {
        let end_ms = self.end().age_ms;
        self.header().at.saturating_add(after_ms).min(end_ms)
    }

    fn track(&mut self, bounds: Bounds) -> Result<(&mut Track, &str), InvalidSetting> {
        let header = bounds.applied(self.header());
        if header == self.recorded.header {
            return Ok((&mut self.recorded, &self.text));
        }
        header.config().validate()?;
        let begin = self.recorded.begin();
        let other = self.other.take().filter(|track| track.header == header);
        let track = other.unwrap_or_else(|| Track::new(header, begin, false));
        Ok((self.other.insert(track), &self.text))
    }
}

/// Advances the time up to a moment, unless the replay ended before it.
fn pass_until(replay: &mut Replay, until_ms: u64, problem: Option<&str>) {
    let now = replay.now();
    if problem.is_none() {
        replay.pass(now.after(until_ms.saturating_sub(now.age_ms)));
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

/// A replay with its place in the text.
type Standing = (Place, Replay);

/// Why a replay stops.
#[derive(Debug, PartialEq, Eq)]
enum Stop {
    /// The requested number of lines was replayed.
    Lines,
    /// The next line is later, or the last line was replayed.
    Moment,
    /// An error, with its line.
    Problem(Box<str>),
}

impl Stop {
    fn problem(self) -> Option<Box<str>> {
        match self {
            Self::Problem(problem) => Some(problem),
            Self::Lines | Self::Moment => None,
        }
    }
}

/// A replay under certain bounds, with copies of it.
#[derive(Debug)]
struct Track {
    header: Header,
    /// By ascending place; the first is the start.
    copies: Vec<Standing>,
    lines_per_copy: usize,
    /// Whether digests must equal those of the recording.
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
    fn reach(&mut self, text: &str, until_ms: u64) -> (Standing, Option<Box<str>>) {
        let after = self.copies.partition_point(|(place, _)| place.at() <= until_ms);
        let mut standing = self.copies[after.saturating_sub(1)].clone();
        let stop = self.run(text, &mut standing, (until_ms, usize::MAX), true);
        (standing, stop.problem())
    }

    /// Replays the lines up to a moment on the age clock, at most this many; `keeps` states whether copies are kept.
    fn run(
        &mut self,
        text: &str,
        (place, replay): &mut Standing,
        (until_ms, most_lines): (u64, usize),
        keeps: bool,
    ) -> Stop {
        let mut reader = Reader::resume(text, self.header.clone(), *place);
        for _ in 0..most_lines {
            *place = reader.place();
            if keeps {
                self.keep(*place, replay);
            }
            let problem = match reader.next() {
                Some(Ok(line)) if line.at <= until_ms => match replay.step(&line) {
                    Err(error) if error.is_difference() && !self.is_recorded => continue,
                    Err(error) => alloc::format!("line {}: {error}", reader.line()),
                    Ok(()) => continue,
                },
                Some(Err(error)) => error.to_string(),
                Some(Ok(_)) | None => return Stop::Moment,
            };
            return Stop::Problem(problem.into());
        }
        *place = reader.place();
        Stop::Lines
    }

    /// Stores a copy if the last one is far enough behind.
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
