//! The client with frames of real gateways: recordings of OpenClaw 2026.2.12 (protocol 3) and 2026.9.6
//! (protocol 4), one text frame a line.
#![expect(clippy::unwrap_used, reason = "a test that unwraps nothing fails")]

use presence_core::client::{Client, ClientConfig, ClientOutput, ClientState};
use presence_core::model::ClientInfo;
use presence_core::{Now, Status};
use serde::de::IgnoredAny;
use serde_json::Value;

const FEBRUARY: &str = include_str!("recorded/openclaw-2026.2.12.jsonl");
const SEPTEMBER: &str = include_str!("recorded/openclaw-2026.9.6.jsonl");
/// Years away from the recordings.
const NOW: Now = Now {
    age_ms: 0,
    wall_ms: 1_600_000_000_000,
};

/// A client that is connecting, and requests deltas, which these gateways do not have.
fn client() -> Client {
    let client = ClientInfo {
        id: "gateway-client".into(),
        version: "0.0.0".into(),
        platform: "linux".into(),
        mode: "backend".into(),
        display_name: Some("gwclient-tap".into()),
        instance_id: Some("gwclient-tap".into()),
        ..ClientInfo::default()
    };
    let mut client = Client::new(ClientConfig::new(client), NOW);
    client.start(NOW);
    client.handle_open(1, NOW);
    client
}

/// The ids of the requests that a client sent since the last call.
fn requests(client: &mut Client) -> Vec<Value> {
    let outputs = std::iter::from_fn(|| client.poll_output());
    let sent = outputs.filter_map(|output| match output {
        ClientOutput::Send { text, .. } => serde_json::from_str::<Value>(&text).unwrap().get("id").cloned(),
        _ => None,
    });
    sent.collect()
}

/// Plays a recording. Answers get the id of the client's last request.
fn play(client: &mut Client, recording: &str, change: impl Fn(&str) -> String) {
    let mut last_id = Value::Null;
    for frame in recording.lines() {
        if let Some(id) = requests(client).pop() {
            last_id = id;
        }
        let frame_id = serde_json::from_str::<Value>(frame).unwrap();
        let id = frame_id.get("id").map(ToString::to_string);
        let text = id.map_or_else(
            || frame.to_owned(),
            |id| frame.replacen(&id, &last_id.to_string(), 1),
        );
        client.handle_text(1, &change(&text), NOW);
        if client.state() == ClientState::Live {
            // The recorded client sent its request and beacon at this point.
            let _ = client.request("system-presence", None, NOW);
        }
    }
}

#[test]
fn understands_a_gateway_of_protocol_3() {
    let mut client = client();
    play(&mut client, FEBRUARY, str::to_owned);
    let hello = client.hello().unwrap();
    assert_eq!(
        (hello.protocol, &*hello.server_version, hello.tick_interval_ms),
        (3, "dev", 30_000)
    );
    assert_eq!((hello.scopes.as_ref(), hello.presence_version), (None, Some(2)));
    assert!(hello.may_read() && hello.has_method("system-event"));
    let rows = client.mirror().rows();
    let keys: Vec<&str> = rows.iter().map(|row| row.key()).collect();
    assert_eq!(keys, ["self", "instance:gwclient-tap"]);
    assert_eq!(rows[1].entry().str("host"), Some("gwclient-host"));
    assert_eq!(
        rows[1].status(),
        Status::Active,
        "by the gateway's clock, not by this one"
    );
}

#[test]
fn understands_a_gateway_of_protocol_4() {
    let mut client = client();
    play(&mut client, SEPTEMBER, str::to_owned);
    let hello = client.hello().unwrap();
    assert_eq!((hello.protocol, &*hello.server_version), (4, "2026.9.6"));
    assert_eq!(
        hello.boot_id.as_deref(),
        Some("4bb4cbdd-bb4c-4088-8673-f820e5c6100a")
    );
    assert!(hello.may_read() && hello.has_method("system-event"));
    let rows = client.mirror().rows();
    let keys: Vec<&str> = rows.iter().map(|row| row.key()).collect();
    assert_eq!(keys, ["self", "instance:gwclient-tap", "instance:cli-x"]);
    assert_eq!(rows[2].entry().str("text"), Some("beacon"));
}

/// With a few changed bytes in frames, the client does not panic, and its timers continue.
#[test]
fn survives_mangled_frames() {
    for recording in [FEBRUARY, SEPTEMBER] {
        for seed in 0..400u64 {
            let mut client = client();
            play(&mut client, recording, |frame| mangled(frame, seed));
            let mut now = NOW;
            for _ in 0..20 {
                let Some(due_ms) = client.poll_timeout() else {
                    break;
                };
                now = now.after(due_ms.saturating_sub(now.age_ms) + 1);
                client.handle_timeout(now);
                requests(&mut client);
            }
            let mirror = client.mirror();
            assert_eq!(mirror.views(client.server_ms(now)).len(), mirror.len());
            assert!(serde_json::from_str::<IgnoredAny>(&mirror.raw_list_json()).is_ok());
            assert!(mirror.findings().iter().all(|finding| !finding.rows.is_empty()));
        }
    }
}

fn mangled(frame: &str, seed: u64) -> String {
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ frame.len() as u64;
    let mut draw = |n: usize| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % n
    };
    let mut bytes = frame.as_bytes().to_vec();
    for _ in 0..draw(4) {
        let at = draw(bytes.len());
        match draw(3) {
            0 => bytes[at] = b"0189-e.\"{}[],:nt\\u"[draw(18)],
            1 => drop(bytes.remove(at)),
            _ => bytes.truncate(bytes.len() - draw(bytes.len().min(40))),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
