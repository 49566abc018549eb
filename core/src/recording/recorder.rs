//! Writes a recording.

use alloc::string::String;

use super::{
    DIGEST_INTERVAL_MS, Header, INPUTS_PER_CHECKPOINT, INPUTS_PER_CHECKPOINT_LINE, INPUTS_PER_DIGEST, Input,
    Line, Redactor, Replay, Step,
};
use crate::model::json::json_text;
use crate::model::time::Now;
use crate::server::HubConfig;

/// Turns inputs into lines. It replays the lines, so that digests are those of the redacted rows.
#[derive(Debug)]
pub struct Recorder {
    header: Header,
    replay: Replay,
    /// The inputs so far at the next digest, and the earliest moment of it.
    next_digest: (u64, u64),
    /// The inputs so far at the next checkpoint.
    next_checkpoint: u64,
}

impl Recorder {
    /// A recorder, and its first line.
    #[must_use]
    pub fn new(config: &HubConfig, redactor: &Redactor, now: Now) -> (Self, String) {
        let header = Header::new(config, redactor, now);
        let replay = Replay::new(&header);
        let text = line_of(&header);
        let recorder = Self {
            header,
            replay,
            next_digest: (INPUTS_PER_DIGEST, 0),
            next_checkpoint: INPUTS_PER_CHECKPOINT,
        };
        (recorder, text)
    }

    /// The lines of an input, each with its end.
    pub fn record(&mut self, input: Input, now: Now) -> String {
        self.replay.input(&input, now);
        let mut lines = line_of(&Line::new(now, Step::Input(input)));
        if self.replay.inputs() >= self.next_digest.0 && now.age_ms >= self.next_digest.1 {
            lines.push_str(&self.digest(now));
        }
        lines
    }

    /// The line with the digest of all inputs so far.
    pub fn digest(&mut self, now: Now) -> String {
        self.next_digest = (
            self.replay.inputs().saturating_add(INPUTS_PER_DIGEST),
            now.age_ms.saturating_add(DIGEST_INTERVAL_MS),
        );
        self.replay.pass(now);
        line_of(&Line::new(now, Step::Digest(self.replay.digest().into())))
    }

    /// The lines of a checkpoint, if it is time for one: a replay can begin with them.
    pub fn checkpoint_if_due(&mut self, now: Now) -> Option<String> {
        (self.replay.inputs() >= self.next_checkpoint).then(|| self.checkpoint(now))
    }

    fn checkpoint(&mut self, now: Now) -> String {
        let state = self.replay.checkpoint(now);
        let lines = u64::try_from(state.len()).unwrap_or(u64::MAX);
        let pause = INPUTS_PER_CHECKPOINT.max(lines.saturating_mul(INPUTS_PER_CHECKPOINT_LINE));
        self.next_checkpoint = self.replay.inputs().saturating_add(pause);
        state
            .into_iter()
            .map(|state| line_of(&Line::new(now, Step::State(state))))
            .collect()
    }

    /// The first lines of a recording that continues from here: another header, and a checkpoint.
    pub fn restart(&mut self, now: Now) -> String {
        let mut text = line_of(&self.header.at(now));
        text.push_str(&self.checkpoint(now));
        text
    }

    /// The line for inputs that were not recorded.
    #[must_use]
    pub fn gap(&mut self, inputs: u64, now: Now) -> String {
        let line = Line::new(now, Step::Gap(inputs));
        // Only digests and checkpoints can be wrong.
        let _ = self.replay.step(&line);
        line_of(&line)
    }
}

fn line_of(value: &impl serde::Serialize) -> String {
    let mut line = json_text(value);
    line.push('\n');
    line
}
