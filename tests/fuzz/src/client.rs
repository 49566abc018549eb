//! A client whose gateway sends arbitrary frames: each line is a frame, or after an `@` another event.

use presence_core::Now;
use presence_core::client::{Client, ClientConfig, ClientOutput};
use presence_core::model::ClientInfo;
use presence_core::model::entry::MAX_SAFE_INTEGER;
use presence_core::wire::message::Message;
use presence_core::wire::presence::MAX_ROWS;
use presence_core::wire::{Call, ConnectParams, Request};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::naive::MAX_COMPARED_BYTES;

/// More lines find no more defects.
const MAX_LINES: usize = 64;
/// Most outputs of a client for one line.
const MAX_OUTPUTS: usize = 64;

/// Feeds the lines to a client, which must send only frames that a gateway accepts.
///
/// # Panics
/// When the client sends an invalid frame, reads another frame than the second reader, or has too many outputs.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut now = Now {
        age_ms: 1_000,
        wall_ms: 1_800_000_000_000,
    };
    let info = ClientInfo {
        id: "cli".into(),
        version: "1".into(),
        platform: "linux".into(),
        mode: "ui".into(),
        instance_id: Some("me".into()),
        ..ClientInfo::default()
    };
    let mut client = Client::new(ClientConfig::new(info), now);
    client.start(now);
    let (mut socket, mut last_id) = (0, String::from("1"));
    for line in text.lines().take(MAX_LINES) {
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            ["@close", code] => client.handle_close(socket, code.parse().unwrap_or(1006), "gone", now),
            ["@wait", ms] => {
                now = now.after(ms.parse::<u32>().unwrap_or(1).into());
                client.handle_timeout(now);
            }
            ["@start"] => client.start(now),
            ["@stop"] => client.stop(now),
            ["@hide"] => client.set_visible(false, now),
            ["@show"] => client.set_visible(true, now),
            ["@online"] => client.set_online(true, now),
            _ => {
                let frame = line.replace("$id", &last_id);
                check_read(&frame);
                client.handle_text(socket, &frame, now);
            }
        }
        let mut outputs = 0;
        while let Some(output) = client.poll_output() {
            outputs += 1;
            assert!(outputs < MAX_OUTPUTS, "the client does not come to rest");
            match output {
                ClientOutput::Open { socket: opened } => {
                    socket = opened;
                    client.handle_open(socket, now);
                }
                ClientOutput::Send { text, .. } => last_id = check(&text),
                _ => {}
            }
        }
        assert!(client.mirror().len() <= MAX_ROWS);
        assert!(client.poll_timeout().is_none_or(|at| at >= now.age_ms));
    }
}

/// Reads a frame of the gateway and compares what comes out with a `serde_json::Value`.
fn check_read(text: &str) {
    let read = Message::read(text);
    if text.len() > MAX_COMPARED_BYTES {
        return;
    }
    let Ok(frame) = serde_json::from_str::<Value>(text) else {
        // JSON that `Value` does not hold, such as halves of surrogate pairs, is not compared.
        assert!(read.is_none() || serde_json::from_str::<IgnoredAny>(text).is_ok());
        return;
    };
    let id = || frame["id"].as_str()?.parse::<u64>().ok();
    match (frame["type"].as_str(), read) {
        (Some("event"), Some(Message::Event(event))) => {
            assert_eq!(event.name, frame["event"].as_str().unwrap_or_default());
            let payload = serde_json::from_str::<Value>(event.payload.get());
            assert_eq!(payload.ok().as_ref(), Some(&frame["payload"]));
            check_integer(event.seq, &frame["seq"]);
            check_integer(event.presence_version, &frame["stateVersion"]["presence"]);
        }
        (Some("res"), Some(Message::Answer(answer))) => {
            assert_eq!(Some(answer.id), id());
            let (expected, read) = match answer.outcome {
                Ok(payload) => (&frame["payload"], payload.get()),
                Err(error) => (&frame["error"], error.map_or("null", |error| error.get())),
            };
            assert_eq!(answer.outcome.is_ok(), frame["ok"] == true);
            assert_eq!(serde_json::from_str::<Value>(read).ok().as_ref(), Some(expected));
        }
        (Some("res"), None) => assert_eq!(id(), None),
        (Some("event"), None) | (_, Some(_)) => panic!("{text}"),
        _ => {}
    }
}

/// Fractions, and numbers beyond the range of integers in JavaScript, are not compared.
fn check_integer(read: Option<u64>, value: &Value) {
    match value.as_u64() {
        Some(integer) if integer <= MAX_SAFE_INTEGER => assert_eq!(read, Some(integer)),
        None if !value.is_number() => assert_eq!(read, None),
        _ => assert!(read.is_some()),
    }
}

/// Checks a frame of the client as its gateway does; returns its id.
fn check(text: &str) -> String {
    let request = Request::parse(text).expect("a valid frame");
    let call = request.call.expect("valid parameters");
    if matches!(call, Call::Connect) {
        let frame: Value = serde_json::from_str(text).expect("JSON");
        ConnectParams::parse(&frame["params"].to_string()).expect("valid parameters of connect");
    }
    request.id.into()
}
