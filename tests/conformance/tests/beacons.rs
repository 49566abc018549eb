//! Beacons are read as `serde_json`'s own values would be, whatever the frame.

use presence_core::model::Beacon;
use presence_core::model::beacon::CLEAR_LAST_INPUT_TAG;
use presence_core::wire::{Call, Request};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value};

/// The id and the beacon of a valid frame, by SPEC 1.3 and 2. The lengths that occur here are within the bounds,
/// but for strings of 1,025 units or more.
fn naive(text: &str) -> Option<(String, Beacon)> {
    let Value::Object(frame) = serde_json::from_str(text).ok()? else {
        return None;
    };
    let is_known = |name: &String| ["type", "id", "method", "params", "traceparent"].contains(&name.as_str());
    let params = frame.get("params")?.as_object()?;
    let is_valid = frame.keys().all(is_known)
        && frame.get("type")? == "req"
        && frame.get("method")? == "system-event"
        && frame.get("traceparent").is_none_or(Value::is_string)
        && params.get("sessionKey").is_none_or(Value::is_string)
        && params.get("wake").is_none_or(Value::is_boolean);
    optional(params, "idempotencyKey", |value| {
        value.as_str().filter(|key| !key.is_empty()).map(drop)
    })?;
    let beacon = Beacon {
        text: string(params.get("text")?, 4_096)?.trim().into(),
        instance_id: text_of(params, "instanceId")?,
        device_id: text_of(params, "deviceId")?,
        host: text_of(params, "host")?,
        ip: text_of(params, "ip")?,
        mode: text_of(params, "mode")?,
        version: text_of(params, "version")?,
        platform: text_of(params, "platform")?,
        device_family: text_of(params, "deviceFamily")?,
        model_identifier: text_of(params, "modelIdentifier")?,
        last_input_seconds: optional(params, "lastInputSeconds", |value| {
            let seconds = value.as_f64()?.floor().clamp(0.0, 9_007_199_254_740_991.0);
            Some(seconds as u64)
        })?,
        reason: text_of(params, "reason")?,
        roles: trimmed(&list(params, "roles")?),
        scopes: trimmed(&list(params, "scopes")?),
        clear_last_input: list(params, "tags")?
            .iter()
            .any(|tag| tag == CLEAR_LAST_INPUT_TAG),
        ttl_ms: optional(params, "ttlMs", |value| {
            let ms = value.as_f64()?.floor().clamp(0.0, 9_007_199_254_740_991.0);
            Some(ms as u64)
        })?,
    };
    let id = frame.get("id")?.as_str()?.to_owned();
    (is_valid && !beacon.text.is_empty()).then_some((id, beacon))
}

/// `None` if the member is there and not what `read` takes.
fn optional<T>(
    members: &Map<String, Value>,
    name: &str,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Option<Option<T>> {
    match members.get(name) {
        None => Some(None),
        Some(value) => read(value).map(Some),
    }
}

fn string(value: &Value, max: usize) -> Option<&str> {
    value.as_str().filter(|text| text.encode_utf16().count() <= max)
}

fn text_of(members: &Map<String, Value>, name: &str) -> Option<Option<Box<str>>> {
    optional(members, name, |value| string(value, 1_024).map(Into::into))
}

fn list(members: &Map<String, Value>, name: &str) -> Option<Vec<String>> {
    let strings = |value: &Value| {
        let items = value.as_array()?.iter();
        items.map(|item| string(item, 1_024).map(str::to_owned)).collect()
    };
    optional(members, name, strings).map(Option::unwrap_or_default)
}

fn trimmed(items: &[String]) -> Vec<Box<str>> {
    let items = items.iter().map(|item| item.trim());
    items.filter(|item| !item.is_empty()).map(Into::into).collect()
}

/// A value's JSON text: mostly what the member may hold.
fn value(good: &'static [&'static str]) -> impl Strategy<Value = String> {
    const ODD: [&str; 12] = [
        "null",
        "true",
        "-3",
        "1.5",
        "1e999",
        "{}",
        "[]",
        "[1]",
        r#""\ud800""#,
        r#"" \ud83d\ude00\u0009""#,
        r#""""#,
        "{\"a\":[\"b\",{\"c\":null}]}",
    ];
    let long = any::<bool>().prop_map(|is_ascii| {
        let letter = if is_ascii { "x" } else { "\u{e4}" };
        format!("\"{}\"", letter.repeat(1_020))
    });
    prop_oneof![
        20 => select(good).prop_map(str::to_owned),
        2 => select(&ODD[..]).prop_map(str::to_owned),
        1 => long,
    ]
}

fn member() -> impl Strategy<Value = String> {
    const TEXTS: [&str; 4] = [
        r#""a""#,
        r#"" mac \u00e4 ""#,
        r#""Node: a (10.0.0.1) · app 1 ""#,
        r#""""#,
    ];
    const LISTS: [&str; 4] = [
        "[]",
        r#"["operator"]"#,
        r#"["a"," b ",""]"#,
        r#"["system-presence-clear-last-input"]"#,
    ];
    const NUMBERS: [&str; 4] = ["0", "12", "9007199254740993", "18446744073709551616"];
    let strings = select(
        &[
            "host",
            "ip",
            "mode",
            "version",
            "platform",
            "deviceFamily",
            "modelIdentifier",
            "reason",
            "instanceId",
            "deviceId",
        ][..],
    );
    let any_name = select(
        &[
            "sessionKey",
            "idempotencyKey",
            "wake",
            "text",
            "unknown",
            "__proto__",
        ][..],
    );
    prop_oneof![
        8 => (strings, value(&TEXTS)).boxed(),
        3 => (select(&["roles", "scopes", "tags"][..]), value(&LISTS)).boxed(),
        2 => (Just("lastInputSeconds"), value(&NUMBERS)).boxed(),
        1 => (any_name, value(&TEXTS)).boxed(),
    ]
    .prop_map(|(name, value)| format!(r#""{name}":{value}"#))
}

fn frame() -> impl Strategy<Value = String> {
    let params = prop::collection::vec(member(), 0..8).prop_map(|mut members| {
        members.insert(members.len() / 2, r#""text":"t""#.to_owned());
        format!("{{{}}}", members.join(","))
    });
    let head = prop_oneof![
        9 => Just(r#""type":"req","id":"7","method":"system-event""#),
        1 => select(
            &[
                r#""type":"req","id":"\u0037","method":"system-event""#,
                r#""type":"req","id":7,"method":"system-event""#,
                r#""type":"req","method":"system-event""#,
                r#""type":"req","id":"7","method":"system\u002devent""#,
                r#""type":"req","id":"7","method":"system-event","traceparent":"t""#,
                r#""type":"req","id":"7","method":"system-event","x":1"#,
            ][..]
        ),
    ];
    (head, params).prop_map(|(head, params)| format!(r#"{{{head},"params":{params}}}"#))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_beacon_is_read_as_plain_values_are(text in frame()) {
        let read = Request::parse(&text).ok().and_then(|request| match request.call {
            Ok(Call::SystemEvent(beacon)) => Some((request.id.into_string(), *beacon)),
            _ => None,
        });
        prop_assert_eq!(read, naive(&text));
    }
}
