//! A recording of a gateway's inputs, and its rows at any time.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use presence_core::PresenceEntry;
use presence_core::recording::{self, Bounds, Header, Moment};
use serde::Serialize;
use serde_json::value::RawValue;
use wasm_bindgen::prelude::*;

use crate::clock::integer;
use crate::error::{error, invalid};
use crate::options::{self, Options};

/// A recording that was read and replayed once. Times are in ms after its start.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Recording {
    recording: recording::Recording,
}

/// Reads a recording in pieces, and replays it in pieces, so that a page stays responsive.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct RecordingReader {
    text: String,
    recording: Option<recording::Recording>,
}

#[wasm_bindgen]
impl RecordingReader {
    /// Returns a reader for a text of about this many bytes.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let mut text = String::new();
        // If this much memory is not available, the text grows with the pieces.
        let _ = text.try_reserve(bytes);
        Self {
            text,
            recording: None,
        }
    }

    /// Adds the next piece of the text.
    pub fn push(&mut self, piece: &str) {
        self.text.push_str(piece);
    }

    /// Replays at most this many further lines of the text, which must be complete. Returns the bytes that are left,
    /// 0 at the end.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` with the line, if the header is missing, of another version or not valid.
    pub fn advance(&mut self, most_lines: usize) -> Result<usize, JsValue> {
        if self.recording.is_none() {
            let text = core::mem::take(&mut self.text);
            self.recording = Some(recording::Recording::begin(text).map_err(|why| refused(&why))?);
        }
        let recording = self.recording.as_mut();
        Ok(recording.map_or(0, |recording| recording.advance(most_lines)))
    }

    /// Returns the recording, up to the last replayed line.
    #[must_use]
    pub fn finish(self) -> Option<Recording> {
        let recording = self.recording?;
        Some(Recording { recording })
    }
}

fn refused(why: &recording::ReadError) -> JsValue {
    error("INVALID_ARGUMENT", &why.to_string())
}

/// The summary of a recording, for JavaScript.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    header: &'a Header,
    start_ms: u64,
    duration_ms: u64,
    inputs: u64,
    missing: u64,
    problem: Option<&'a str>,
}

/// The roster at one time, for JavaScript.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    at_ms: u64,
    wall_ms: u64,
    rows: &'a [PresenceEntry],
    keys: Vec<Box<str>>,
    digest: &'a str,
    inputs: u64,
    missing: u64,
    max_entries: usize,
    problem: Option<&'a str>,
    /// The answer to `presence.explain`.
    answer: Option<Box<RawValue>>,
}

/// A change of a row, for JavaScript.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownChange<'a> {
    at_ms: u64,
    key: &'a str,
    what: &'a str,
    text: &'a str,
}

#[wasm_bindgen]
impl Recording {
    /// Reads and replays a recording.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` with the line, if its header is missing, of another version or not valid.
    #[wasm_bindgen(constructor)]
    pub fn new(text: String) -> Result<Self, JsValue> {
        let recording = recording::Recording::open(text).map_err(|why| refused(&why))?;
        Ok(Self { recording })
    }

    /// Returns `{header, startMs, durationMs, inputs, missing, problem}` as JSON.
    #[must_use]
    pub fn summary(&self) -> String {
        let recording = &self.recording;
        let header = recording.header();
        json(&Summary {
            header,
            start_ms: header.wall,
            duration_ms: recording.end().age_ms.saturating_sub(header.at),
            inputs: recording.inputs(),
            missing: recording.missing(),
            problem: recording.problem(),
        })
    }

    /// Returns `{atMs, wallMs, rows, keys, digest, inputs, missing, maxEntries, problem, answer}` at that time, as
    /// JSON; `answer` is that of `presence.explain`. `bounds` is the JSON of `{ttlMs, maxEntries}`, both optional.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` names the bad bound or time.
    pub fn at(&mut self, after_ms: f64, bounds: &str) -> Result<String, JsValue> {
        let mut moment = self.reach(after_ms, bounds)?;
        let replay = &mut moment.replay;
        let now = replay.now();
        let keys = replay.entries().into_iter().map(|(key, _)| key).collect();
        Ok(json(&Shown {
            at_ms: now.age_ms.saturating_sub(self.recording.header().at),
            wall_ms: now.wall_ms,
            rows: &replay.list(),
            keys,
            digest: &replay.digest(),
            inputs: replay.inputs(),
            missing: replay.missing(),
            max_entries: moment.max_entries,
            problem: moment.problem.as_deref(),
            answer: RawValue::from_string(replay.explain()).ok(),
        }))
    }

    /// Returns the answer to `presence.explain` for the row with this key at this time, as JSON; `undefined` if absent.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` names the bad bound or time.
    pub fn explain(&mut self, key: &str, after_ms: f64, bounds: &str) -> Result<Option<String>, JsValue> {
        Ok(self.reach(after_ms, bounds)?.replay.explain_row(key))
    }

    /// Returns the changes of rows between two times, oldest first, as JSON: `[{atMs, key, what, text}]`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` names the bad bound or time.
    pub fn changes(&mut self, from_ms: f64, until_ms: f64, bounds: &str) -> Result<String, JsValue> {
        let bounds = read_bounds(bounds)?;
        let (changes, _) = self
            .recording
            .changes(moment_ms(from_ms)?, moment_ms(until_ms)?, bounds)
            .map_err(options::out_of_bounds)?;
        let start_ms = self.recording.header().at;
        let shown = changes.iter().map(|change| ShownChange {
            at_ms: change.now.age_ms.saturating_sub(start_ms),
            key: &change.key,
            what: change.what,
            text: &change.text,
        });
        Ok(json(&shown.collect::<Vec<_>>()))
    }
}

impl Recording {
    fn reach(&mut self, after_ms: f64, bounds: &str) -> Result<Moment, JsValue> {
        let bounds = read_bounds(bounds)?;
        self.recording
            .at(moment_ms(after_ms)?, bounds)
            .map_err(options::out_of_bounds)
    }
}

fn moment_ms(number: f64) -> Result<u64, JsValue> {
    if number.is_nan() {
        Err(invalid("ms", "must be a number"))
    } else {
        Ok(integer(number))
    }
}

fn read_bounds(json: &str) -> Result<Bounds, JsValue> {
    let options = Options::new(options::parse(json, "options")?, "options")?;
    Ok(Bounds {
        ttl_ms: options.optional_integer("ttlMs")?,
        max_entries: options.optional_integer("maxEntries")?.map(options::size),
    })
}

/// Encodes a value as JSON, which cannot fail for strings, integers and lists of them.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
