//! Random clients and rows with addresses in all their texts.

use alloc::format;

use fastrand::Rng;

use super::*;

pub(super) fn address(rng: &mut Rng) -> &'static str {
    SECRETS[rng.usize(..4)]
}

/// Texts in which addresses stand where a gateway cuts, parses and quotes.
pub(super) fn text(rng: &mut Rng) -> String {
    let ip = address(rng);
    match rng.u8(..6) {
        0 => ip.into(),
        1 => format!(
            "Node: unknown ({ip}) \u{b7} app 1 \u{b7} last input 3s ago \u{b7} mode ui \u{b7} reason launch"
        ),
        2 => format!("{}{ip}", "x ".repeat(rng.usize(20..34))),
        3 => format!("[{ip}]:80 and {}:80.", address(rng)),
        4 => format!("Node: m{} (lan) \u{b7} mode ui", rng.u8(..4)),
        _ => format!("mac-{}", rng.u8(..6)),
    }
}

pub(super) fn client(rng: &mut Rng, number: u32) -> Handshake {
    let is_node = rng.u8(..3) == 0;
    let info = ClientInfo {
        id: "test".into(),
        version: "1".into(),
        platform: "linux".into(),
        mode: if is_node { "node" } else { "ui" }.into(),
        display_name: rng.bool().then(|| text(rng).into()),
        instance_id: rng.bool().then(|| text(rng).into()),
        time_zone: rng.bool().then(|| "Europe/Oslo".into()),
        ..ClientInfo::default()
    };
    Handshake {
        conn_id: format!("conn-{number}").into(),
        role: if is_node { Role::Node } else { Role::Operator },
        client: Arc::new(info),
        device_id: (rng.u8(..4) == 0).then(|| format!("device-{}", rng.u8(..3)).into()),
        caps: vec![text(rng).into()],
        commands: vec![text(rng).into()],
        remote_ip: Some(address(rng).into()),
        user: rng.bool().then(|| "zoe@example.com".into()),
        may_report_input: true,
        clock_skew_ms: (rng.u8(..4) == 0).then_some(90_000),
        ..handshake("x", "ui", if is_node { &[] } else { ALL })
    }
}

/// A row of an observed gateway, which may hold anything.
pub(super) fn observed(rng: &mut Rng, now: Now) -> SourceUpdate {
    let (key, ip) = (text(rng), address(rng));
    if rng.u8(..4) == 0 {
        let entry = json!({ "text": BY_IP, "ip": "lan-7", "ts": now.wall_ms, "mode": "ui" });
        return update(["row:lan-7", "row:lan-7#1"][rng.usize(..2)], &entry, now);
    }
    let mut entry = json!({
        "host": text(rng), "ip": ip, "instanceId": key, "ts": now.wall_ms, "reason": "connect", "mode": "ui",
        "user": { "id": "zoe@example.com", "email": "zoe@example.com" }, "more": [{ "remoteIp": ip, "url": format!("http://{ip}/") }],
    });
    entry[ip] = json!([ip]);
    update(&key.to_lowercase(), &entry, now)
}

pub(super) fn update(key: &str, entry: &Value, now: Now) -> SourceUpdate {
    SourceUpdate {
        put: vec![SourceRow {
            key: key.into(),
            entry: RawEntry::read(&entry.to_string()).unwrap(),
            heard_ms: now.age_ms as i64,
            online_since_ms: None,
            last_activity_ms: None,
            is_gateway: false,
        }],
        removed: Vec::new(),
        is_here: true,
    }
}
