//! Text frames of clients, against a reader on `serde_json::Value`.

use presence_conformance::model::text::trimmed;
use presence_core::model::beacon::Beacon;
use presence_core::model::entry::{MAX_SAFE_INTEGER, MAX_STRING_UNITS, MAX_TEXT_BYTES, MAX_TEXT_UNITS};
use presence_core::wire::request::MAX_ID_UNITS;
use presence_core::wire::{Call, FrameError, Method, Request};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::naive::{Bad, MAX_COMPARED_BYTES, Members, boolean, number, string, strings};

const KNOWN: [&str; 6] = [
    "type",
    "id",
    "method",
    "params",
    "traceparent",
    "expectedProfileId",
];

/// Reads the bytes as a frame and compares what comes out.
///
/// # Panics
/// When the two readers disagree.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let read = Request::parse(text);
    if text.len() > MAX_COMPARED_BYTES {
        return;
    }
    if serde_json::from_str::<IgnoredAny>(text).is_err() {
        assert_eq!(read, Err(FrameError::NotJson));
        return;
    }
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        // Values beyond the range of a program's types are allowed only in the parameters of an unknown method.
        match read {
            Err(error) => assert_ne!(error, FrameError::NotJson),
            Ok(request) => assert!(request.call.is_err(), "{request:?}"),
        }
        return;
    };
    match (expected(&value), read) {
        (Ok((id, method)), Ok(request)) => {
            assert_eq!(id, &*request.id);
            check_call(method, &value, &request);
        }
        (Err(Bad), Err(FrameError::Invalid { id, .. })) => {
            let of = value
                .as_object()
                .and_then(|of| string(of, "id", 1, MAX_ID_UNITS).ok());
            assert_eq!(of.flatten(), id.as_deref());
        }
        (expected, read) => panic!("expected {expected:?}, read {read:?}"),
    }
}

/// The id and the method of a valid frame.
fn expected(frame: &Value) -> Result<(&str, &str), Bad> {
    let of = frame.as_object().ok_or(Bad)?;
    string(of, "traceparent", 0, 128)?;
    string(of, "expectedProfileId", 0, usize::MAX)?;
    let is_request = string(of, "type", 0, usize::MAX)? == Some("req");
    if !is_request || of.keys().any(|name| !KNOWN.contains(&name.as_str())) {
        return Err(Bad);
    }
    let id = string(of, "id", 1, MAX_ID_UNITS)?.ok_or(Bad)?;
    let method = string(of, "method", 1, usize::MAX)?.ok_or(Bad)?;
    Ok((id, method))
}

fn check_call(method: &str, frame: &Value, request: &Request) {
    assert_eq!(Method::find(method).is_some(), is_known(request), "{method}");
    if method == "system-event" {
        let beacon = frame["params"].as_object().ok_or(Bad).and_then(beacon);
        match (&beacon, &request.call) {
            (Ok(expected), Ok(Call::SystemEvent(read))) => assert_eq!(expected, &**read),
            (Err(Bad), Err(_)) => {}
            (expected, read) => panic!("expected {expected:?}, read {read:?}"),
        }
    }
    // An ignored member disables a beacon's fast path, and changes nothing else.
    let mut slow = frame.clone();
    slow["traceparent"] = "00".into();
    let slow = Request::parse(&slow.to_string());
    assert_eq!(slow.as_ref(), Ok(request));
}

fn is_known(request: &Request) -> bool {
    !matches!(&request.call, Err(error) if error.message.starts_with("unknown method"))
}

fn beacon(of: &Members) -> Result<Beacon, Bad> {
    let one = |name| Ok(string(of, name, 0, MAX_STRING_UNITS)?.map(Box::from));
    let list = |name| strings(of, name, 64, 0, MAX_STRING_UNITS);
    let set = |name| {
        let items = list(name)?;
        let items = items
            .iter()
            .map(|item| trimmed(item))
            .filter(|item| !item.is_empty());
        Ok(items.map(Box::from).collect())
    };
    let text = trimmed(string(of, "text", 0, MAX_TEXT_UNITS)?.ok_or(Bad)?);
    string(of, "sessionKey", 0, usize::MAX)?;
    string(of, "idempotencyKey", 1, usize::MAX)?;
    boolean(of, "wake")?;
    if text.is_empty() || serde_json::json!(text).to_string().len() - 2 > MAX_TEXT_BYTES {
        return Err(Bad);
    }
    Ok(Beacon {
        text: text.into(),
        instance_id: one("instanceId")?,
        device_id: one("deviceId")?,
        host: one("host")?,
        ip: one("ip")?,
        mode: one("mode")?,
        version: one("version")?,
        platform: one("platform")?,
        device_family: one("deviceFamily")?,
        model_identifier: one("modelIdentifier")?,
        last_input_seconds: number(of, "lastInputSeconds")?
            .map(|seconds| (seconds.max(0.0) as u64).min(MAX_SAFE_INTEGER)),
        reason: one("reason")?,
        roles: set("roles")?,
        scopes: set("scopes")?,
        clear_last_input: list("tags")?
            .iter()
            .any(|tag| tag == "system-presence-clear-last-input"),
        ttl_ms: number(of, "ttlMs")?.map(|ms| (ms.max(0.0) as u64).min(MAX_SAFE_INTEGER)),
    })
}
