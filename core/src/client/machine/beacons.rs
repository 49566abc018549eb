//! The client's beacons: contents and occasions (SPEC 3, reference 1.5).

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use serde_json::value::RawValue;

use super::Client;
use super::calls::{CallError, Purpose};
use super::phase::Phase;
use crate::client::clock::as_i64;
use crate::client::config::{BeaconOccasions, BeaconPolicy};
use crate::client::event::ClientEvent;
use crate::client::problem::Problem;
use crate::model::json::ObjectText;
use crate::model::time::Now;
use crate::wire::message::Outcome;

const MIN_GAP_MS: u64 = BeaconPolicy::MIN_GAP_MS;

/// The state of beacons, on the age clock.
#[derive(Debug)]
pub(super) struct Beacons {
    /// `None` if they are off or were refused.
    occasions: Option<BeaconOccasions>,
    was_launched: bool,
    /// When the last one was sent on this connection.
    sent_ms: Option<u64>,
    /// When to send the beacon of an occasion that has arisen.
    due_ms: Option<u64>,
}

impl Beacons {
    pub(super) fn new(policy: BeaconPolicy) -> Self {
        let occasions = match policy {
            BeaconPolicy::Off => None,
            BeaconPolicy::On(occasions) => Some(occasions),
        };
        Self {
            occasions,
            was_launched: false,
            sent_ms: None,
            due_ms: None,
        }
    }

    /// Handles the end of the connection.
    pub(super) fn handle_end(&mut self) {
        self.sent_ms = None;
        self.due_ms = None;
    }

    fn next_ms(&self) -> Option<u64> {
        let interval_ms = self.occasions.and_then(|occasions| occasions.every_ms);
        let periodic_ms = match (self.sent_ms, interval_ms) {
            (Some(sent_ms), Some(interval_ms)) => Some(sent_ms.saturating_add(interval_ms.max(MIN_GAP_MS))),
            _ => None,
        };
        [periodic_ms, self.due_ms].into_iter().flatten().min()
    }

    fn occur(&mut self, now: Now) {
        let allowed_ms = self
            .sent_ms
            .map_or(0, |sent_ms| sent_ms.saturating_add(MIN_GAP_MS));
        let soon_ms = now.age_ms.max(allowed_ms);
        self.due_ms = self.due_ms.or(Some(soon_ms));
    }
}

impl Client {
    /// Sends a beacon immediately, independent of the policy. Returns the number of the
    /// [`ClientEvent::Response`] with its result.
    ///
    /// # Errors
    /// [`CallError`] if the beacon was not sent.
    pub fn beacon(&mut self, reason: &str, now: Now) -> Result<u64, CallError> {
        self.clock.advance(now);
        self.check_call()?;
        Ok(self.send_beacon(Purpose::AskedBeacon, reason, now))
    }

    /// Returns the parameters of `system-event` for a beacon at this time.
    #[must_use]
    pub fn beacon_params(&self, reason: &str, now: Now) -> Box<RawValue> {
        // The text is always valid JSON.
        RawValue::from_string(self.beacon_text(reason, now)).unwrap_or_default()
    }

    /// Records user input: a key, a click, a touch. Beacons state the time since then.
    pub fn report_input(&mut self, now: Now) {
        self.clock.advance(now);
        let elapsed_ms = as_i64(self.clock.elapsed_ms(now));
        let before_ms = self.last_input_ms.replace(elapsed_ms);
        let Some(occasions) = self.beacons.occasions.filter(|occasions| occasions.on_activity) else {
            return;
        };
        let was_away = before_ms
            .is_none_or(|before_ms| elapsed_ms.saturating_sub(before_ms) >= as_i64(occasions.idle_ms));
        if was_away && matches!(self.phase, Phase::Live(_)) {
            self.beacons.occur(now);
            self.work(now);
        }
    }

    /// Sets the time since the last user input, for shells that query the system; `None` if unknown. Unlike
    /// [`report_input`](Self::report_input) it is not an occasion for a beacon.
    pub fn set_last_input(&mut self, seconds_ago: Option<u64>, now: Now) {
        self.clock.advance(now);
        let elapsed_ms = as_i64(self.clock.elapsed_ms(now));
        let input_ms = |seconds: u64| elapsed_ms.saturating_sub(as_i64(seconds.saturating_mul(1_000)));
        self.last_input_ms = seconds_ago.map(input_ms);
    }

    /// Sets the client's own address in later beacons; `None` if unknown.
    pub fn set_ip(&mut self, ip: Option<&str>) {
        self.config.ip = ip.map(Box::from);
    }

    /// Returns when the next beacon of the policy is due, on the age clock; `None` if none is scheduled. A
    /// shell that queries the system for its beacons can do it then.
    #[must_use]
    pub fn beacon_due_ms(&self) -> Option<u64> {
        match self.phase {
            Phase::Live(_) => self.beacons.next_ms(),
            _ => None,
        }
    }

    pub(super) fn beacon_on_hello(&mut self, now: Now) {
        if self.beacons.occasions.is_some() {
            let reason = if self.beacons.was_launched {
                "connect"
            } else {
                "launch"
            };
            self.send_beacon(Purpose::Beacon, reason, now);
        }
    }

    pub(super) fn beacon_on_visibility(&mut self, now: Now) {
        let is_occasion = self
            .beacons
            .occasions
            .is_some_and(|occasions| occasions.on_visibility);
        if is_occasion && matches!(self.phase, Phase::Live(_)) {
            self.beacons.occur(now);
        }
    }

    pub(super) fn beacon_if_due(&mut self, now: Now) {
        if self.beacon_due_ms().is_some_and(|due_ms| due_ms <= now.age_ms) {
            // Real gateways forward beacons with an unknown reason to their agent.
            self.send_beacon(Purpose::Beacon, "periodic", now);
        }
    }

    fn send_beacon(&mut self, purpose: Purpose, reason: &str, now: Now) -> u64 {
        self.beacons.sent_ms = Some(now.age_ms);
        self.beacons.due_ms = None;
        self.beacons.was_launched = true;
        let params = self.beacon_text(reason, now);
        self.send_request(purpose, "system-event", &params, now)
    }

    /// Contains only members that every gateway accepts. Unknown values are omitted: an absent member erases
    /// nothing.
    fn beacon_text(&self, reason: &str, now: Now) -> String {
        let info = &self.config.client;
        let elapsed_ms = as_i64(self.clock.elapsed_ms(now));
        let seconds_since =
            |input_ms| u64::try_from(elapsed_ms.saturating_sub(input_ms)).unwrap_or(0) / 1_000;
        let last_input_seconds = self.last_input_ms.map(seconds_since);
        let device_id = self.config.device.as_ref().map(|device| &*device.id);
        let line = Line {
            host: info.display_name.as_deref().unwrap_or(&info.id),
            ip: self.config.ip.as_deref(),
            version: &info.version,
            last_input_seconds,
            mode: self.config.beacon_mode.as_deref().unwrap_or(&info.mode),
            reason,
        };
        let mut params = ObjectText::new();
        params.text("text", &line.text());
        params.text_if_any("instanceId", info.instance_id.as_deref());
        params.text_if_any("deviceId", device_id);
        params.text_if_any("host", info.display_name.as_deref());
        params.text_if_any("ip", line.ip);
        params.text("mode", line.mode);
        params.text("version", line.version);
        params.text("platform", &info.platform);
        params.text_if_any("deviceFamily", info.device_family.as_deref());
        params.text_if_any("modelIdentifier", info.model_identifier.as_deref());
        params.text("reason", reason);
        if let Some(seconds) = last_input_seconds {
            params.number("lastInputSeconds", seconds);
        }
        params.end()
    }

    pub(super) fn handle_beacon_answer(&mut self, answer: Outcome<'_>) {
        let Err(error) = answer else { return };
        let (mut problem, _) = Problem::of_error(error);
        if &*problem.code == "MISSING_SCOPE" {
            problem.remedy =
                "Request operator.admin, which this gateway requires for beacons, or send none.".into();
        }
        if &*problem.code != "UNAVAILABLE" {
            self.beacons.occasions = None;
            self.beacons.due_ms = None;
            self.event(ClientEvent::BeaconRefused(Box::new(problem)));
        }
    }
}

/// The text line of a beacon.
struct Line<'a> {
    host: &'a str,
    ip: Option<&'a str>,
    version: &'a str,
    last_input_seconds: Option<u64>,
    mode: &'a str,
    reason: &'a str,
}

impl Line<'_> {
    /// Follows the grammar that gateways parse if all required members are known; otherwise it is free text.
    /// It always starts with `Node:`, because real gateways forward other texts to their agent as a message.
    fn text(&self) -> String {
        let ip = self.ip.map(|ip| format!(" ({ip})")).unwrap_or_default();
        let input = self
            .last_input_seconds
            .map(|seconds| format!(" · last input {seconds}s ago"));
        let (host, version, input) = (self.host, self.version, input.unwrap_or_default());
        format!(
            "Node: {host}{ip} · app {version}{input} · mode {} · reason {}",
            self.mode, self.reason
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::beacon::parse_text;

    const FULL: Line<'_> = Line {
        host: "studio",
        ip: Some("10.0.0.5"),
        version: "1.2",
        last_input_seconds: Some(12),
        mode: "ui",
        reason: "launch",
    };

    #[test]
    fn the_line_follows_the_grammar_if_all_members_are_known() {
        let text = FULL.text();
        let parsed = parse_text(&text).unwrap();
        assert_eq!(
            (parsed.host, parsed.ip, parsed.version),
            ("studio", "10.0.0.5", "1.2")
        );
        assert_eq!(
            (parsed.last_input_seconds, parsed.mode, parsed.reason),
            (12, "ui", "launch")
        );
    }

    #[test]
    fn the_line_is_free_text_if_a_member_is_unknown() {
        for line in [
            Line { ip: None, ..FULL },
            Line {
                last_input_seconds: None,
                ..FULL
            },
            Line {
                host: "Zoe's Mac",
                ..FULL
            },
        ] {
            let text = line.text();
            assert!(
                text.starts_with("Node: ") && parse_text(&text).is_none(),
                "{text}"
            );
        }
    }
}
