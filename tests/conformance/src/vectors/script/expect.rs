//! Expectations of scripts: responses, and all messages that a connection received.

use serde_json::{Value, json};

use super::{Run, frame_of};
use crate::fail;
use crate::vectors::Failure;
use crate::vectors::target::{Item, Received, Target};
use crate::vectors::values::{Use, compare, short};

impl<T: Target> Run<'_, T> {
    pub(super) fn check_response(
        &self,
        response: &Value,
        result: Option<&Value>,
        error: Option<&Value>,
    ) -> Result<(), Failure> {
        let used = Use::Expected { at: self.at };
        if let Some(error) = error {
            if response["ok"] != false {
                fail!("not refused: {}", short(response));
            }
            let expected = self.context.expand(error, used)?;
            return compare(&expected, &response["error"]).map_err(|failure| failure.at("error"));
        }
        if response["ok"] != true {
            fail!("refused: {}", short(response));
        }
        let Some(result) = result else { return Ok(()) };
        let expected = self.context.expand(result, used)?;
        // A payload of `null` may be left out.
        let payload = response.get("payload").unwrap_or(&Value::Null);
        compare(&expected, payload).map_err(|failure| failure.at("payload"))
    }

    pub(super) fn compare_next(&mut self, conn: &str, expected: &Value) -> Result<(), Failure> {
        let Some(received) = self.conn(conn)?.pending.pop_front() else {
            fail!("nothing received, expected {}", short(expected));
        };
        self.compare_item(expected, &received)
    }

    /// Compares all that a connection received with what it should have.
    pub(super) fn expect(&mut self, conn: &str, items: &[Value]) -> Result<(), Failure> {
        self.watched.insert(conn.to_owned());
        let received = self.take_compared(conn)?;
        for (index, expected) in items.iter().enumerate() {
            let Some(received) = received.get(index) else {
                fail!("[{index}]: nothing received, expected {}", short(expected));
            };
            self.compare_item(expected, received)
                .map_err(|failure| failure.at(format!("[{index}]")))?;
        }
        match received.get(items.len()) {
            Some(extra) => fail!("unexpected {:?}", extra.item),
            None => Ok(()),
        }
    }

    /// Messages that were not examined, without ignored events.
    pub(super) fn take_compared(&mut self, conn: &str) -> Result<Vec<Received>, Failure> {
        let ignored = &self.script.ignore_events;
        let is_compared = |received: &Received| {
            let event = frame_of(received).and_then(|frame| frame["event"].as_str().map(str::to_owned));
            event.is_none_or(|event| !ignored.contains(&event))
        };
        let pending = std::mem::take(&mut self.conn(conn)?.pending);
        Ok(pending.into_iter().filter(is_compared).collect())
    }

    fn compare_item(&self, expected: &Value, received: &Received) -> Result<(), Failure> {
        let expected = self.context.expand(expected, Use::Expected { at: received.at })?;
        let item = match &received.item {
            Item::Ping => json!({ "ping": true }),
            Item::Close(code, reason) => json!({ "close": [code, reason] }),
            Item::Text(text) => serde_json::from_str(text)?,
        };
        compare(&whole_frame(&expected), &item)
            .map_err(|failure| failure.at(format!("received {}; difference", short(&item))))
    }
}

/// The short forms of events, in full.
fn whole_frame(expected: &Value) -> Value {
    let names: Option<Vec<_>> = expected
        .as_object()
        .map(|members| members.keys().map(String::as_str).collect());
    match names.as_deref() {
        Some(["presence", "seq", "version"]) => json!({
            "type": "event",
            "event": "presence",
            "payload": { "presence": expected["presence"] },
            "seq": expected["seq"],
            "stateVersion": { "presence": expected["version"], "health": 1 },
        }),
        Some(["delta", "seq"]) => keyed_event("presence.delta", expected, "delta", "to"),
        Some(["seq", "snapshot"]) => keyed_event("presence.snapshot", expected, "snapshot", "version"),
        Some(["seq", "tick"]) => json!({
            "type": "event",
            "event": "tick",
            "payload": { "ts": expected["tick"] },
            "seq": expected["seq"],
        }),
        _ => expected.clone(),
    }
}

/// An event of a delta client; `version` is the member of its payload that says where it leads.
fn keyed_event(event: &str, expected: &Value, payload: &str, version: &str) -> Value {
    let payload = &expected[payload];
    json!({
        "type": "event",
        "event": event,
        "payload": payload,
        "seq": expected["seq"],
        "stateVersion": { "presence": payload[version], "health": 1 },
    })
}
