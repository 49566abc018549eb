//! Seeds for recordings: those of the vectors, whole ones, ones that begin with a checkpoint, and hostile ones.

use std::fs;

use presence_core::Now;
use presence_core::recording::{Recorder, Redactor};
use presence_core::server::HubConfig;
use presence_core::wire::Limits;
use serde_json::{Value, json};

use crate::seeds::vector_files;

const START: Now = Now {
    age_ms: 1_000,
    wall_ms: 1_700_000_000_000,
};

/// All of them.
pub(crate) fn recordings() -> Vec<Vec<u8>> {
    let config = HubConfig {
        limits: Limits::default(),
        ttl_ms: 60_000,
        max_entries: 6,
        ephemeral_modes: vec!["cli".into()],
        hash_seed: 7,
        server_version: "1".into(),
        boot_id: "boot".into(),
        self_entry: serde_json::from_value(
            json!({ "host": "gw", "mode": "gateway", "reason": "self", "ts": 0 }),
        )
        .expect("a row"),
        auth_mode: "none",
    };
    let (mut recorder, mut whole) = Recorder::new(&config, &Redactor::new([7; 32]), START);
    let mut continued = String::new();
    for (at, input) in inputs().into_iter().enumerate() {
        let now = START.after(at as u64 * 9_000);
        let lines = recorder.record(serde_json::from_value(input).expect("an input"), now);
        whole.push_str(&lines);
        if !continued.is_empty() {
            continued.push_str(&lines);
        }
        if at == 6 {
            whole.push_str(&recorder.digest(now));
            continued = recorder.restart(now);
        }
    }
    whole.push_str(&recorder.gap(3, START.after(500_000)));
    let mut seeds = vec![whole.clone(), continued.clone()];
    seeds.extend(hostile(&whole));
    seeds.extend(hostile(&continued));
    let files = vector_files("recordings", "jsonl");
    seeds.extend(files.map(|path| fs::read_to_string(path).expect("a file")));
    seeds.into_iter().map(String::into_bytes).collect()
}

fn inputs() -> Vec<Value> {
    let join = |serial: u64, id: &str, mode: &str, is_node: bool| {
        json!({ "join": [serial, {
            "connId": format!("c-{serial}"), "protocol": 4, "isNode": is_node, "scopes": ["operator.admin"],
            "clientId": "test", "version": "1", "platform": "linux", "mode": mode, "displayName": id,
            "instanceId": id, "remoteIp": "192.0.2.7", "user": "u", "clockSkewMs": -90_000, "mayReportInput": true,
        }] })
    };
    let beacon = json!({
        "text": "Node: h (192.0.2.9) \u{b7} app 1.2 \u{b7} last input 12s ago \u{b7} mode ui \u{b7} reason launch",
        "instanceId": "Mac-1", "lastInputSeconds": 3, "deviceId": "d", "roles": ["r"],
    });
    vec![
        join(1, "Mac-1", "ui", false),
        join(2, "mac -1", "webchat", false),
        join(3, "node", "node", true),
        json!({ "call": [1, "system-event", beacon] }),
        json!({ "call": [3, "node.event", { "event": "node.presence.activity", "payload": { "idleSeconds": 4 } }] }),
        json!({ "pong": 1 }),
        json!({ "leave": [2, "closed"] }),
        json!("wake"),
        join(4, "undefined", "cli", false),
        json!({ "call": [4, "system-event", { "text": "someone", "ip": "192.0.2.7" }] }),
        json!({ "leave": [1, "silent"] }),
        json!({ "leave": [3, "we-closed"] }),
        json!("shutdown"),
    ]
}

/// Invalid recordings: with changed numbers, missing lines, and distant moments.
fn hostile(text: &str) -> Vec<String> {
    let most = u64::MAX.to_string();
    let far = |at: &str, input: &str| format!("{text}{{\"at\":{at},\"wall\":0,{input}}}\n");
    let without_end: String = text
        .split_inclusive('\n')
        .filter(|line| !line.contains("shutdown") && !line.contains("leave"))
        .collect();
    let digest = r#""digest":"0""#;
    let mut texts = vec![
        far(&most, digest),
        far("9007199254740993", r#""input":"wake""#),
        format!("{without_end}{{\"at\":{most},\"wall\":0,{digest}}}\n"),
        format!("{without_end}{{\"at\":{most},\"wall\":{most},\"input\":\"wake\"}}\n"),
        format!("{without_end}{{\"at\":31536000000000,\"wall\":0,{digest}}}\n"),
        text.replace("1700000000000", &most),
        text.replace("\"at\":1000,", &format!("\"at\":{most},")),
        text.replace("\"ttlMs\":60000", "\"ttlMs\":1000"),
        text.replace("\"ttlMs\":60000", &format!("\"ttlMs\":{most}")),
        text.replace("\"maxEntries\":6", &format!("\"maxEntries\":{most}")),
        text.replace("\"maxEntries\":6", "\"maxEntries\":1000000"),
        text.replace("\"pingIntervalMs\":25000", "\"pingIntervalMs\":1000"),
        text.replace("\"pingIntervalMs\":25000", &format!("\"pingIntervalMs\":{most}")),
        text.replace("-90000", "-9223372036854775808"),
    ];
    let lines = text.lines().count();
    texts.extend((1..lines).map(|left_out| {
        let kept = text.split_inclusive('\n').enumerate();
        kept.filter(|(at, _)| *at != left_out)
            .map(|(_, line)| line)
            .collect()
    }));
    texts
}
