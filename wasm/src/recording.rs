//! A recording of a gateway's inputs, and its rows at any moment.

use alloc::string::{String, ToString};

use presence_core::PresenceEntry;
use presence_core::recording::{self, Bounds, Header};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::clock::integer;
use crate::error::{error, invalid};
use crate::options::{self, Options};

/// A recording that was read and replayed once. Moments are in ms after its start.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Recording {
    recording: recording::Recording,
}

/// What JavaScript reads of a whole recording.
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

/// What it reads of a moment.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    at_ms: u64,
    wall_ms: u64,
    rows: &'a [PresenceEntry],
    digest: &'a str,
    inputs: u64,
    missing: u64,
    max_entries: usize,
    problem: Option<&'a str>,
}

#[wasm_bindgen]
impl Recording {
    /// Reads and replays a recording.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` with the line, if its header is missing, of another version or not valid.
    #[wasm_bindgen(constructor)]
    pub fn new(text: String) -> Result<Self, JsValue> {
        let recording =
            recording::Recording::open(text).map_err(|why| error("INVALID_ARGUMENT", &why.to_string()))?;
        Ok(Self { recording })
    }

    /// `{header, startMs, durationMs, inputs, missing, problem}` as JSON.
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

    /// `{atMs, wallMs, rows, digest, inputs, missing, maxEntries, problem}` at that moment, as JSON. `bounds` is the
    /// JSON of `{ttlMs, maxEntries}`, both optional.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` names the bad bound.
    pub fn at(&mut self, after_ms: f64, bounds: &str) -> Result<String, JsValue> {
        let options = Options::new(options::parse(bounds, "options")?, "options")?;
        let bounds = Bounds {
            ttl_ms: options.optional_integer("ttlMs")?,
            max_entries: options.optional_integer("maxEntries")?.map(options::size),
        };
        if after_ms.is_nan() {
            return Err(invalid("atMs", "must be a number"));
        }
        let mut moment = self
            .recording
            .at(integer(after_ms), bounds)
            .map_err(options::out_of_bounds)?;
        let replay = &mut moment.replay;
        let now = replay.now();
        Ok(json(&Shown {
            at_ms: now.age_ms.saturating_sub(self.recording.header().at),
            wall_ms: now.wall_ms,
            rows: &replay.list(),
            digest: &replay.digest(),
            inputs: replay.inputs(),
            missing: replay.missing(),
            max_entries: moment.max_entries,
            problem: moment.problem.as_deref(),
        }))
    }
}

/// Strings, integers and lists of them always encode.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
