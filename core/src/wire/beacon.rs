//! The parameters of `system-event`: a beacon (SPEC 1.3).

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Deserializer};

use super::params::{Length, Members, ParamsError, Rule};
use super::tree::Tree;
use crate::model::beacon::{Beacon, CLEAR_LAST_INPUT_TAG, MAX_ITEMS, fits_text};
use crate::model::entry::{MAX_SAFE_INTEGER, MAX_STRING_UNITS, MAX_TEXT_BYTES, MAX_TEXT_UNITS};
use crate::model::text::trim;

/// The method's name.
pub(super) const METHOD: &str = "system-event";
/// Longest frame that [`read_plain`] reads, in bytes: it bounds the lists in it.
const MAX_PLAIN_BYTES: usize = 4 * 1_024;

/// The parameters in the frame. The derived reader accepts borrowed strings only: those without escapes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params<'a> {
    text: &'a str,
    #[serde(borrow, default, deserialize_with = "present")]
    instance_id: Option<&'a str>,
    #[serde(borrow, default, deserialize_with = "present")]
    device_id: Option<&'a str>,
    #[serde(borrow, default, deserialize_with = "present")]
    host: Option<&'a str>,
    #[serde(borrow, default, deserialize_with = "present")]
    ip: Option<&'a str>,
    #[serde(borrow, default, deserialize_with = "present")]
    mode: Option<&'a str>,
    #[serde(borrow, default, deserialize_with = "present")]
    version: Option<&'a str>,
    #[serde(borrow, default, deserialize_with = "present")]
    platform: Option<&'a str>,
    #[serde(borrow, default, deserialize_with = "present")]
    device_family: Option<&'a str>,
    #[serde(borrow, default, deserialize_with = "present")]
    model_identifier: Option<&'a str>,
    #[serde(default, deserialize_with = "present")]
    last_input_seconds: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    ttl_ms: Option<f64>,
    #[serde(borrow, default, deserialize_with = "present")]
    reason: Option<&'a str>,
    #[serde(borrow, default)]
    roles: Vec<&'a str>,
    #[serde(borrow, default)]
    scopes: Vec<&'a str>,
    #[serde(borrow, default)]
    tags: Vec<&'a str>,
    // OpenClaw's gateways check these, so an error in them is reported here as it would be there.
    #[serde(rename = "sessionKey", borrow, default, deserialize_with = "present")]
    _session_key: Option<&'a str>,
    #[serde(borrow, default, deserialize_with = "present")]
    idempotency_key: Option<&'a str>,
    #[serde(rename = "wake", default, deserialize_with = "present")]
    _wake: Option<bool>,
    /// Members of other names are decoded and dropped, and an array is not accepted as a struct. Within
    /// [`MAX_PLAIN_BYTES`] there cannot be more members than an object may have.
    #[serde(flatten)]
    _unknown: (),
}

/// An optional member that is not `null`.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// The frame of an ordinary beacon.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainFrame<'a> {
    r#type: &'a str,
    id: &'a str,
    method: &'a str,
    #[serde(borrow)]
    params: Params<'a>,
}

/// Reads the frame of a beacon: its id and the beacon. Most frames that a gateway gets are plain beacons, and this is
/// the fastest way to read them. `None` for any other frame, and for an escape, a repeated member, a string or list
/// that may be too long, or a wrong type: [`parse`] implements all of the rules.
pub(super) fn read_plain(text: &str) -> Option<(&str, Beacon)> {
    let is_candidate = text.len() <= MAX_PLAIN_BYTES && text.starts_with('{') && text.contains(METHOD);
    let frame: PlainFrame<'_> = is_candidate.then(|| serde_json::from_str(text).ok()).flatten()?;
    let params = &frame.params;
    // A string has at most as many units as bytes.
    let fits = |text: &str| text.len() <= MAX_STRING_UNITS;
    let is_plain = frame.r#type == "req"
        && frame.method == METHOD
        && !frame.id.is_empty()
        && fits(frame.id)
        && params.text.len() <= MAX_TEXT_UNITS
        && params.idempotency_key != Some("")
        && [&params.roles, &params.scopes, &params.tags]
            .iter()
            .all(|items| items.len() <= MAX_ITEMS && items.iter().all(|item| fits(item)));
    let beacon = is_plain.then(|| frame.params.into_beacon().ok()).flatten()?;
    let has_room = beacon.texts().all(|(name, text)| name == "text" || fits(text));
    has_room.then_some((frame.id, beacon))
}

/// Reads the parameters of a beacon. Unknown members are ignored.
pub(super) fn parse(params: &Tree<'_>) -> Result<Beacon, ParamsError> {
    let members = Members::of(params)?;
    let string = |name| members.optional_string(name, MAX_STRING_UNITS);
    let strings = |name| members.strings(name, MAX_ITEMS, MAX_STRING_UNITS);
    let params = Params {
        text: members.required_string("text", MAX_TEXT_UNITS)?,
        instance_id: string("instanceId")?,
        device_id: string("deviceId")?,
        host: string("host")?,
        ip: string("ip")?,
        mode: string("mode")?,
        version: string("version")?,
        platform: string("platform")?,
        device_family: string("deviceFamily")?,
        model_identifier: string("modelIdentifier")?,
        last_input_seconds: members.optional_number("lastInputSeconds")?,
        ttl_ms: members.optional_number("ttlMs")?,
        reason: string("reason")?,
        roles: strings("roles")?,
        scopes: strings("scopes")?,
        tags: strings("tags")?,
        _session_key: members.optional_string("sessionKey", Length::ANY)?,
        idempotency_key: members.optional_string("idempotencyKey", Length::nonempty(usize::MAX))?,
        _wake: members.optional_bool("wake")?,
        _unknown: (),
    };
    params.into_beacon()
}

impl Params<'_> {
    fn into_beacon(self) -> Result<Beacon, ParamsError> {
        let text = trim(self.text);
        if text.is_empty() {
            return Err(ParamsError::new("/text", Rule::TextRequired));
        }
        if !fits_text(text) {
            return Err(ParamsError::new("/text", Rule::TooLarge(MAX_TEXT_BYTES)));
        }
        Ok(Beacon {
            text: text.into(),
            instance_id: self.instance_id.map(Box::from),
            device_id: self.device_id.map(Box::from),
            host: self.host.map(Box::from),
            ip: self.ip.map(Box::from),
            mode: self.mode.map(Box::from),
            version: self.version.map(Box::from),
            platform: self.platform.map(Box::from),
            device_family: self.device_family.map(Box::from),
            model_identifier: self.model_identifier.map(Box::from),
            last_input_seconds: self.last_input_seconds.map(integer),
            reason: self.reason.map(Box::from),
            roles: trimmed(&self.roles),
            scopes: trimmed(&self.scopes),
            clear_last_input: self.tags.contains(&CLEAR_LAST_INPUT_TAG),
            ttl_ms: self.ttl_ms.map(integer),
        })
    }
}

/// Floors and clamps: one fraction breaks the mac app's whole list (SPEC 1.1).
fn integer(number: f64) -> u64 {
    // `as` floors towards zero and saturates; negative numbers become 0.
    (number as u64).min(MAX_SAFE_INTEGER)
}

fn trimmed(items: &[&str]) -> Vec<Box<str>> {
    let items = items.iter().map(|item| trim(item));
    items.filter(|item| !item.is_empty()).map(Box::from).collect()
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::{String, ToString};

    use serde_json::json;

    use super::*;

    fn parse_text(params: &serde_json::Value) -> Result<Beacon, ParamsError> {
        parse(&Tree::read(&params.to_string()).unwrap())
    }

    fn frame(params: &str) -> String {
        format!(r#"{{"type":"req","id":"7","method":"system-event","params":{params}}}"#)
    }

    #[test]
    fn plain_beacons_are_read_at_once() {
        for params in [
            r#"{"text":"t"}"#,
            r#"{"text":" Node: a · b ","host":"","ip":" ","lastInputSeconds":9007199254740993}"#,
            r#"{"text":"t","roles":["operator"," node ",""],"scopes":[],"lastInputSeconds":-1.5}"#,
            r#"{"text":"t","tags":["system-presence-clear-last-input"],"unknown":[{"a":1}]}"#,
            r#"{"reason":"r","modelIdentifier":"m","deviceFamily":"f","platform":"p","version":"v","mode":"o",
                "ip":"i","host":"h","deviceId":"d","instanceId":"n","lastInputSeconds":0,"text":"t"}"#,
        ] {
            let beacon = parse(&Tree::read(params).unwrap()).unwrap();
            assert_eq!(read_plain(&frame(params)), Some(("7", beacon)), "{params}");
        }
    }

    #[test]
    fn unusual_beacons_take_the_general_path() {
        let long = format!(r#"{{"text":"t","host":"{}"}}"#, "x".repeat(1_025));
        let many = format!(r#"{{"text":"t","scopes":["a"{}]}}"#, r#","a""#.repeat(MAX_ITEMS));
        let long_text = format!(r#"{{"text":"{}"}}"#, "x".repeat(4_097));
        let large = format!(r#"{{"text":"t"{}}}"#, " ".repeat(MAX_PLAIN_BYTES));
        for params in [
            "null",
            "[]",
            "{}",
            r#"["t"]"#,
            r#"{"text":" "}"#,
            r#"{"text":"\u0061"}"#,
            r#"{"text":"t","host":null}"#,
            r#"{"text":"t","host":5}"#,
            r#"{"text":"t","host":"a","host":"b"}"#,
            r#"{"text":"t","lastInputSeconds":null}"#,
            r#"{"text":"t","lastInputSeconds":"5"}"#,
            r#"{"text":"t","tags":null}"#,
            r#"{"text":"t","roles":["a",1]}"#,
            r#"{"text":"t","roles":{"0":"a"}}"#,
            r#"{"text":"t","wake":"yes"}"#,
            r#"{"text":"t","sessionKey":5}"#,
            r#"{"text":"t","idempotencyKey":""}"#,
            r#"{"text":"t","unknown":"\ud800"}"#,
            r#"{"text":"t","unknown":[1e999]}"#,
            &many,
            &long,
            &long_text,
            &large,
        ] {
            assert_eq!(read_plain(&frame(params)), None, "{params}");
        }
        for text in [
            r#"["req","7","system-event",{"text":"t"}]"#,
            r#"{"type":"res","id":"7","method":"system-event","params":{"text":"t"}}"#,
            r#"{"type":"req","id":"","method":"system-event","params":{"text":"t"}}"#,
            r#"{"type":"req","id":"7","method":"system-presence","params":{"text":"system-event"}}"#,
            r#"{"type":"req","id":"7","method":"system-event","params":{"text":"t"},"x":1}"#,
            r#"{"type":"req","id":"7","method":"system-event","params":{"text":"t"}} x"#,
        ] {
            assert_eq!(read_plain(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_become_integers() {
        for (sent, stored) in [(3.7, 3), (-4.0, 0), (1e300, MAX_SAFE_INTEGER)] {
            let beacon = parse_text(&json!({ "text": "t", "lastInputSeconds": sent })).unwrap();
            assert_eq!(beacon.last_input_seconds, Some(stored));
        }
    }

    #[test]
    fn refusals_name_the_member() {
        for (params, message) in [
            (
                json!({}),
                "invalid system-event params: must have required property 'text'",
            ),
            (json!({ "text": " \n" }), "text required"),
            (
                json!({ "text": "é".repeat(2_049) }),
                "invalid system-event params: at /text: must NOT have more than 4096 bytes encoded",
            ),
            (
                json!({ "text": "t", "host": null }),
                "invalid system-event params: at /host: must be string",
            ),
            (
                json!({ "text": "t", "lastInputSeconds": "5" }),
                "invalid system-event params: at /lastInputSeconds: must be number",
            ),
            (
                json!({ "text": "t", "roles": ["a", 1] }),
                "invalid system-event params: at /roles/1: must be string",
            ),
            (
                json!({ "text": "t", "ip": "x".repeat(1_025) }),
                "invalid system-event params: at /ip: must NOT have more than 1024 characters",
            ),
        ] {
            assert_eq!(
                crate::wire::WireError::invalid_params("system-event", &parse_text(&params).unwrap_err())
                    .message,
                message
            );
        }
    }
}
