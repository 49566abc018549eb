//! The events as the webhook sends them.

use bytes::Bytes;
use presence_core::roster::Visit;
use serde::Serialize;
use serde_json::value::RawValue;

/// The message of a join or a leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// Unique for each event, so that a receiver can detect a repeated one.
    pub(super) id: String,
    pub(super) body: Bytes,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    key: &'a str,
    joined_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    entry: &'a RawValue,
    boot_id: &'a str,
}

impl Event {
    /// Returns the event with this number in this run of the gateway.
    pub(super) fn new(visit: &Visit, boot_id: &str, number: u64) -> Option<Self> {
        // The hub always writes valid JSON.
        let entry: &RawValue = serde_json::from_str(&visit.entry).ok()?;
        let left = visit.left;
        let body = Body {
            kind: if left.is_some() { "leave" } else { "join" },
            key: &visit.key,
            joined_at: visit.joined_ms,
            left_at: left.map(|left| left.at_ms),
            seen_at: left.map(|left| left.seen_ms),
            why: left.map(|left| left.why.as_str()),
            entry,
            boot_id,
        };
        Some(Self {
            id: format!("{boot_id}-{number}"),
            body: serde_json::to_vec(&body).ok()?.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use presence_core::roster::{Left, VisitEnd};

    use super::*;

    #[test]
    fn the_body_of_a_join_and_of_a_leave() {
        let mut visit = Visit {
            key: "studio-9".into(),
            entry: r#"{"host":"studio","ts":5}"#.into(),
            joined_ms: 7,
            left: None,
        };
        let text = |visit: &Visit| {
            let event = Event::new(visit, "boot", 3).unwrap();
            assert_eq!(event.id, "boot-3");
            String::from_utf8(event.body.to_vec()).unwrap()
        };
        assert_eq!(
            text(&visit),
            r#"{"type":"join","key":"studio-9","joinedAt":7,"entry":{"host":"studio","ts":5},"bootId":"boot"}"#
        );
        visit.left = Some(Left {
            at_ms: 9,
            seen_ms: 8,
            why: VisitEnd::Stated,
        });
        assert_eq!(
            text(&visit),
            r#"{"type":"leave","key":"studio-9","joinedAt":7,"leftAt":9,"seenAt":8,"why":"stated","entry":{"host":"studio","ts":5},"bootId":"boot"}"#
        );
    }
}
