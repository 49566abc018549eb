//! The frames that arrive: responses, and the events of a live connection: lists, deltas, ticks, gaps.

use alloc::boxed::Box;

use super::Client;
use super::phase::Phase;
use crate::client::event::ClientEvent;
use crate::client::mirror::DeltaOutcome;
use crate::model::json::Json;
use crate::model::raw_entry::RawEntry;
use crate::model::time::Now;
use crate::wire::connect::NEWEST_PROTOCOL;

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
