//! A hub that replays a recording.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::changes::{Change, Watch};
use super::input::cause_of;
use super::state::{self, Loading};
use super::{Header, Input, Line, State, Step, StepError};
use crate::model::PresenceEntry;
use crate::model::time::Now;
use crate::server::{ConnId, Hub, HubConfig, Introduction, Refused};
use crate::wire::Request;

/// A hub in virtual time.
#[derive(Clone, Debug)]
pub struct Replay {
    pub(super) hub: Hub,
    config: HubConfig,
    /// Whether the program that recorded had other rules.
    has_other_rules: bool,
    begin: Begin,
    pub(super) now: Now,
    conns: BTreeMap<u64, ConnId>,
    inputs: u64,
    /// Inputs that were not recorded.
    missing: u64,
    watch: Option<Box<Watch>>,
}

/// Whether a checkpoint is loaded: only at the start of a replay.
#[derive(Clone, Debug)]
enum Begin {
    Fresh,
    Loading(Box<Loading>),
    Over,
}

impl Replay {
    /// The hub at the start of the recording.
    #[must_use]
    pub fn new(header: &Header) -> Self {
        Self {
            has_other_rules: header.has_other_rules(),
            ..Self::with_config(header.config(), header.now())
        }
    }

    /// Creates a hub with other bounds than those of the recording ("what if").
    #[must_use]
    pub fn with_config(config: HubConfig, now: Now) -> Self {
        let mut hub = Hub::new(config.clone(), now);
        hub.remove_readers();
        Self {
            hub,
            config,
            has_other_rules: false,
            begin: Begin::Fresh,
            now,
            conns: BTreeMap::new(),
            inputs: 0,
            missing: 0,
            watch: None,
        }
    }

    /// Handles the next line. A checkpoint is loaded only at the start of a replay; later ones are ignored.
    ///
    /// # Errors
    /// [`StepError`] if the rows are not those of the recording, the input cannot have happened, or the replay cannot
    /// begin with this checkpoint.
    pub fn step(&mut self, line: &Line) -> Result<(), StepError> {
        if let Step::State(state) = &line.step {
            return self.load(state, line.now());
        }
        if let Begin::Loading(_) = core::mem::replace(&mut self.begin, Begin::Over) {
            return Err(StepError::Count("lines"));
        }
        match &line.step {
            Step::Input(Input::Join(serial, _)) if self.conns.contains_key(serial) => {
                return Err(StepError::JoinedTwice(*serial));
            }
            Step::Input(input) => self.input(input, line.now()),
            Step::Gap(inputs) => self.missing = self.missing.saturating_add(*inputs),
            Step::Digest(digest) => {
                self.pass(line.now());
                if self.missing == 0 && *self.digest() != **digest {
                    return Err(if self.has_other_rules {
                        StepError::Rules
                    } else {
                        StepError::Digest
                    });
                }
            }
            Step::Expect(expected) => {
                self.pass(line.now());
                if !self.found().iter().any(|found| found.agrees(expected)) {
                    return Err(StepError::Finding);
                }
            }
            Step::State(_) => {}
        }
        Ok(())
    }

    fn load(&mut self, state: &State, now: Now) -> Result<(), StepError> {
        let loading = match core::mem::replace(&mut self.begin, Begin::Over) {
            Begin::Over => return Ok(()),
            Begin::Fresh => Box::new(Loading::begin(state).map_err(StepError::State)?),
            Begin::Loading(mut loading) => {
                loading.take(state)?;
                loading
            }
        };
        if !loading.is_complete() {
            self.begin = Begin::Loading(loading);
            return Ok(());
        }
        let restored = loading
            .restored(self.config.clone(), now)
            .map_err(StepError::State)?;
        self.hub = restored.hub;
        self.conns = restored.conns;
        self.inputs = restored.inputs;
        self.missing = restored.missing;
        self.now = now;
        self.drain();
        if self.watch.is_some() {
            // The rows of the checkpoint do not count as changes.
            self.note_changes();
        }
        Ok(())
    }

    /// Notes changes from now on.
    pub fn note_changes(&mut self) {
        self.watch = Some(Box::new(Watch::new(&mut self.hub, self.now)));
    }

    /// Takes the changes, oldest first, and the number of older ones that were dropped: at most
    /// [`MAX_CHANGES`](super::MAX_CHANGES) are kept.
    pub fn take_changes(&mut self) -> (Vec<Change>, u64) {
        self.watch.as_mut().map(|watch| watch.take()).unwrap_or_default()
    }

    fn look(&mut self, input: Option<&Input>, conn: Option<ConnId>) {
        if let Some(watch) = &mut self.watch {
            watch.look(&mut self.hub, input, conn, self.now);
        }
    }

    /// Its state, from which another replay can continue.
    #[must_use]
    pub(super) fn checkpoint(&mut self, now: Now) -> Vec<State> {
        self.pass(now);
        state::parts(&self.hub, &self.conns, self.inputs, self.missing)
    }

    /// Advances the time; deadlines are handled exactly when they are due.
    pub fn pass(&mut self, now: Now) {
        // At the greatest time, a deadline would be due again immediately.
        let until_ms = now.age_ms.min(u64::MAX - 1);
        while let Some(due_ms) = self.hub.poll_timeout().filter(|&due_ms| due_ms <= until_ms) {
            let passed_ms = due_ms.saturating_sub(self.now.age_ms);
            self.now = self.now.after(passed_ms);
            self.hub.handle_timeout(self.now);
            self.drain();
            self.look(None, None);
        }
        self.now = Now {
            age_ms: now.age_ms.max(self.now.age_ms),
            wall_ms: now.wall_ms,
        };
    }

    /// Hands the input in.
    pub fn input(&mut self, input: &Input, now: Now) {
        self.inputs += 1;
        if matches!(input, Input::Wake) {
            self.now = Now {
                age_ms: now.age_ms.max(self.now.age_ms),
                wall_ms: now.wall_ms,
            };
            self.hub.wake(self.now);
            self.drain();
            return self.look(Some(input), None);
        }
        self.pass(now);
        let now = self.now;
        let mut conn = match input {
            Input::Leave(serial, _) | Input::Pong(serial) | Input::Call(serial, ..) => {
                self.conns.get(serial).copied()
            }
            _ => None,
        };
        match input {
            Input::Join(serial, joined) => {
                let joined = self.hub.join(joined.handshake(), now);
                self.conns.insert(*serial, joined);
                conn = Some(joined);
            }
            Input::Leave(serial, cause) => {
                let cause = cause_of(cause);
                self.conns.remove(serial);
                if let Some(conn) = conn {
                    self.hub.leave(conn, cause, now);
                }
            }
            Input::Pong(_) => {
                if let Some(conn) = conn {
                    self.hub.pong(conn, now);
                }
            }
            Input::Call(_, method, params) => {
                if let (Some(conn), Ok(request)) = (conn, Request::parse(&params.request(method))) {
                    self.hub.call(conn, &request, now);
                }
            }
            Input::Shutdown => self.hub.shutdown("gateway stopping", now),
            Input::RefusedClock(client_id, skew_ms) => {
                self.hub.refused(&refused_clock(client_id, *skew_ms), now);
            }
            Input::Wake => {}
        }
        self.drain();
        self.look(Some(input), conn);
    }

    /// Discards all outputs, since a replay has no connections.
    fn drain(&mut self) {
        while self.hub.poll_output().is_some() {}
        if self.hub.awaits_sent() {
            self.hub.handle_sent(self.now);
        }
    }

    /// The rows, newest first.
    pub fn list(&mut self) -> Vec<PresenceEntry> {
        let list = self.hub.list(self.now);
        self.drain();
        list
    }

    /// The digest of the rows.
    pub fn digest(&mut self) -> String {
        self.hub.own_digest().to_hex()
    }

    /// The current moment.
    #[must_use]
    pub fn now(&self) -> Now {
        self.now
    }

    /// Inputs so far.
    #[must_use]
    pub fn inputs(&self) -> u64 {
        self.inputs
    }

    /// Inputs so far that were not recorded; with any, the rows are inexact.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.missing
    }
}

/// A handshake that was refused for the clock of its client.
fn refused_clock(client_id: &str, skew_ms: i64) -> Refused {
    Refused {
        code: "".into(),
        message: "".into(),
        client: Introduction {
            id: Some(client_id.into()),
            ..Introduction::default()
        },
        clock_skew_ms: Some(skew_ms),
    }
}
