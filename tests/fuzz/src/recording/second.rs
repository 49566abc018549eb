//! A second reader of recordings, on `serde_json::Value` (SPEC 6.2).
//!
//! serde also reads the members of an object from a list, in their order, and a word without contents from an object
//! with `null`. No program of this project writes these spellings, so they are not compared.

use presence_core::model::entry::MAX_SAFE_INTEGER;
use presence_core::recording::{Header, Line, ReadError, Reader};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

const PARTS: [&str; 6] = ["start", "connection", "row", "ended", "refused", "event"];

/// Compares a header that was read with its text. Refused headers are not compared: their bounds are those of the
/// gateway's configuration.
pub(super) fn check_header(text: &str, read: &Header) {
    let Some(value) = value(text, true) else { return };
    assert!(value.is_object() && value["format"] == 1, "{text}");
    assert!(is_time(&value["at"]) && is_time(&value["wall"]), "{text}");
    check_written(&json!(read), &value);
}

/// Compares a line, with the line feed at its end, with what the core's reader gives for it after a line of the moment
/// `since_ms`.
pub(super) fn check_line(text: &str, header: &Header, since_ms: u64, read: &Result<Line, ReadError>) {
    let Some(value) = value(text, read.is_ok()) else {
        return;
    };
    let input = &value["input"];
    let has_lists = [&value, &input["join"][1], &value["expect"]]
        .iter()
        .any(|value| value.is_array());
    if has_lists || ["wake", "shutdown"].iter().any(|word| input.get(word).is_some()) {
        return;
    }
    let expected = line(&value).filter(|line| line["at"].as_u64() >= Some(since_ms) && text.ends_with('\n'));
    match (expected, read) {
        (Some(expected), Ok(line)) if expected["state"].is_object() => {
            check_written(&json!(line), &expected);
        }
        (Some(expected), Ok(line)) => assert_eq!(json!(line), expected),
        // The contents of a checkpoint are rules of the core alone.
        (Some(expected), Err(_)) if expected["state"].is_object() => {}
        (Some(_), Err(error)) => {
            // Only members that are stated twice are a reason to refuse it, and `Value` has each of them once.
            let header = Header {
                at: since_ms,
                ..header.clone()
            };
            let once = format!("{}\n{value}\n", json!(header));
            let again = Reader::new(&once).map(|mut reader| reader.next());
            assert!(matches!(again, Ok(Some(Ok(_)))), "{error}: {text}");
        }
        (None, Ok(line)) => panic!("{line:?}: {text}"),
        (None, Err(_)) => {}
    }
}

/// The text as JSON; `None` for invalid JSON, and for what `Value` does not hold, such as halves of surrogate pairs.
fn value(text: &str, is_read: bool) -> Option<Value> {
    let value = serde_json::from_str(text).ok();
    assert!(
        value.is_some() || !is_read || serde_json::from_str::<IgnoredAny>(text).is_ok(),
        "{text}"
    );
    value
}

/// The line as the core must write it, or `None` if it breaks a rule.
fn line(value: &Value) -> Option<Value> {
    let (mut steps, mut members) = (0, json!({}));
    for (name, value) in value.as_object()? {
        let read = match name.as_str() {
            "at" | "wall" => Some(value.clone()).filter(is_time),
            "input" | "digest" | "state" | "expect" | "gap" if value.is_null() => continue,
            step => {
                steps += 1;
                match step {
                    "input" => input(value),
                    "digest" => Some(value.clone()).filter(Value::is_string),
                    "state" => Some(value.clone()).filter(is_part),
                    "expect" => expect(value),
                    "gap" => Some(value.clone()).filter(Value::is_u64),
                    _ => None,
                }
            }
        };
        members[name] = read?;
    }
    let has_moment = members.get("at").is_some() && members.get("wall").is_some();
    (has_moment && steps == 1).then_some(members)
}

fn input(value: &Value) -> Option<Value> {
    let Some(of) = value.as_object() else {
        return Some(value.clone()).filter(|word| word == "wake" || word == "shutdown");
    };
    let (name, value) = of.iter().next().filter(|_| of.len() == 1)?;
    let items = value.as_array().map(Vec::as_slice);
    match (name.as_str(), items) {
        ("join", Some([serial, with])) if serial.is_u64() => Some(json!({ "join": [serial, joined(with)?] })),
        ("leave", Some([serial, cause])) if serial.is_u64() && cause.is_string() => Some(json!(of)),
        ("call", Some([serial, method, _])) if serial.is_u64() && method.is_string() => Some(json!(of)),
        ("refused-clock", Some([id, ms])) if id.is_string() && ms.is_i64() => Some(json!(of)),
        ("pong", None) if value.is_u64() => Some(json!(of)),
        _ => None,
    }
}

/// The members of a handshake, all of which may be absent. Unknown ones are ignored.
fn joined(value: &Value) -> Option<Value> {
    let mut joined = json!({
        "connId": "", "protocol": 0, "isNode": false, "scopes": [], "clientId": "", "version": "", "platform": "",
        "mode": "", "mayReportInput": false,
    });
    for (name, value) in value.as_object()? {
        let is_valid = match name.as_str() {
            "connId" | "clientId" | "version" | "platform" | "mode" => value.is_string(),
            "protocol" => value.as_u64().is_some_and(|number| u32::try_from(number).is_ok()),
            "isNode" | "mayReportInput" => value.is_boolean(),
            "scopes" => is_texts(value),
            _ if value.is_null() => continue,
            "displayName" | "deviceFamily" | "modelIdentifier" | "instanceId" | "timeZone" | "deviceId"
            | "remoteIp" | "user" => value.is_string(),
            "clockSkewMs" => value.is_i64(),
            "visitor" => value.is_u64(),
            _ => continue,
        };
        joined[name] = Some(value.clone()).filter(|_| is_valid)?;
    }
    Some(joined)
}

fn expect(value: &Value) -> Option<Value> {
    let [finding, rows, evidence] = ["finding", "rows", "evidence"].map(|name| &value[name]);
    let is_valid = finding.is_string() && is_texts(rows) && is_texts(evidence);
    is_valid.then(|| json!({ "finding": finding, "rows": rows, "evidence": evidence }))
}

fn is_time(value: &Value) -> bool {
    value.as_u64().is_some_and(|time| time <= MAX_SAFE_INTEGER)
}

fn is_texts(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|items| items.iter().all(Value::is_string))
}

fn is_part(value: &Value) -> bool {
    let of = value.as_object();
    of.is_some_and(|of| of.len() == 1 && of.keys().all(|name| PARTS.contains(&name.as_str())))
}

/// Checks that each member that was read, and is written again, has the value that the text gives for it. A member that
/// the text lacks has its type's default.
fn check_written(written: &Value, given: &Value) {
    match (written, given) {
        (Value::Object(written), Value::Object(given)) => {
            for (name, written) in written {
                match given.get(name) {
                    Some(given) => check_written(written, given),
                    None => assert!(is_default(written), "{name} is {written}: {given:?}"),
                }
            }
        }
        (Value::Array(written), Value::Array(given)) if written.len() == given.len() => {
            written
                .iter()
                .zip(given)
                .for_each(|(written, given)| check_written(written, given));
        }
        (Value::Object(_), Value::Array(_)) | (Value::String(_), Value::Object(_)) => {}
        _ => assert_eq!(written, given),
    }
}

fn is_default(value: &Value) -> bool {
    match value {
        Value::Object(of) => of.values().all(is_default),
        value => [json!(null), json!(false), json!(0), json!(""), json!([])].contains(value),
    }
}
