//! Writes a recording.

use alloc::string::String;

use super::{Header, INPUTS_PER_DIGEST, Input, Line, Redactor, Replay, Step};
use crate::model::json::json_text;
use crate::model::time::Now;
use crate::server::HubConfig;

/// Turns inputs into lines. It replays what it writes, so that digests are of the redacted rows.
#[derive(Debug)]
pub struct Recorder {
    replay: Replay,
}

impl Recorder {
    /// A recorder, and its first line.
    #[must_use]
    pub fn new(config: &HubConfig, redactor: &Redactor, now: Now) -> (Self, String) {
        let header = Header::new(config, redactor, now);
        let replay = Replay::new(&header);
        (Self { replay }, line_of(&header))
    }

    /// The lines of an input, each with its end.
    pub fn record(&mut self, input: Input, now: Now) -> String {
        self.replay.input(&input, now);
        let mut lines = line_of(&Line::new(now, Step::Input(input)));
        if self.replay.inputs().is_multiple_of(INPUTS_PER_DIGEST) {
            lines.push_str(&self.digest(now));
        }
        lines
    }

    /// The line with the digest of all inputs so far.
    pub fn digest(&mut self, now: Now) -> String {
        self.replay.pass(now);
        line_of(&Line::new(now, Step::Digest(self.replay.digest().into())))
    }

    /// The line for inputs that were not recorded.
    #[must_use]
    pub fn gap(&mut self, inputs: u64, now: Now) -> String {
        let line = Line::new(now, Step::Gap(inputs));
        self.replay.step(&line);
        line_of(&line)
    }
}

fn line_of(value: &impl serde::Serialize) -> String {
    let mut line = json_text(value);
    line.push('\n');
    line
}
