//! One client: its outstanding answers, and its mirror of the list.

use std::collections::{BTreeMap, VecDeque};

use presence_core::client::mirror::DeltaOutcome;
use presence_core::client::{Mirror, MirrorConfig};
use presence_core::wire::presence::Presence;
use presence_core::wire::{FrameError, Request};
use serde_json::Value;

use super::op::Challenge;
use super::twin::Expected;

/// Above the size of any answer with six rows.
const MAX_FRAME_BYTES: usize = 256 * 1024;

/// The client's end of a connection.
#[derive(Debug)]
pub(super) struct Follower {
    pub(super) name: String,
    /// Whether either end has closed it.
    pub(super) is_over: bool,
    pub(super) has_heard_close: bool,
    pub(super) challenge: Challenge,
    mirror: Mirror,
    /// Whether it may read the list, by its hello.
    is_reader: bool,
    /// Whether it has requested a whole list, or needs one.
    is_behind: bool,
    /// Answers that must come, by id.
    awaited: BTreeMap<String, u32>,
    /// What the model expects of them, by id.
    expected: BTreeMap<String, VecDeque<Expected>>,
    is_in: bool,
    last_seq: u64,
    frames: u64,
}

impl Follower {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            is_over: false,
            has_heard_close: false,
            challenge: Challenge::default(),
            mirror: Mirror::new(MirrorConfig::default()),
            is_reader: false,
            is_behind: false,
            awaited: BTreeMap::new(),
            expected: BTreeMap::new(),
            is_in: false,
            last_seq: 0,
            frames: 0,
        }
    }

    /// Notes a frame that it sends.
    pub(super) fn sends(&mut self, text: &str) {
        let id: Option<String> = match Request::parse(text) {
            Ok(request) => Some(request.id.into()),
            Err(FrameError::Invalid { id, .. }) => Some(id.as_deref().unwrap_or("invalid").into()),
            Err(_) => None,
        };
        if let Some(id) = id {
            *self.awaited.entry(id).or_default() += 1;
        }
    }

    /// The model knows the answer to the newest request with this id. Of several open ones it is not known which.
    pub(super) fn expects(&mut self, id: &str, expected: Expected) {
        if self.awaited.get(id) == Some(&1) {
            self.expected.entry(id.into()).or_default().push_back(expected);
        }
    }

    /// Handles a frame that arrives.
    pub(super) fn apply(&mut self, text: &str) {
        assert!(!self.has_heard_close, "a frame after the close: {text}");
        assert!(text.len() <= MAX_FRAME_BYTES, "{} bytes", text.len());
        let frame: Value = serde_json::from_str(text).expect("frames are JSON");
        self.frames += 1;
        match frame["type"].as_str() {
            Some("res") => self.is_answered(&frame),
            Some("event") => self.apply_event(&frame, text),
            other => panic!("a frame of type {other:?}"),
        }
    }

    fn is_answered(&mut self, frame: &Value) {
        let id = frame["id"].as_str().expect("answers have an id");
        let awaited = self.awaited.get_mut(id).filter(|awaited| **awaited > 0);
        *awaited.expect("unknown request, or a second answer") -= 1;
        assert_eq!(frame["ok"] == true, frame["error"].is_null(), "{frame}");
        if let Some(expected) = self.expected.get_mut(id).and_then(VecDeque::pop_front) {
            check(frame, expected);
        }
        let payload = &frame["payload"];
        if payload["type"] == "hello-ok" {
            assert!(!self.is_in, "two hellos");
            self.is_in = true;
            self.is_reader =
                payload["snapshot"]["presence"].is_array() && has_read(&payload["auth"]["scopes"]);
        }
        let has_list = payload["type"] == "hello-ok" || payload["keys"].is_array();
        if self.is_reader && has_list {
            self.takes_in(&frame.to_string());
        }
    }

    fn apply_event(&mut self, frame: &Value, text: &str) {
        let event = frame["event"].as_str().expect("events have a name");
        if !self.is_in {
            assert!(event == "connect.challenge" && self.frames == 1, "{frame}");
            self.challenge = Challenge::of(frame);
            return;
        }
        if let Some(seq) = frame["seq"].as_u64() {
            assert!(seq > self.last_seq, "{frame}");
            self.last_seq = seq;
        }
        if event.starts_with("presence") {
            assert!(self.is_reader, "a list for one who may not read: {frame}");
            self.takes_in(text);
        }
    }

    fn takes_in(&mut self, text: &str) {
        match Presence::find(text).expect("a list") {
            Presence::List(rows) => {
                self.mirror.apply_list(rows, 0);
                self.is_behind = false;
            }
            Presence::Snapshot(snapshot) => {
                self.mirror.apply_snapshot(snapshot, 0);
                self.is_behind = false;
            }
            Presence::Delta(delta) => {
                let delta = delta.expect("a delta");
                let outcome = self.mirror.apply_delta(delta, 0);
                assert_ne!(outcome, DeltaOutcome::Gap, "no frame was lost: {text}");
            }
        }
    }

    /// Handles the close.
    pub(super) fn is_closed(&mut self, code: u16) {
        assert!(!self.has_heard_close, "two closes");
        assert!(matches!(code, 1000..=1002 | 1007..=1013), "{code}");
        self.has_heard_close = true;
        self.is_over = true;
    }

    /// Checks, once no frames are left, that all answers came and that its mirror has the gateway's rows, which are
    /// [`sorted`].
    pub(super) fn compare(&self, rows: &[String], but: &[&str]) {
        let open: Vec<_> = self.awaited.iter().filter(|(_, awaited)| **awaited > 0).collect();
        assert!(open.is_empty() || !self.is_in, "no answer to {open:?}");
        if self.is_reader && self.is_in {
            let own = self.mirror.raw_list().map(|row| row.as_str());
            let own: Vec<Value> = own.map(|row| serde_json::from_str(row).expect("a row")).collect();
            assert_eq!(sorted(&own, but), rows);
        }
    }
}

/// The answer is the one that the model gives.
fn check(frame: &Value, expected: Expected) {
    match expected {
        Expected::Accepted(is_accepted) => assert_eq!(frame["ok"], is_accepted, "{frame}"),
        Expected::Report(is_handled, reason) => {
            let payload = &frame["payload"];
            assert_eq!(payload["handled"], is_handled, "{frame}: {reason:?}");
            assert!(
                reason.is_none_or(|reason| payload["reason"] == reason),
                "{frame}: {reason:?}"
            );
        }
    }
}

fn has_read(scopes: &Value) -> bool {
    let scopes = scopes.as_array().into_iter().flatten().filter_map(Value::as_str);
    scopes
        .into_iter()
        .any(|scope| ["operator.read", "operator.write", "operator.admin"].contains(&scope))
}

/// The texts of rows without the members `but`, sorted.
pub(super) fn sorted(rows: &[Value], but: &[&str]) -> Vec<String> {
    let text = |row: &Value| {
        let mut row = row.clone();
        if let Some(members) = row.as_object_mut() {
            members.retain(|name, _| !but.contains(&name.as_str()));
        }
        row.to_string()
    };
    let mut rows: Vec<String> = rows.iter().map(text).collect();
    rows.sort();
    rows
}
