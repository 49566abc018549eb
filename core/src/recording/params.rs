//! The parameters of a call.

use alloc::boxed::Box;
use alloc::string::String;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::model::Beacon;
use crate::model::beacon::CLEAR_LAST_INPUT_TAG;
use crate::model::json::ObjectText;

/// The parameters of a call, as JSON text: a replay hands them to the parser of requests.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Params(Box<RawValue>);

impl Params {
    /// Encodes a value as parameters.
    #[must_use]
    pub fn new(params: &impl Serialize) -> Self {
        // Texts, numbers and lists always serialise.
        Self(to_raw_value(params).unwrap_or_default())
    }

    /// Returns the parameters of the `system-event` of a beacon.
    pub(super) fn of_beacon(beacon: &Beacon) -> Self {
        let mut params = ObjectText::new();
        for (name, text) in beacon.texts() {
            params.text(name, text);
        }
        if let Some(seconds) = beacon.last_input_seconds {
            params.number("lastInputSeconds", seconds);
        }
        if let Some(ttl_ms) = beacon.ttl_ms {
            params.number("ttlMs", ttl_ms);
        }
        for (name, items) in [("roles", &beacon.roles), ("scopes", &beacon.scopes)] {
            if !items.is_empty() {
                params.texts(name, &mut items.iter().map(|item| &**item));
            }
        }
        if beacon.clear_last_input {
            params.texts("tags", &mut core::iter::once(CLEAR_LAST_INPUT_TAG));
        }
        Self(RawValue::from_string(params.end()).unwrap_or_default())
    }

    /// Returns the frame of a request with these parameters.
    pub(super) fn request(&self, method: &str) -> String {
        let method = crate::model::json::json_text(method);
        let params = self.0.get();
        alloc::format!(r#"{{"type":"req","id":"1","method":{method},"params":{params}}}"#)
    }
}

impl PartialEq for Params {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Call, Request};

    #[test]
    fn a_beacon_is_read_back() {
        let text = |text: &str| Some(Box::from(text));
        // Without `..`, so that a new member is a compile error here.
        let beacon = Beacon {
            text: "t".into(),
            instance_id: text("i"),
            device_id: text("d"),
            host: text("h"),
            ip: text("10.0.0.5"),
            mode: text(""),
            version: text("1 \"x\""),
            platform: text("p"),
            device_family: text("f"),
            model_identifier: text("m"),
            last_input_seconds: Some(7),
            reason: text("r"),
            roles: ["operator".into()].into(),
            scopes: ["a".into(), "b".into()].into(),
            clear_last_input: true,
            ttl_ms: Some(60_000),
        };
        for beacon in [beacon, Beacon::new("only a text")] {
            let request = Request::parse(&Params::of_beacon(&beacon).request("system-event")).unwrap();
            assert_eq!(request.call, Ok(Call::SystemEvent(beacon.into())));
        }
    }
}
