//! The payloads of `node.event` that are about presence (SPEC 2, "Nodes").

use alloc::boxed::Box;

use super::params::{Length, Members, ParamsError};
use super::tree::Tree;
use crate::model::entry::MAX_STRING_UNITS;

/// Longest idle time that a node may report, in seconds: 30 days.
pub const MAX_IDLE_SECONDS: u64 = 2_592_000;

/// Most UTF-16 units of an event's name.
const MAX_EVENT_UNITS: usize = 256;

/// The reasons for which a node reports that it is alive. The first one replaces unknown reasons.
const TRIGGERS: [&str; 6] = [
    "background",
    "silent_push",
    "bg_app_refresh",
    "significant_location",
    "manual",
    "connect",
];

/// Members of `node.presence.alive` that are checked and not used: the handshake states them.
const DESCRIPTIONS: [&str; 6] = [
    "displayName",
    "version",
    "platform",
    "deviceFamily",
    "modelIdentifier",
    "pushTransport",
];

/// A node's report about its presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeReport {
    /// `node.presence.alive`: the node is alive, for this reason.
    Alive(&'static str),
    /// `node.presence.activity`: seconds since the last user input.
    Idle(u64),
    /// `node.presence.activity`: the last user input is no longer reported.
    Clear,
    /// `node.presence.alive` or `node.presence.activity` with a payload that is not valid.
    Invalid,
}

/// The parameters of `node.event`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeEvent {
    /// The event's name.
    pub event: Box<str>,
    /// The report, if the event is one about presence.
    pub report: Option<NodeReport>,
}

/// Reads the parameters of `node.event`. The payload is the JSON text in `payloadJSON`, or the object in `payload`;
/// a bad one is [`NodeReport::Invalid`].
pub(super) fn parse(params: &Tree<'_>) -> Result<NodeEvent, ParamsError> {
    let members = Members::of(params)?;
    let event = members.required_string("event", Length::nonempty(MAX_EVENT_UNITS))?;
    let text = members.optional_string("payloadJSON", Length::ANY)?;
    let read = match event {
        "node.presence.alive" => alive,
        "node.presence.activity" => activity,
        _ => {
            let event = event.into();
            return Ok(NodeEvent { event, report: None });
        }
    };
    let report = match text {
        Some(text) => Tree::read(text).ok().and_then(|payload| read(&payload).ok()),
        None => members.get("payload").and_then(|payload| read(payload).ok()),
    };
    Ok(NodeEvent {
        event: event.into(),
        report: Some(report.unwrap_or(NodeReport::Invalid)),
    })
}

fn alive(payload: &Tree<'_>) -> Result<NodeReport, ParamsError> {
    let members = Members::of(payload)?;
    let mut known = alloc::vec!["trigger", "sentAtMs"];
    known.extend(DESCRIPTIONS);
    members.closed(&known)?;
    let trigger = members.required_string("trigger", Length::ANY)?;
    for name in DESCRIPTIONS {
        members.optional_string(name, Length::nonempty(MAX_STRING_UNITS))?;
    }
    if members.get("sentAtMs").is_some() {
        members.required_integer("sentAtMs", 0)?;
    }
    let is_it = |known: &&&str| **known == trigger;
    Ok(NodeReport::Alive(
        TRIGGERS.iter().find(is_it).unwrap_or(&TRIGGERS[0]),
    ))
}

fn activity(payload: &Tree<'_>) -> Result<NodeReport, ParamsError> {
    let members = Members::of(payload)?;
    if members.get("action").is_some() {
        members.closed(&["action"])?;
        members.constant("action", "clear")?;
        return Ok(NodeReport::Clear);
    }
    members.closed(&["idleSeconds", "saturated"])?;
    members.optional_bool("saturated")?;
    let seconds = members.required_integer("idleSeconds", 0)?;
    Ok(if seconds <= MAX_IDLE_SECONDS {
        NodeReport::Idle(seconds)
    } else {
        NodeReport::Invalid
    })
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;

    use super::*;

    fn parse_text(params: &str) -> Result<NodeEvent, ParamsError> {
        parse(&Tree::read(params).unwrap())
    }

    fn report(event: &str, payload: &str) -> Option<NodeReport> {
        let text = serde_json::to_string(payload).unwrap();
        parse_text(&format!(r#"{{"event":"{event}","payloadJSON":{text}}}"#))
            .unwrap()
            .report
    }

    #[test]
    fn signs_of_life() {
        for (payload, wanted) in [
            (r#"{"trigger":"silent_push"}"#, NodeReport::Alive("silent_push")),
            (r#"{"trigger":"moon phase"}"#, NodeReport::Alive("background")),
            (
                r#"{"trigger":"connect","sentAtMs":5,"displayName":"pi","pushTransport":"apns"}"#,
                NodeReport::Alive("connect"),
            ),
            (r#"{}"#, NodeReport::Invalid),
            (r#"{"trigger":null}"#, NodeReport::Invalid),
            (r#"{"trigger":"connect","sentAtMs":-1}"#, NodeReport::Invalid),
            (r#"{"trigger":"connect","version":""}"#, NodeReport::Invalid),
            (r#"{"trigger":"connect","more":1}"#, NodeReport::Invalid),
            ("[]", NodeReport::Invalid),
            ("no JSON", NodeReport::Invalid),
        ] {
            assert_eq!(report("node.presence.alive", payload), Some(wanted), "{payload}");
        }
    }

    #[test]
    fn last_inputs() {
        for (payload, wanted) in [
            (r#"{"idleSeconds":0}"#, NodeReport::Idle(0)),
            (
                r#"{"idleSeconds":2592000,"saturated":true}"#,
                NodeReport::Idle(MAX_IDLE_SECONDS),
            ),
            (r#"{"action":"clear"}"#, NodeReport::Clear),
            (r#"{"idleSeconds":2592001}"#, NodeReport::Invalid),
            (r#"{"idleSeconds":-1}"#, NodeReport::Invalid),
            (r#"{"idleSeconds":1.5}"#, NodeReport::Invalid),
            (r#"{"idleSeconds":1,"saturated":"yes"}"#, NodeReport::Invalid),
            (r#"{"idleSeconds":1,"action":"clear"}"#, NodeReport::Invalid),
            (r#"{"action":"reset"}"#, NodeReport::Invalid),
        ] {
            assert_eq!(
                report("node.presence.activity", payload),
                Some(wanted),
                "{payload}"
            );
        }
    }

    #[test]
    fn payloads_may_be_objects_and_other_events_are_not_handled() {
        let params = r#"{"event":"node.presence.activity","payload":{"idleSeconds":3}}"#;
        assert_eq!(parse_text(params).unwrap().report, Some(NodeReport::Idle(3)));
        let params = r#"{"event":"node.presence.alive"}"#;
        assert_eq!(parse_text(params).unwrap().report, Some(NodeReport::Invalid));
        assert_eq!(report("node.host.stats", "{}"), None);
        let long = format!(r#"{{"event":"{}"}}"#, String::from("x").repeat(257));
        assert!(parse_text(&long).is_err());
    }
}
