//! Incoming frames: responses, and the events of a live connection: lists, deltas, ticks, gaps.

use alloc::vec::Vec;

use serde_json::value::RawValue;

use super::Client;
use super::phase::Phase;
use crate::client::event::ClientEvent;
use crate::client::mirror::DeltaOutcome;
use crate::model::RawEntry;
use crate::model::json::{inner, integer, string};
use crate::model::time::Now;
use crate::wire::connect::NEWEST_PROTOCOL;
use crate::wire::message::{Event, Message};
use crate::wire::presence::{self, Delta, Snapshot};

impl Client {
    /// Handles a frame.
    pub(super) fn handle_frame(&mut self, text: &str, now: Now) {
        if let Phase::Live(live) = &mut self.phase {
            live.received_ms = now.age_ms;
            live.grace_until_ms = None;
            live.graces = 0;
        }
        match Message::read(text) {
            Some(Message::Event(event)) => self.handle_event(&event, now),
            Some(Message::Answer(answer)) => self.handle_answer(&answer, now),
            None => {}
        }
    }

    fn handle_event(&mut self, event: &Event<'_>, now: Now) {
        let payload = event.payload;
        let Phase::Live(live) = &mut self.phase else {
            if event.name == "connect.challenge" {
                self.handle_challenge(payload, now);
            }
            return;
        };
        let is_gap = live.count(event.seq);
        let is_ahead = live.note_version(event.presence_version);
        // True for a full list or a verified delta, after which earlier losses do not matter.
        let mut is_caught_up = false;
        match &*event.name {
            "presence" => is_caught_up = self.handle_listed(payload, now),
            "presence.snapshot" => is_caught_up = self.handle_snapshot(payload, now),
            "presence.delta" => {
                self.handle_delta(payload, now);
                is_caught_up = true;
            }
            "tick" => self.handle_tick(payload, now),
            "shutdown" => self.handle_shutdown(payload),
            _ => {}
        }
        if is_gap && !is_caught_up {
            self.resync_after_gap(now);
        } else if is_ahead && !is_caught_up {
            self.resync_soon();
        }
    }

    /// Applies a keyed snapshot; returns whether `json` is one.
    pub(super) fn handle_snapshot(&mut self, json: &RawValue, now: Now) -> bool {
        let Some(snapshot) = Snapshot::read(json.get()) else {
            return false;
        };
        self.mirror.apply_snapshot(snapshot, self.clock.server_ms(now));
        self.note_listed(now);
        true
    }

    /// Applies an object with a list; returns whether `json` is one.
    pub(super) fn handle_listed(&mut self, json: &RawValue, now: Now) -> bool {
        let rows = presence::listed(json.get());
        rows.map(|rows| self.handle_list(rows, now)).is_some()
    }

    pub(super) fn handle_list(&mut self, rows: Vec<RawEntry>, now: Now) {
        self.mirror.apply_list(rows, self.clock.server_ms(now));
        self.note_listed(now);
    }

    fn handle_delta(&mut self, delta: &RawValue, now: Now) {
        let now_ms = self.clock.server_ms(now);
        let delta = Delta::read(delta.get());
        let outcome = delta.map(|delta| self.mirror.apply_delta(delta, now_ms));
        // An invalid delta is a gap too.
        if outcome.is_none_or(|outcome| outcome == DeltaOutcome::Gap) {
            self.request_list(now);
        }
    }

    fn handle_tick(&mut self, payload: &RawValue, now: Now) {
        let [ts] = inner(Some(payload), ["ts"]);
        if let Some(ts) = ts.and_then(integer) {
            self.clock.synchronise_by_tick(ts, now);
            self.mirror.touch_self(ts, self.clock.server_ms(now));
        }
    }

    fn handle_shutdown(&mut self, payload: &RawValue) {
        let [restart, reason] = inner(Some(payload), ["restartExpectedMs", "reason"]);
        let restart_expected_ms = restart.and_then(integer);
        if let Phase::Live(live) = &mut self.phase {
            live.restart_ms = restart_expected_ms;
        }
        let reason = reason.and_then(string).unwrap_or_default().into();
        self.event(ClientEvent::Shutdown {
            reason,
            restart_expected_ms,
        });
    }

    /// Handles missing events. On protocol 4 the numbers count the events of this connection, so some were
    /// lost. On protocol 3 they include hidden events, so a gap rarely means a loss.
    fn resync_after_gap(&mut self, now: Now) {
        let is_loss = matches!(&self.phase, Phase::Live(live) if live.hello.protocol >= NEWEST_PROTOCOL);
        if is_loss || self.mirror.version().is_some() {
            self.request_list(now);
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
