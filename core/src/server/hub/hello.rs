//! `hello-ok`: the answer to an accepted handshake (reference 2.3).

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem::take;

use serde_json::{Value, json};

use super::Hub;
use crate::model::json::json_text;
use crate::model::time::Now;
use crate::model::{SharedText, scope};
use crate::wire::ResponseFrame;
use crate::wire::history::HISTORY;
use crate::wire::method::{ADVERTISED, DELTA_EVENTS, EVENTS};

/// An empty list, for clients without the right to read.
const NO_ROWS: &str = "[]";

/// The frame for the member in that slot, with the newest state; `None` if there is no such member.
pub(super) fn hello(hub: &mut Hub, slot: u32, now: Now) -> Option<ResponseFrame> {
    let member = hub.members.get(slot)?;
    let (reads, takes_deltas) = (member.reads, member.takes_deltas);
    let (sees_own, hides) = (member.sees_own, member.hides);
    // Only clients that request the extension get members beyond those of OpenClaw's gateways.
    let (list, events) = match (reads, takes_deltas) {
        _ if sees_own => (hub.own_snapshot_for(hides, now), json_text(&DELTA_EVENTS)),
        (true, true) => (hub.snapshot_for(hides, now), json_text(&DELTA_EVENTS)),
        (true, false) => (hub.list_for(hides, now), json_text(&EVENTS)),
        (false, _) => (SharedText::new(NO_ROWS.into()), json_text(&EVENTS)),
    };
    let version = hub.version_for(sees_own);
    let member = hub.members.get_mut(slot)?;
    member.has_version = version;
    // Parts of the handshake that are not used again are freed.
    let request_id = take(&mut member.handshake.request_id);
    let hub = &*hub;
    let handshake = &hub.members.get(slot)?.handshake;
    let names = ADVERTISED.iter().map(|method| method.name);
    let methods: Vec<_> = names
        .filter(|name| *name != HISTORY || hub.keeps_history())
        .collect();
    let methods = json_text(&methods);
    let server = json_text(&json!({
        "version": hub.config.server_version,
        "bootId": hub.config.boot_id,
        "connId": handshake.conn_id,
    }));
    let head = format!(
        r#"{{"type":"hello-ok","protocol":{},"server":{server},"features":{{"methods":{methods},"events":{events}}},"snapshot":{{"presence":"#,
        handshake.protocol,
    );
    let limits = &hub.config.limits;
    let is_admin = scope::is_satisfied(&handshake.scopes, scope::ADMIN);
    let auth_mode = if is_admin {
        format!(r#","authMode":"{}""#, hub.config.auth_mode)
    } else {
        String::new()
    };
    let tail = format!(
        r#","health":{},"stateVersion":{},"uptimeMs":{},"sessionDefaults":{}{auth_mode}}},"auth":{},"policy":{}}}"#,
        json_text(&hub.health(now)),
        hub.state_version(),
        now.age_ms.saturating_sub(hub.started_ms),
        json_text(&json!({
            "defaultAgentId": "main", "mainKey": "main", "mainSessionKey": "agent:main:main",
        })),
        json_text(&json!({ "role": handshake.role.as_str(), "scopes": &*handshake.scopes })),
        json_text(&json!({
            "maxPayload": limits.payload_bytes,
            "maxBufferedBytes": limits.buffered_bytes,
            "tickIntervalMs": limits.tick_interval_ms,
        })),
    );
    Some(ResponseFrame::ok_around(&request_id, &head, list, &tail))
}

impl Hub {
    /// The health object: a presence gateway has no channels, agents or sessions, and clients require
    /// every member.
    pub(super) fn health(&self, now: Now) -> Value {
        json!({
            "ok": true,
            "ts": self.roster.wall_ms(now),
            "durationMs": 0,
            "channels": {},
            "channelOrder": [],
            "channelLabels": {},
            "heartbeatSeconds": 0,
            "defaultAgentId": "main",
            "agents": [],
            "sessions": { "path": "", "count": 0, "recent": [] },
        })
    }

    /// `stateVersion` as JSON. Health never changes here, so its version stays 1.
    pub(super) fn state_version(&self) -> Box<str> {
        format!(r#"{{"presence":{},"health":1}}"#, self.version()).into()
    }
}
