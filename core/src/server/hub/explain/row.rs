//! The explanation of one row.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::Hub;
use super::sentences::{cut, join_text, leave_text, row_event, span};
use super::sessions::Session;
use crate::findings::quoted;
use crate::model::json::{ObjectText, array_text};
use crate::model::key::{RowKey, SELF_WIRE_KEY};
use crate::model::raw_entry::RawEntry;
use crate::model::time::Now;
use crate::roster::details::{Ends, KeyFrom, RowDetails, Source, Written};
use crate::roster::history::RowEvent;
use crate::server::AddressMask;

/// Most live connections of an explanation: the newest.
const MAX_CONNECTIONS: usize = 32;
/// Most events of an explanation: the newest.
const MAX_EVENTS: usize = 32;

/// A row to explain.
#[derive(Debug)]
pub(super) enum Explained {
    /// This gateway's own.
    Own(Box<RowDetails>),
    /// The key and the entry of an observed gateway's row.
    Observed(String, RawEntry),
}

impl Hub {
    /// The row that readers get under this key.
    pub(super) fn explained(&mut self, key: &str, now: Now) -> Option<Explained> {
        self.sync(now);
        let id = match key {
            SELF_WIRE_KEY => None,
            key => match self.roster.find_wire(key) {
                Some(id) => Some(id),
                None => {
                    let (key, entry) = self.fleet.as_ref()?.entries().find(|(own, _)| *own == key)?;
                    entry.str("gateway")?;
                    return Some(Explained::Observed(key.into(), entry.clone()));
                }
            },
        };
        Some(Explained::Own(self.roster.details(id, now).into()))
    }

    /// The key of the row on the wire, and its explanation as JSON text, in which the key is `shown`. With `hides` the
    /// sessions must be without addresses, too.
    pub(super) fn explanation(
        &self,
        row: &Explained,
        shown: Option<&str>,
        sessions: &[Session<'_>],
        hides: bool,
        now: Now,
    ) -> (String, String) {
        let details = match row {
            Explained::Own(details) => details,
            Explained::Observed(key, entry) => {
                let json = self.explain_observed(shown.unwrap_or(key), entry, now);
                return (key.clone(), json);
            }
        };
        let by_serial: BTreeMap<u64, &Session<'_>> =
            sessions.iter().map(|session| (session.serial, session)).collect();
        let live: Vec<&Session<'_>> = details
            .live
            .iter()
            .filter_map(|(_, serial)| by_serial.get(serial).copied())
            .collect();
        let key = details.key.to_wire();
        let age_ms = |at_ms: u64| now.age_ms.saturating_sub(at_ms);
        let mut json = ObjectText::new();
        json.text("key", shown.unwrap_or(&key));
        json.text("keyFrom", key_from(details.key_from));
        json.text("why", &why(details, &live));
        let mut members = details
            .members
            .iter()
            .map(|written| member(written, &by_serial, now));
        json.raw("members", &array_text(&mut members));
        let mut connections = live.iter().rev().take(MAX_CONNECTIONS).map(|session| {
            let mut json = ObjectText::new();
            json.text("connId", session.conn_id);
            json.text("clientId", cut(&session.client.id));
            json.text("mode", cut(&session.client.mode));
            json.text("role", session.role.as_str());
            json.text_if_any("ip", session.ip.map(cut));
            json.number("sinceMs", age_ms(session.trace.joined_ms));
            json.end()
        });
        json.raw("connections", &array_text(&mut connections));
        let mask = hides.then(|| self.hidden.mask());
        let mut events = self.events(&details.key, sessions, mask, now);
        events.truncate(MAX_EVENTS);
        let mut events = events.into_iter().map(|(at_ms, what, text)| {
            let mut json = ObjectText::new();
            json.number("ageMs", age_ms(at_ms));
            json.text("what", what);
            json.text("text", &text);
            json.end()
        });
        json.raw("events", &array_text(&mut events));
        let (expires_in_ms, ends) = self.ends(details.ends, now);
        match expires_in_ms {
            Some(ms) => json.number("expiresInMs", ms),
            None => json.raw("expiresInMs", "null"),
        }
        json.text("ends", &ends);
        (key, json.end())
    }

    /// The explanation of an observed gateway's row, from the list.
    fn explain_observed(&self, shown: &str, entry: &RawEntry, now: Now) -> String {
        let gateway = entry.str("gateway").unwrap_or_default();
        let mut json = ObjectText::new();
        json.text("key", shown);
        json.text("keyFrom", "gateway");
        json.text(
            "why",
            &format!(
                "The row is one of the gateway {}, which keys it; ask that gateway for more.",
                quoted(gateway)
            ),
        );
        json.text("gateway", gateway);
        let ts = entry.ts().unwrap_or(0);
        let age_ms = self.server_wall_ms(now).saturating_sub(ts);
        let mut members = entry.members().map(|(name, value)| {
            let mut json = ObjectText::new();
            json.text("name", name);
            json.raw("value", value);
            json.text("from", "list");
            json.number("ageMs", age_ms);
            json.end()
        });
        json.raw("members", &array_text(&mut members));
        json.raw("expiresInMs", "null");
        json.text(
            "ends",
            &format!("It stays as long as the gateway {} lists it.", quoted(gateway)),
        );
        json.end()
    }

    /// The events of the row, newest first: time, kind, and a sentence.
    fn events(
        &self,
        key: &RowKey,
        sessions: &[Session<'_>],
        mask: Option<&AddressMask>,
        now: Now,
    ) -> Vec<(u64, &'static str, String)> {
        let mut events = Vec::new();
        for session in sessions
            .iter()
            .filter(|session| session.key == key && session.is_tracked)
        {
            events.push((session.trace.joined_ms, "joined", join_text(session)));
            if let Some((left_ms, cause)) = session.left {
                events.push((left_ms, "left", leave_text(session, left_ms, cause)));
            }
        }
        let of_row = |event: &&RowEvent| event.key == *key || event.was.as_ref() == Some(key);
        for event in self.roster.history().events().filter(of_row) {
            let (what, text) = row_event(event, mask);
            events.push((event.at_ms, what, text));
        }
        events.retain(|(at_ms, ..)| *at_ms <= now.age_ms);
        // Of events at one moment the later one is first.
        events.reverse();
        events.sort_by_key(|(at_ms, ..)| core::cmp::Reverse(*at_ms));
        events
    }

    fn ends(&self, ends: Ends, now: Now) -> (Option<u64>, String) {
        let ttl = span(self.config.ttl_ms);
        match ends {
            Ends::Never => (None, "It stays as long as the gateway runs.".to_string()),
            Ends::AfterClose => (
                None,
                format!(
                    "It stays while it has a live connection, and goes {ttl} after the last one closed, or earlier if \
                     the list is full."
                ),
            ),
            Ends::At {
                at_ms,
                ttl_ms,
                was_connected,
            } => {
                let ttl = span(ttl_ms);
                let state = if was_connected {
                    "All its connections are closed"
                } else {
                    "It never had a connection: beacons wrote it"
                };
                let text = format!(
                    "{state}. It goes {ttl} after its last sign of life, or earlier if the list is full."
                );
                (Some(at_ms.saturating_sub(now.age_ms)), text)
            }
        }
    }
}

fn key_from(from: KeyFrom) -> &'static str {
    match from {
        KeyFrom::Gateway => "self",
        KeyFrom::InstanceId => "instanceId",
        KeyFrom::DeviceId => "deviceId",
        KeyFrom::Host => "host",
        KeyFrom::Ip => "ip",
        KeyFrom::Text => "text",
        KeyFrom::Connection => "connection",
    }
}

fn why(details: &RowDetails, live: &[&Session<'_>]) -> String {
    let placeholder = live.iter().find_map(|session| session.trace.placeholder);
    let has_id = live
        .iter()
        .any(|session| session.client.instance_id.is_some() || session.device_id.is_some());
    let text = match details.key_from {
        KeyFrom::Gateway => "This is the gateway's own row; no client can write it.",
        KeyFrom::InstanceId if details.is_owned => {
            "The key is the instanceId, trimmed and in lower case. A device key owns the row: other clients with this \
             id get rows of their own."
        }
        KeyFrom::InstanceId => {
            "The key is the instanceId, trimmed and in lower case; all clients that send this id share the row."
        }
        KeyFrom::DeviceId if details.is_owned => {
            "The client proved a device key and sent no instanceId, so the key is its deviceId."
        }
        KeyFrom::DeviceId => "A beacon had a deviceId and no instanceId, so the key is that deviceId.",
        KeyFrom::Host => {
            "A beacon had neither an instanceId nor a deviceId, so the key is the host of its text."
        }
        KeyFrom::Ip => "A beacon had no id and no host in its text, so the key is the ip of its text.",
        KeyFrom::Text => {
            "A beacon had no id, and no host or ip in its text, so the key is the beginning of the text."
        }
        KeyFrom::Connection => {
            if let Some(word) = placeholder {
                return format!(
                    "The handshake's instanceId is the placeholder {}, which counts as absent, so the key is the \
                     connection; a reconnect makes another row.",
                    quoted(word)
                );
            }
            if has_id {
                "The device key of another client owns the row of the id that this client sent, so the key is the \
                 connection, and the row has no ids."
            } else {
                "The handshake has neither an instanceId nor a device key, so the key is the connection; a reconnect \
                 makes another row."
            }
        }
    };
    let mut text = text.to_string();
    if details.reporter.is_some() {
        text.push_str(" Another client reports about it.");
    }
    text
}

fn member(written: &Written, sessions: &BTreeMap<u64, &Session<'_>>, now: Now) -> String {
    let mut json = ObjectText::new();
    json.text("name", &written.name);
    json.raw("value", &written.value);
    json.text(
        "from",
        match written.source {
            Source::Handshake => "handshake",
            Source::Beacon => "beacon",
            Source::NodeEvent => "node-event",
            Source::Gateway => "gateway",
            Source::Derived => "derived",
        },
    );
    if let Some(session) = sessions.get(&written.conn) {
        json.text("connId", session.conn_id);
        json.text("by", &by(session));
    }
    json.number("ageMs", now.age_ms.saturating_sub(written.at_ms));
    json.end()
}

/// The writer's program and name.
fn by(session: &Session<'_>) -> String {
    let id = cut(&session.client.id);
    match session.client.display_name.as_deref() {
        Some(name) => format!("{id} / {}", cut(name)),
        None => id.to_string(),
    }
}
