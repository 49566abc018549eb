//! The events of a live connection: lists, deltas, ticks, gaps.

use alloc::boxed::Box;

use super::Client;
use super::phase::Phase;
use crate::client::event::ClientEvent;
use crate::client::hello::Hello;
use crate::client::mirror::DeltaOutcome;
use crate::model::json::Json;
use crate::model::raw_entry::RawEntry;
use crate::model::time::Now;
use crate::wire::error::NEWEST_PROTOCOL;

/// A connection after hello. Times are on the age clock, in ms.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) hello: Hello,
    pub(super) since_ms: u64,
    /// When the last frame arrived.
    pub(super) heard_ms: u64,
    /// The silence was noticed late, or is suspected early: it is judged at this time.
    pub(super) grace_until_ms: Option<u64>,
    /// How often in a row it was noticed late.
    pub(super) graces: u32,
    /// Number of the last event.
    seq: Option<u64>,
    /// The newest presence version heard of.
    version: u64,
    pub(super) may_read: bool,
    /// The question for the list that is under way.
    pub(super) asking: Option<Asking>,
    /// Ask once more when it is answered.
    pub(super) asks_again: bool,
    /// When the list was last asked for.
    pub(super) asked_ms: Option<u64>,
    /// When the last full list came.
    pub(super) listed_ms: u64,
    /// The list may be behind: ask when that is allowed.
    pub(super) is_behind: bool,
    /// After what time the gateway said it would be back.
    pub(super) restart_ms: Option<u64>,
}

/// A question for the list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking {
    pub(super) id: u64,
    pub(super) at_ms: u64,
}

impl Live {
    pub(super) fn new(hello: Hello, now: Now) -> Self {
        Self {
            version: hello.presence_version.unwrap_or(0),
            may_read: hello.may_read(),
            since_ms: now.age_ms,
            heard_ms: now.age_ms,
            grace_until_ms: None,
            graces: 0,
            // Gateways of protocol 4 count what they send on this connection from 1: the first can be
            // missing too. Those of protocol 3 are somewhere in their count.
            seq: (hello.protocol >= NEWEST_PROTOCOL).then_some(0),
            asking: None,
            asks_again: false,
            asked_ms: None,
            listed_ms: now.age_ms,
            is_behind: false,
            restart_ms: None,
            hello,
        }
    }

    /// Takes note of an event's number; says whether one before it is missing.
    fn count(&mut self, seq: Option<u64>) -> bool {
        let Some(seq) = seq else { return false };
        let is_gap = self.seq.is_some_and(|last| seq > last.saturating_add(1));
        self.seq = self.seq.max(Some(seq));
        is_gap
    }

    /// Takes note of the presence version an event states; says whether it is a new one.
    fn note_version(&mut self, frame: &Json) -> bool {
        let version = frame
            .at(&["stateVersion", "presence"])
            .and_then(Json::as_u64)
            .unwrap_or(0);
        let is_ahead = version > self.version;
        self.version = self.version.max(version);
        is_ahead
    }
}

impl Client {
    /// A frame arrived.
    pub(super) fn hear(&mut self, text: &str, now: Now) {
        if let Phase::Live(live) = &mut self.phase {
            live.heard_ms = now.age_ms;
            live.grace_until_ms = None;
            live.graces = 0;
        }
        self.frames += 1;
        let Ok(frame) = Json::parse_frame(text, self.frames) else {
            return;
        };
        match frame.get("type").and_then(Json::as_str) {
            Some("event") => self.handle_event(&frame, now),
            Some("res") => self.handle_response(&frame, now),
            _ => {}
        }
    }

    fn handle_event(&mut self, frame: &Json, now: Now) {
        let name = frame.get("event").and_then(Json::as_str).unwrap_or("");
        let payload = frame.get("payload").unwrap_or(&Json::Null);
        let Phase::Live(live) = &mut self.phase else {
            if name == "connect.challenge" {
                self.handle_challenge(payload, now);
            }
            return;
        };
        let is_gap = live.count(frame.get("seq").and_then(Json::as_u64));
        let is_ahead = live.note_version(frame);
        // The whole state, or a delta that is checked: what was missed before it does not matter.
        let is_caught_up = match name {
            "presence" => match payload.get("presence").and_then(Json::as_array) {
                Some(list) => {
                    self.handle_list(list, now);
                    true
                }
                None => false,
            },
            "presence.snapshot" => self.handle_keyed(payload, now),
            "presence.delta" => {
                self.handle_delta(payload, now);
                true
            }
            "tick" => {
                self.handle_tick(payload, now);
                false
            }
            "shutdown" => {
                self.handle_shutdown(payload);
                false
            }
            _ => false,
        };
        if is_gap && !is_caught_up {
            self.resync_after_gap(now);
        } else if is_ahead && !is_caught_up {
            self.resync_soon();
        }
    }

    pub(super) fn handle_list(&mut self, list: &[Json], now: Now) {
        self.mirror
            .apply_list(RawEntry::list(list), self.clock.server_ms(now));
        self.note_listed(now);
    }

    /// Takes a keyed snapshot in, if it is one.
    pub(super) fn handle_keyed(&mut self, snapshot: &Json, now: Now) -> bool {
        if !self.mirror.apply_keyed(snapshot, self.clock.server_ms(now)) {
            return false;
        }
        self.note_listed(now);
        true
    }

    fn handle_delta(&mut self, delta: &Json, now: Now) {
        if self.mirror.apply_delta(delta, self.clock.server_ms(now)) == DeltaOutcome::Gap {
            self.ask(now);
        }
    }

    fn handle_tick(&mut self, payload: &Json, now: Now) {
        if let Some(ts) = payload.get("ts").and_then(Json::as_u64) {
            self.clock.learn_tick(ts, now);
            self.mirror.touch_self(ts, self.clock.server_ms(now));
        }
    }

    fn handle_shutdown(&mut self, payload: &Json) {
        let restart_expected_ms = payload.get("restartExpectedMs").and_then(Json::as_u64);
        if let Phase::Live(live) = &mut self.phase {
            live.restart_ms = restart_expected_ms;
        }
        let reason: Box<str> = payload.get("reason").and_then(Json::as_str).unwrap_or("").into();
        self.event(ClientEvent::Shutdown {
            reason,
            restart_expected_ms,
        });
    }

    /// Events are missing. Gateways of protocol 4 number what this connection is sent, so something was
    /// lost; those of protocol 3 count what they hide too, and a gap rarely means anything.
    fn resync_after_gap(&mut self, now: Now) {
        let is_loss = matches!(&self.phase, Phase::Live(live) if live.hello.protocol >= NEWEST_PROTOCOL);
        if is_loss || self.mirror.version().is_some() {
            self.ask(now);
        } else {
            self.resync_soon();
        }
    }

    fn resync_soon(&mut self) {
        if let Phase::Live(live) = &mut self.phase {
            live.is_behind = true;
        }
    }

    fn note_listed(&mut self, now: Now) {
        if let Phase::Live(live) = &mut self.phase {
            live.listed_ms = now.age_ms;
            live.is_behind = false;
        }
    }
}
