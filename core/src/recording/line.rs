//! The lines of a recording.

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{FORMAT, Input, Redactor, State, VECTORS};
use crate::model::PresenceEntry;
use crate::model::time::Now;
use crate::server::HubConfig;
use crate::wire::Limits;

/// The prefix of every [`Header`]'s text.
pub const HEADER_START: &str = r#"{"format":"#;

/// The first line: the configuration of the hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of the program that recorded.
    pub version: Box<str>,
    /// [`VECTORS`] of that program.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub vectors: Box<str>,
    /// The moment of the start on the age clock, in ms.
    pub at: u64,
    /// The moment of the start on the wall clock, in ms since the Unix epoch.
    pub wall: u64,
    /// How long a row lives after its last proof of life, in ms.
    pub ttl_ms: u64,
    /// Most rows.
    pub max_entries: usize,
    /// The longest ping interval, in ms.
    pub ping_interval_ms: u64,
    /// Modes whose connections make no row.
    pub ephemeral_modes: Vec<Box<str>>,
    /// The gateway's own row.
    pub own: PresenceEntry,
}

impl Header {
    /// The header for a hub of this configuration that starts `now`.
    #[must_use]
    pub fn new(config: &HubConfig, redactor: &Redactor, now: Now) -> Self {
        let mut own = config.self_entry.clone();
        for member in [&mut own.host, &mut own.instance_id, &mut own.device_id] {
            *member = member.as_deref().map(|text| redactor.name(text));
        }
        own.ip = own.ip.as_deref().map(|ip| redactor.ip(ip));
        own.text = own.text.as_deref().map(|text| redactor.beacon_text(text));
        for member in [
            &mut own.version,
            &mut own.platform,
            &mut own.device_family,
            &mut own.model_identifier,
            &mut own.mode,
        ] {
            *member = member.as_deref().map(|text| redactor.word(text));
        }
        Self {
            format: FORMAT,
            version: config.server_version.clone(),
            vectors: VECTORS.into(),
            at: now.age_ms,
            wall: now.wall_ms,
            ttl_ms: config.ttl_ms,
            max_entries: config.max_entries,
            ping_interval_ms: config.limits.ping_interval_ms,
            ephemeral_modes: redactor.words(&config.ephemeral_modes),
            own,
        }
    }

    /// Whether the program that recorded had other rules, so that its rows may differ from those of a replay.
    #[must_use]
    pub fn has_other_rules(&self) -> bool {
        *self.vectors != *VECTORS
    }

    /// The configuration to replay with.
    #[must_use]
    pub fn config(&self) -> HubConfig {
        HubConfig {
            limits: Limits {
                ping_interval_ms: self.ping_interval_ms,
                ..Limits::default()
            },
            ttl_ms: self.ttl_ms,
            max_entries: self.max_entries,
            ephemeral_modes: self.ephemeral_modes.clone(),
            hash_seed: 0,
            server_version: self.version.clone(),
            boot_id: "replay".into(),
            self_entry: self.own.clone(),
            auth_mode: "none",
        }
    }

    /// Returns the header of a recording that begins at another moment.
    #[must_use]
    pub(super) fn at(&self, now: Now) -> Self {
        Self {
            at: now.age_ms,
            wall: now.wall_ms,
            ..self.clone()
        }
    }

    /// The moment of the start.
    #[must_use]
    pub fn now(&self) -> Now {
        Now {
            age_ms: self.at,
            wall_ms: self.wall,
        }
    }
}

/// A line after the header.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Members")]
pub struct Line {
    /// The moment on the age clock, in ms.
    pub at: u64,
    /// The moment on the wall clock, in ms since the Unix epoch.
    pub wall: u64,
    /// The step.
    pub step: Step,
}

/// The members of a line: the moment, and exactly one of the optional ones. `serde(flatten)` cannot keep JSON text, and
/// takes twice the time.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    at: u64,
    wall: u64,
    input: Option<Input>,
    digest: Option<Box<str>>,
    state: Option<State>,
    expect: Option<Expected>,
    gap: Option<u64>,
}

impl TryFrom<Members> for Line {
    type Error = &'static str;

    fn try_from(members: Members) -> Result<Self, Self::Error> {
        let steps = [
            members.input.map(Step::Input),
            members.digest.map(Step::Digest),
            members.state.map(Step::State),
            members.expect.map(Step::Expect),
            members.gap.map(Step::Gap),
        ];
        let mut steps = steps.into_iter().flatten();
        match (steps.next(), steps.next()) {
            (Some(step), None) => Ok(Self {
                at: members.at,
                wall: members.wall,
                step,
            }),
            _ => Err("expected exactly one of input, digest, state, expect and gap"),
        }
    }
}

impl Serialize for Line {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;

        let mut line = serializer.serialize_struct("Line", 3)?;
        line.serialize_field("at", &self.at)?;
        line.serialize_field("wall", &self.wall)?;
        match &self.step {
            Step::Input(input) => line.serialize_field("input", input)?,
            Step::Digest(digest) => line.serialize_field("digest", digest)?,
            Step::State(state) => line.serialize_field("state", state)?,
            Step::Expect(finding) => line.serialize_field("expect", finding)?,
            Step::Gap(inputs) => line.serialize_field("gap", inputs)?,
        }
        line.end()
    }
}

/// A finding that a recording states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// Its code.
    pub finding: Box<str>,
    /// The keys of its rows.
    pub rows: Vec<Box<str>>,
    /// Its evidence, for people; the wording may differ between versions.
    pub evidence: Vec<Box<str>>,
}

impl Expected {
    /// Whether both state the same finding.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        (&self.finding, &self.rows) == (&other.finding, &other.rows)
    }
}

/// The contents of a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// An input.
    Input(Input),
    /// The digest of the gateway's own rows after all inputs before it.
    Digest(Box<str>),
    /// A part of a checkpoint: the state of the replay, for replays that begin here.
    State(State),
    /// A finding that results from the inputs before it at this moment.
    Expect(Expected),
    /// This many inputs were not recorded: the replay is inexact from here on.
    Gap(u64),
}

impl Line {
    /// A line of this moment.
    #[must_use]
    pub fn new(now: Now, step: Step) -> Self {
        Self {
            at: now.age_ms,
            wall: now.wall_ms,
            step,
        }
    }

    /// The moment.
    #[must_use]
    pub fn now(&self) -> Now {
        Now {
            age_ms: self.at,
            wall_ms: self.wall,
        }
    }
}
