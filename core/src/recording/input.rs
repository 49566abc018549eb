//! The inputs of a hub that change rows.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Params, Redactor};
use crate::model::{Beacon, ClientInfo, Role};
use crate::server::{Handshake, LeaveCause, Refused};
use crate::wire::node_event::NodeReport;
use crate::wire::{Call, Request};

/// An input. Connections are named by their serial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Input {
    /// A handshake was accepted.
    Join(u64, Box<Joined>),
    /// A connection ended: "closed" by the peer, "silent", or "we-closed".
    Leave(u64, Box<str>),
    /// A pong.
    Pong(u64),
    /// A call that changes rows: its method and parameters.
    Call(u64, Box<str>, Params),
    /// A handshake was refused for the client's clock: `client.id`, and how far the clock is ahead, in ms.
    RefusedClock(Box<str>, i64),
    /// The machine was suspended: deadlines before this moment were not handled in time.
    Wake,
    /// The gateway stops.
    Shutdown,
}

/// The parts of a handshake that the roster uses. No secret is among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "as in Handshake and ClientInfo")]
pub struct Joined {
    pub conn_id: Box<str>,
    pub protocol: u32,
    pub is_node: bool,
    pub scopes: Vec<Box<str>>,
    pub client_id: Box<str>,
    pub version: Box<str>,
    pub platform: Box<str>,
    pub mode: Box<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_family: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_identifier: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_ip: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Box<str>>,
    pub may_report_input: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_skew_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visitor: Option<u64>,
}

impl Joined {
    fn redacted(handshake: &Handshake, redactor: &Redactor) -> Self {
        let mut joined = Self::new(handshake);
        for member in [
            &mut joined.display_name,
            &mut joined.instance_id,
            &mut joined.device_id,
            &mut joined.user,
        ] {
            *member = member.as_deref().map(|text| redactor.name(text));
        }
        for member in [
            &mut joined.device_family,
            &mut joined.model_identifier,
            &mut joined.time_zone,
        ] {
            *member = member.as_deref().map(|text| redactor.word(text));
        }
        for member in [&mut joined.version, &mut joined.platform, &mut joined.mode] {
            *member = redactor.word(member);
        }
        joined.client_id = redactor.name(&joined.client_id);
        joined.scopes = redactor.words(&joined.scopes);
        joined.remote_ip = joined.remote_ip.as_deref().map(|ip| redactor.ip(ip));
        joined
    }

    pub(super) fn new(handshake: &Handshake) -> Self {
        let client = &*handshake.client;
        Self {
            conn_id: handshake.conn_id.clone(),
            protocol: handshake.protocol,
            is_node: handshake.role == Role::Node,
            scopes: handshake.scopes.to_vec(),
            client_id: client.id.clone(),
            version: client.version.clone(),
            platform: client.platform.clone(),
            mode: client.mode.clone(),
            display_name: client.display_name.clone(),
            device_family: client.device_family.clone(),
            model_identifier: client.model_identifier.clone(),
            instance_id: client.instance_id.clone(),
            time_zone: client.time_zone.clone(),
            device_id: handshake.device_id.clone(),
            remote_ip: handshake.remote_ip.clone(),
            user: handshake.user.clone(),
            may_report_input: handshake.may_report_input,
            clock_skew_ms: handshake.clock_skew_ms,
            visitor: handshake.visitor,
        }
    }

    pub(super) fn handshake(&self) -> Handshake {
        Handshake {
            request_id: "1".into(),
            conn_id: self.conn_id.clone(),
            protocol: self.protocol,
            role: if self.is_node { Role::Node } else { Role::Operator },
            scopes: self.scopes.iter().cloned().collect(),
            client: Arc::new(ClientInfo {
                id: self.client_id.clone(),
                version: self.version.clone(),
                platform: self.platform.clone(),
                mode: self.mode.clone(),
                display_name: self.display_name.clone(),
                device_family: self.device_family.clone(),
                model_identifier: self.model_identifier.clone(),
                instance_id: self.instance_id.clone(),
                time_zone: self.time_zone.clone(),
            }),
            device_id: self.device_id.clone(),
            caps: Vec::new(),
            commands: Vec::new(),
            remote_ip: self.remote_ip.clone(),
            user: self.user.clone(),
            may_report_input: self.may_report_input,
            clock_skew_ms: self.clock_skew_ms,
            visitor: self.visitor,
        }
    }
}

impl Input {
    /// A handshake, redacted.
    #[must_use]
    pub fn join(serial: u64, handshake: &Handshake, redactor: &Redactor) -> Self {
        Self::Join(serial, Box::new(Joined::redacted(handshake, redactor)))
    }

    /// The end of a connection.
    #[must_use]
    pub fn leave(serial: u64, cause: LeaveCause) -> Self {
        Self::Leave(serial, word_of(cause).into())
    }

    /// A refused handshake, redacted; `None` unless the client's clock is the reason: findings use no others.
    #[must_use]
    pub fn refused(refused: &Refused, redactor: &Redactor) -> Option<Self> {
        let id = redactor.name(refused.client.id.as_deref().unwrap_or_default());
        Some(Self::RefusedClock(id, refused.clock_skew_ms?))
    }

    /// A call, redacted; `None` for those that change no row.
    #[must_use]
    pub fn call(serial: u64, request: &Request, redactor: &Redactor) -> Option<Self> {
        let (method, params) = match request.call.as_ref().ok()? {
            Call::SystemEvent(beacon) => ("system-event", Params::of_beacon(&redacted(beacon, redactor))),
            Call::NodeEvent(event) => {
                let payload = match event.report? {
                    NodeReport::Alive(trigger) => json!({ "trigger": trigger }),
                    NodeReport::Idle(seconds) => json!({ "idleSeconds": seconds }),
                    NodeReport::Clear => json!({ "action": "clear" }),
                    NodeReport::Invalid => return None,
                };
                (
                    "node.event",
                    Params::new(&json!({ "event": event.event, "payload": payload })),
                )
            }
            _ => return None,
        };
        Some(Self::Call(serial, method.into(), params))
    }
}

/// The word for why a connection ended.
pub(super) fn word_of(cause: LeaveCause) -> &'static str {
    match cause {
        LeaveCause::PeerClosed => "closed",
        LeaveCause::Silent => "silent",
        LeaveCause::WeClosed => "we-closed",
    }
}

/// The cause that [`word_of`] has the word for.
pub(super) fn cause_of(word: &str) -> LeaveCause {
    match word {
        "closed" => LeaveCause::PeerClosed,
        "silent" => LeaveCause::Silent,
        _ => LeaveCause::WeClosed,
    }
}

fn redacted(beacon: &Beacon, redactor: &Redactor) -> Beacon {
    let name = |text: &Option<Box<str>>| text.as_deref().map(|text| redactor.name(text));
    let word = |text: &Option<Box<str>>| text.as_deref().map(|text| redactor.word(text));
    Beacon {
        text: redactor.beacon_text(&beacon.text),
        instance_id: name(&beacon.instance_id),
        device_id: name(&beacon.device_id),
        host: name(&beacon.host),
        ip: beacon.ip.as_deref().map(|ip| redactor.ip(ip)),
        mode: word(&beacon.mode),
        version: word(&beacon.version),
        platform: word(&beacon.platform),
        device_family: word(&beacon.device_family),
        model_identifier: word(&beacon.model_identifier),
        last_input_seconds: beacon.last_input_seconds,
        reason: word(&beacon.reason),
        roles: redactor.words(&beacon.roles),
        scopes: redactor.words(&beacon.scopes),
        clear_last_input: beacon.clear_last_input,
        ttl_ms: beacon.ttl_ms,
    }
}
