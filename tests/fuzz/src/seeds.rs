//! Seeds, made from the vectors.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::gateway::USER_HEADER;

/// Number of seeds of a target that reads choices, not text.
const NOISES: u64 = 32;
const NOISE_BYTES: usize = 322;

/// Texts of beacons.
#[must_use]
pub fn beacon_texts() -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    for value in vectors() {
        walk(&value, &mut |value| {
            texts.extend(value["text"].as_str().map(|text| text.as_bytes().to_vec()));
            if value["function"] == "parseBeacon" {
                let cases = value["cases"].as_array().into_iter().flatten();
                let inputs = cases.filter_map(|case| case["in"][0].as_str());
                texts.extend(inputs.map(|text| text.as_bytes().to_vec()));
            }
        });
    }
    texts
}

/// Text frames of clients.
#[must_use]
pub fn frames() -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    for value in vectors() {
        walk(&value, &mut |step| {
            let request = |method: &Value| {
                let frame = json!({ "type": "req", "id": "1", "method": method, "params": step["params"] });
                frame.to_string().into_bytes()
            };
            match step["do"].as_str() {
                Some("call") => frames.push(request(&step["method"])),
                Some("beacon") => frames.push(request(&"system-event".into())),
                Some("send") => match &step["text"] {
                    Value::String(text) => frames.push(text.clone().into_bytes()),
                    _ => frames.push(step["json"].to_string().into_bytes()),
                },
                _ => {}
            }
        });
    }
    frames
}

/// Parameters of `connect`.
#[must_use]
pub fn connects() -> Vec<Vec<u8>> {
    let mut base = Value::Null;
    let mut others = Vec::new();
    for value in vectors() {
        if value["kind"] == "cast" {
            base = value["clients"]["base"]["params"].clone();
            let clients = value["clients"].as_object().into_iter().flatten();
            others.extend(clients.map(|(_, client)| client["params"].clone()));
        }
        walk(&value, &mut |step| {
            if step["do"] == "connect" && step["params"].is_object() {
                others.push(step["params"].clone());
            }
        });
    }
    let merged = others.into_iter().map(|over| {
        let mut params = base.clone();
        merge(&mut params, over);
        params.to_string().into_bytes()
    });
    merged.collect()
}

/// Lists, snapshots and deltas, one a line.
#[must_use]
pub fn lists() -> Vec<Vec<u8>> {
    let mut lists = Vec::new();
    for value in vectors() {
        walk(&value, &mut |table| {
            if table["function"] == "follow" {
                for case in table["cases"].as_array().into_iter().flatten() {
                    let payloads = case["in"][1].as_array().into_iter().flatten();
                    let lines: Vec<String> = payloads.map(Value::to_string).collect();
                    lists.push(lines.join("\n").into_bytes());
                }
            }
        });
    }
    lists
}

/// Frames that a gateway may send to a client.
#[must_use]
pub fn sessions() -> Vec<Vec<u8>> {
    let challenge = json!({ "type": "event", "event": "connect.challenge",
        "payload": { "nonce": "n", "ts": 1_800_000_000_000_u64 } });
    let hello = json!({ "type": "res", "id": "$id", "ok": true, "payload": { "type": "hello-ok", "protocol": 4,
        "server": { "version": "1", "connId": "c" }, "features": { "methods": ["presence.snapshot"],
        "events": ["presence", "presence.delta"] },
        "snapshot": { "presence": [], "keys": [], "version": 1, "stateVersion": { "presence": 1 } },
        "auth": { "role": "operator", "scopes": ["operator.read"] },
        "policy": { "maxPayload": 1_048_576, "tickIntervalMs": 30_000 } } });
    let begin = format!("{challenge}\n{hello}");
    let mut sessions = vec![
        begin.clone().into_bytes(),
        b"@wait 20000\n@close 1012\n@wait 5000".to_vec(),
    ];
    for list in lists() {
        let lines = String::from_utf8_lossy(&list).into_owned();
        let events = lines.lines().map(|line| {
            let event = if line.contains("\"from\"") {
                "presence.delta"
            } else {
                "presence.snapshot"
            };
            format!(r#"{{"type":"event","event":"{event}","payload":{line},"seq":1}}"#)
        });
        let events: Vec<String> = events.collect();
        sessions.push(format!("{begin}\n{}\n@wait 40000\n@close 1006", events.join("\n")).into_bytes());
    }
    sessions
}

/// HTTP requests.
#[must_use]
pub fn requests() -> Vec<Vec<u8>> {
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let lines = [
        "",
        upgrade,
        "Connection: close\r\n",
        "Content-Length: 0\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Origin: http://localhost\r\n",
        "X-Forwarded-For: 192.0.2.1\r\n",
        "If-None-Match: *\r\n",
    ];
    let targets = [
        "/",
        "/healthz",
        "/readyz?token=x",
        "*",
        "http://localhost/x",
        "/%2e%2e/x",
    ];
    let methods = ["GET", "HEAD", "POST", "OPTIONS"];
    let mut requests = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        for (by, target) in targets.iter().enumerate() {
            let method = methods[(at + by) % methods.len()];
            let version = if at + by == 7 { "1.0" } else { "1.1" };
            let request = format!("{method} {target} HTTP/{version}\r\nHost: localhost\r\n{line}\r\n");
            requests.push(request.into_bytes());
        }
    }
    for [address, user, origin] in openings() {
        let headers = [
            ("X-Forwarded-For", address),
            (USER_HEADER, user),
            ("Origin", origin),
        ];
        let headers = headers.map(|(name, value)| Some(format!("{name}: {}\r\n", value?)));
        let headers: String = headers.into_iter().flatten().collect();
        let request = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{upgrade}{headers}\r\n");
        requests.push(request.into_bytes());
    }
    requests
}

/// The addresses, users and origins with which clients of the vectors connect, and the other addresses there.
fn openings() -> BTreeSet<[Option<String>; 3]> {
    let text = |value: &Value| Some(value.as_str()?.replace("{i}", "1"));
    let mut openings = BTreeSet::new();
    for value in vectors() {
        walk(&value, &mut |of| {
            if of["do"] == "open"
                || of["do"] == "connect"
                || of["from"].is_string() && of["params"].is_object()
            {
                openings.insert([text(&of["from"]), text(&of["user"]), text(&of["origin"])]);
            }
            if of["function"] == "isLoopback" {
                let cases = of["cases"].as_array().into_iter().flatten();
                openings.extend(cases.map(|case| [text(&case["in"][0]), None, None]));
            }
            openings.insert([text(&of["ip"]), None, None]);
        });
    }
    openings
}

/// Headers of proxies: addresses, and users after an `@`.
#[must_use]
pub fn hops() -> Vec<Vec<u8>> {
    let texts = [
        "",
        "192.0.2.4",
        "203.0.113.9, 192.0.2.4",
        "192.0.2.4, 10.1.2.3, 127.0.0.1",
        "192.0.2.4:5678",
        "[2001:db8::7]:443",
        "[2001:db8::7]",
        "::ffff:192.0.2.4",
        "\"192.0.2.4\"",
        "10.7.7.7\n10.1.2.3",
        "unknown",
        "127.0.0.1",
        "192.0.2.4\n@ann",
        "@ann\n@bob",
        "@ zo\u{e9} ",
        "0.0.0.0",
        "::",
        "@undefined",
    ];
    let mut hops: Vec<Vec<u8>> = texts.map(|text| text.as_bytes().to_vec()).into();
    for [address, user, _] in openings() {
        let lines = [address, user.map(|user| format!("@{user}"))];
        let lines: Vec<String> = lines.into_iter().flatten().collect();
        hops.push(lines.join("\n").into_bytes());
    }
    hops
}

/// Pseudo-random bytes, equal in every run.
#[must_use]
pub fn noise() -> Vec<Vec<u8>> {
    let bytes = |seed: u64| {
        let mut state = seed;
        let next = move || {
            // SplitMix64.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (mixed ^ (mixed >> 27)) as u8
        };
        std::iter::repeat_with(next).take(NOISE_BYTES).collect()
    };
    (1..=NOISES).map(bytes).collect()
}

/// The files of `tests/vectors`, with placeholders replaced where a value of their type is needed.
fn vectors() -> Vec<Value> {
    let read = |path| {
        let text = fs::read_to_string(path).expect("a file");
        let text = text
            .replace(r#""$t""#, "1800000000000")
            .replace("$secret", "vector-secret");
        serde_json::from_str(&text).expect("JSON")
    };
    vector_files("", "json").map(read).collect()
}

/// The paths of the files with this extension in a folder of the vectors.
pub(crate) fn vector_files(folder: &str, extension: &str) -> impl Iterator<Item = PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../vectors")
        .join(folder);
    let mut paths: Vec<_> = fs::read_dir(folder)
        .expect("the vectors")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    paths.sort();
    paths.into_iter()
}

fn walk(value: &Value, see: &mut dyn FnMut(&Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, see)),
        Value::Object(members) => {
            see(value);
            members.values().for_each(|member| walk(member, see));
        }
        _ => {}
    }
}

fn merge(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (name, value) in over {
                merge(base.entry(name).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}
