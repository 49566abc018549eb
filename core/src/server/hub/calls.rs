//! The gateway's answer to each method (SPEC 2, reference 4.6).

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};

use serde_json::{Value, json};

use super::{ConnId, Hub, HubOutput, explain};
use crate::findings::is_one_host;
use crate::model::entry::MAX_SAFE_INTEGER;
use crate::model::time::Now;
use crate::model::{Beacon, SharedText, scope};
use crate::roster::history::{Refusal, RowEventKind};
use crate::roster::{BeaconError, BeaconSubject, Holder, Report, RowId};
use crate::server::Item;
use crate::wire::history::HistoryQuery;
use crate::wire::{Call, ErrorKind, Request, ResponseFrame, WireError};

const NO_HISTORY: &str = "this gateway writes no history: start it with --history FILE";
/// Shortest `ttlMs` of a beacon, in ms: the least TTL of a roster.
const MIN_TTL_MS: u64 = 1_000;

/// The answer of a call.
pub(super) enum Answer {
    /// `{"ok":true}`, the answer to every beacon.
    Done,
    Value(Value),
    /// JSON text.
    Text(String),
    /// The presence list, encoded once for all requests.
    List,
    /// The list with keys, version and digest.
    Snapshot,
    /// The shell answers it.
    History(Box<HistoryQuery>),
}

impl Hub {
    /// The output that answers the request.
    pub(super) fn answer(&mut self, conn: ConnId, request: &Request, now: Now) -> HubOutput {
        let slot = conn.slot;
        let result = self.execute(slot, request, now);
        let hides = self.hides(slot);
        let response = match result {
            Ok(Answer::History(query)) => return HubOutput::History(conn, request.id.clone(), query),
            Ok(Answer::Done) => ResponseFrame::done(&request.id),
            Ok(Answer::Value(payload)) => ResponseFrame::ok(&request.id, &payload),
            Ok(Answer::Text(payload)) => ResponseFrame::ok_shared(&request.id, SharedText::new(payload)),
            Ok(Answer::List) if self.sees_own(slot) => {
                ResponseFrame::ok_shared(&request.id, self.own_list_for(hides, now))
            }
            Ok(Answer::List) => ResponseFrame::ok_shared(&request.id, self.list_for(hides, now)),
            Ok(Answer::Snapshot) => {
                let snapshot = if self.sees_own(slot) {
                    self.own_snapshot_for(hides, now)
                } else {
                    self.snapshot_for(hides, now)
                };
                ResponseFrame::ok_around(&request.id, r#"{"presence":"#, snapshot, "}")
            }
            Err(error) => ResponseFrame::error(&request.id, &error),
        };
        HubOutput::Send(conn, Item::Response(response))
    }

    /// Carries out the request and counts it.
    pub(super) fn execute(&mut self, slot: u32, request: &Request, now: Now) -> Result<Answer, WireError> {
        let mut result = self.dispatch(slot, request, now);
        if self.hides(slot) {
            result = self.hide(result);
        }
        self.counts.requests += 1;
        self.counts.failed_requests += u64::from(result.is_err());
        let is_role_refusal = matches!(&result, Err(error) if error.kind == ErrorKind::UnauthorizedRole);
        if let Some(member) = self.members.get_mut(slot) {
            member.refused_calls = if is_role_refusal {
                member.refused_calls + 1
            } else {
                0
            };
        }
        result
    }

    fn dispatch(&mut self, slot: u32, request: &Request, now: Now) -> Result<Answer, WireError> {
        let Some(member) = self.members.get(slot) else {
            return Err(WireError::unavailable("the connection is gone"));
        };
        let handshake = &member.handshake;
        request
            .access
            .authorize(handshake.role, &handshake.scopes, handshake.protocol)?;
        let call = match &request.call {
            Ok(call) => call,
            Err(error) => return Err(WireError::clone(error)),
        };
        let value = match call {
            Call::SystemPresence => return Ok(Answer::List),
            Call::PresenceSnapshot => return Ok(Answer::Snapshot),
            Call::PresenceExplain(None) => return Ok(Answer::Text(self.explain(self.hides(slot), now))),
            Call::PresenceExplain(Some(row)) => {
                let asked = self.requested_row(slot, row, now);
                let asked = asked.ok_or_else(|| explain::unknown_row(row))?;
                let hidden_as = Some(&**row).filter(|_| self.hides(slot));
                return self.explain_row(&asked, hidden_as, now).map(Answer::Text);
            }
            Call::PresenceHistory(query) if self.keeps_history() => {
                self.check_history_query(slot, query)?;
                return Ok(Answer::History(query.clone()));
            }
            Call::PresenceHistory(_) => return Err(WireError::unavailable(NO_HISTORY)),
            Call::SystemEvent(beacon) => {
                let written = self.system_event(slot, beacon, now);
                self.counts.beacons += u64::from(written.is_ok());
                self.counts.refused_beacons += u64::from(written.is_err());
                written?;
                return Ok(Answer::Done);
            }
            Call::Health => self.health(now),
            Call::Status => self.status(now),
            Call::LastHeartbeat => Value::Null,
            // Without an agent there are no heartbeats, whatever the parameter is.
            Call::SetHeartbeats => json!({ "ok": true, "enabled": false }),
            Call::ConfigGet => json!({
                "path": "", "exists": false, "valid": true, "issues": [], "config": {},
            }),
            Call::NodeList => return Ok(Answer::Text(self.node_list(now))),
            Call::NodePairList => return Ok(Answer::Text(self.node_pair_list())),
            Call::NodeDescribe(id) => {
                let asked = self.requested_node(slot, id);
                return self.node_describe(asked.as_deref(), now).map(Answer::Text);
            }
            Call::AgentsList => json!({
                "defaultId": "main", "mainKey": "main", "scope": "per-sender", "agents": [],
            }),
            Call::DevicePairList => json!({ "pending": [], "paired": [] }),
            Call::NodeEvent(event) => self.node_event(slot, event, now),
            Call::NodeUpdate => return Ok(Answer::Done),
            Call::Wake => {
                return Err(WireError::unavailable(
                    "this gateway serves presence only: there is no agent to wake",
                ));
            }
            Call::Connect => return Err(WireError::connect_again()),
        };
        Ok(Answer::Value(value))
    }

    /// A beacon: about the own row for any operator, about others with `operator.write` (SPEC 2).
    fn system_event(&mut self, slot: u32, beacon: &Beacon, now: Now) -> Result<(), WireError> {
        let ttl_ms = self.config.ttl_ms;
        if let Some(own_ms) = beacon.ttl_ms.filter(|ms| !(MIN_TTL_MS..=ttl_ms).contains(ms)) {
            // The parser clamps numbers to 0..=2^53-1, so the original number is not known at these two.
            let stated = match own_ms {
                0 => "a value below 1".into(),
                MAX_SAFE_INTEGER => format!("a value of {MAX_SAFE_INTEGER} or more"),
                ms => ms.to_string(),
            };
            return Err(WireError::invalid_request(format!(
                "invalid system-event params: at /ttlMs: {stated} is not from {MIN_TTL_MS} to {ttl_ms}, the TTL of this gateway"
            )));
        }
        let Some(member) = self.members.get_mut(slot) else {
            return Ok(());
        };
        member.trace.beacons.note(now.age_ms);
        if let Some(word) = beacon.placeholder_id() {
            member.trace.placeholder = Some(word);
        }
        let member = &*member;
        let write = member.connect_write(slot);
        let report = Report::from(beacon).of_conn(member.serial);
        let aim = match self
            .roster
            .beacon_subject(&report, &write, &member.key, member.row)
        {
            // A visit never has a row of its own, so its beacon counts as one without ids.
            BeaconSubject::Connection if member.handshake.visitor.is_some() => BeaconSubject::Other,
            aim => aim,
        };
        let is_own = matches!(aim, BeaconSubject::Own | BeaconSubject::Connection);
        let needed = match aim {
            BeaconSubject::Own | BeaconSubject::Connection => None,
            BeaconSubject::Other => Some(scope::WRITE),
            BeaconSubject::Owned => Some(scope::ADMIN),
        };
        if let Some(needed) = needed.filter(|needed| !member.has_scope(needed)) {
            self.refused_beacons += u64::from(aim == BeaconSubject::Owned);
            let error = WireError::missing_scope(needed, member.handshake.protocol);
            let why = if aim == BeaconSubject::Owned {
                Refusal::Owned
            } else {
                Refusal::Scope
            };
            self.note_refused_beacon(slot, why);
            return Err(error);
        }
        let is_unlimited = is_own || member.has_scope(scope::ADMIN);
        let holder = if is_unlimited {
            Holder::Unlimited
        } else {
            Holder::Connection(member.handshake.visitor.unwrap_or(member.serial))
        };
        let is_bound = member.row.is_some_and(|row| self.roster.contains(row));
        let mut rebuilt = None;
        if is_own && member.is_tracked && !is_bound && !self.roster.is_self(beacon.instance_id.as_deref()) {
            rebuilt = Some(self.roster.rebuild(&write, now));
        }
        let host = report.host();
        let written = match aim {
            BeaconSubject::Connection => self
                .roster
                .own_beacon(report, &write, rebuilt.or(member.row), now),
            BeaconSubject::Own | BeaconSubject::Other | BeaconSubject::Owned => {
                self.roster.beacon(report, holder, now)
            }
        };
        if let (Some(_), Some(member)) = (rebuilt, self.members.get_mut(slot)) {
            member.row = rebuilt;
            self.follow_moves();
        }
        if let (true, Some(host), Ok(row)) = (is_own, host, &written) {
            self.note_own_host(slot, *row, host, now);
        }
        written.map(drop).map_err(|error| {
            if let Some(row) = rebuilt {
                self.roster.keep_rebuilt(row);
            }
            self.note_refused_beacon(
                slot,
                match error {
                    BeaconError::SelfInstance => Refusal::SelfInstance,
                    BeaconError::Full { .. } => Refusal::Full,
                    BeaconError::RowTooLarge { .. } | BeaconError::ListTooLarge { .. } => Refusal::TooLarge,
                },
            );
            match error {
                BeaconError::SelfInstance => WireError::invalid_request(error.to_string()),
                BeaconError::Full { .. } => WireError::unavailable(error.to_string()),
                BeaconError::RowTooLarge { .. } | BeaconError::ListTooLarge { .. } => {
                    WireError::invalid_request(format!("invalid system-event params: {error}"))
                }
            }
        })
    }

    /// Notes the host that a beacon of a connection wrote to its own row.
    fn note_own_host(&mut self, slot: u32, row: RowId, host: &str, now: Now) {
        let replaced = self.roster.take_replaced_host();
        let Some(member) = self.members.get_mut(slot) else {
            return;
        };
        let returns = core::mem::replace(&mut member.trace.has_reported_host, true);
        if let Some(replaced) = replaced.filter(|_| returns)
            && !is_one_host(&replaced.host, host)
        {
            let serial = member.serial;
            self.roster.note_return(row, serial, replaced.conn, now);
        }
    }

    /// Notes the first refused beacon of a connection as an event of its row. A visit has no row, and each visit is a
    /// new connection: their events would displace those of rows.
    fn note_refused_beacon(&mut self, slot: u32, why: Refusal) {
        let Some(member) = self.members.get_mut(slot) else {
            return;
        };
        let is_visit = member.handshake.visitor.is_some();
        if is_visit || core::mem::replace(&mut member.trace.has_refused_beacon, true) {
            return;
        }
        let key = member.row.and_then(|row| self.roster.key(row));
        let key = key.unwrap_or(&member.key).clone();
        let serial = member.serial;
        self.roster.note(key, None, RowEventKind::Refused(why), serial);
    }

    /// `status`: the members that probes and the `status` command read, and our own counters.
    fn status(&mut self, now: Now) -> Value {
        let mut status = json!({
            "runtimeVersion": self.config.server_version,
            "heartbeat": { "defaultAgentId": "main", "agents": [] },
            "channelSummary": [],
            "queuedSystemEvents": [],
            "sessions": {
                "paths": [], "count": 0, "recent": [], "byAgent": [],
                "defaults": { "model": null, "contextTokens": null },
            },
            "presence": {
                "rows": self.roster.len(),
                "maxEntries": self.config.max_entries,
                "ttlMs": self.config.ttl_ms,
                "version": self.version(),
                "connections": self.connections(),
            },
        });
        if self.fleet.is_some() {
            let of_kind = |is_peer: bool| -> Value {
                let sources = self.sources().filter(|source| source.is_peer == is_peer);
                sources
                    .map(|source| {
                        json!({
                            "name": source.name,
                            "connected": source.is_here,
                            "rows": source.rows,
                            "leftOut": source.left_out,
                        })
                    })
                    .collect()
            };
            let (observed, peers) = (of_kind(false), of_kind(true));
            if observed.as_array().is_some_and(|observed| !observed.is_empty()) {
                status["presence"]["observed"] = observed;
            }
            #[cfg(feature = "cluster")]
            if let Some((name, digest)) = self.fleet_digest(now) {
                status["presence"]["fleet"] =
                    json!({ "name": name, "digest": digest.to_hex(), "gateways": peers });
            }
            #[cfg(not(feature = "cluster"))]
            let _ = (peers, now);
        }
        status
    }
}
