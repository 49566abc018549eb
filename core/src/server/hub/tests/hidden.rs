//! Output for connections from which addresses are hidden.

mod random;
mod rows;

use alloc::collections::BTreeMap;
use alloc::format;

use fastrand::Rng;

use random::{address, client, observed, text, update};

use super::*;
use crate::digest::{Digest, of_raw};
use crate::fleet::{SourceId, SourceRow, SourceUpdate};
use crate::model::RawEntry;
use crate::wire::method::{DELTA_CAP, HIDE_ADDRESSES_CAP};

const ALL: &[&str] = &["operator.admin", "operator.read", "operator.pairing"];
/// Texts that no such reader may be sent.
const SECRETS: [&str; 7] = [
    "203.0.113.77",
    "198.51.100.23",
    "2001:db8::77",
    "fe80::9%en0",
    "Europe/Oslo",
    "zoe@example.com",
    // An `ip` that is no address.
    "lan-7",
];
/// A text that makes a row of the key `lan-7`, without ids.
const BY_IP: &str =
    "Node: unknown (lan-7) \u{b7} app 1 \u{b7} last input 3s ago \u{b7} mode ui \u{b7} reason launch";

fn reader(name: &str, caps: &[&str]) -> Handshake {
    Handshake {
        caps: caps.iter().map(|&cap| cap.into()).collect(),
        ..handshake(name, "cli", ALL)
    }
}

/// A client that follows deltas.
#[derive(Default)]
struct Mirror {
    rows: BTreeMap<String, RawEntry>,
    version: u64,
    deltas: u32,
}

impl Mirror {
    fn put(&mut self, key: &Value, entry: &Value) {
        let entry = RawEntry::read(&entry.to_string()).unwrap();
        self.rows.insert(key.as_str().unwrap().into(), entry);
    }

    /// Follows what it is sent, and compares the digest.
    fn follow(&mut self, payload: &Value) {
        let number = |name: &str| payload[name].as_u64().unwrap_or_default();
        self.version = self.version.max(number("version"));
        if let Some(keys) = payload["keys"].as_array() {
            self.rows.clear();
            for (key, entry) in keys.iter().zip(payload["presence"].as_array().unwrap()) {
                self.put(key, entry);
            }
            assert_eq!(self.rows.len(), keys.len(), "keys stay apart: {payload}");
        } else if let Some(upserts) = payload["upserts"].as_array() {
            assert!(number("from") <= self.version, "{payload}");
            if number("from") < number("to") && number("to") <= self.version {
                return;
            }
            self.version = number("to");
            self.deltas += 1;
            for removed in payload["removals"].as_array().unwrap() {
                self.rows.remove(removed["key"].as_str().unwrap());
            }
            for upsert in upserts {
                self.put(&upsert["key"], &upsert["entry"]);
            }
            for touched in payload["touched"].as_array().unwrap() {
                assert!(self.rows.contains_key(touched[0].as_str().unwrap()), "{payload}");
            }
        } else {
            return;
        }
        assert_eq!(payload["digest"], self.digest(), "{payload}");
    }

    fn digest(&self) -> String {
        let mut digest = Digest::default();
        self.rows
            .iter()
            .for_each(|(key, row)| digest.add(of_raw(key, row)));
        digest.to_hex()
    }
}

/// Takes the outputs; returns the frames of these connections.
fn sent(hub: &mut Hub, hidden: &[ConnId]) -> Vec<(ConnId, String)> {
    let mut taken = Vec::new();
    while let Some(output) = hub.poll_output() {
        let HubOutput::Send(to, item) = output else {
            continue;
        };
        if !hidden.contains(&to) {
            continue;
        }
        let mut outbox = Outbox::new(1 << 24);
        outbox.push(item).unwrap();
        while let Some(frame) = outbox.pop() {
            taken.push((to, frame.to_string()));
        }
    }
    taken
}

/// Takes the outputs; returns the frames of these connections, in which there are no secrets.
fn take(hub: &mut Hub, hidden: &[ConnId]) -> Vec<(ConnId, Value)> {
    let read = |(to, frame): (ConnId, String)| {
        for secret in SECRETS {
            assert!(!frame.contains(secret), "{secret}: {frame}");
        }
        // Not even a part that a cut left.
        assert!(!frame.contains("203.0."), "{frame}");
        (to, json(&frame))
    };
    sent(hub, hidden).into_iter().map(read).collect()
}

/// Runs random operations, and all requests that readers may make.
fn run(seed: u64, observes: bool) -> u32 {
    let mut rng = Rng::with_seed(seed);
    let mut hub = hub_of(12);
    let mut now = START;
    if observes {
        hub.observe(vec!["home".into()], now).unwrap();
    }
    let follower = hub.join(reader("follower", &[DELTA_CAP, HIDE_ADDRESSES_CAP]), now);
    let mut hidden = vec![follower];
    hidden.push(hub.join(reader("lister", &[HIDE_ADDRESSES_CAP]), now));
    hidden.push(hub.join(reader("observer", &[HIDE_ADDRESSES_CAP, "presence-own"]), now));
    let witness = hub.join(reader("witness", &[DELTA_CAP]), now);
    let mut mirror = Mirror::default();
    // It gets snapshots between the deltas.
    let late = hub.join(reader("late", &[DELTA_CAP, HIDE_ADDRESSES_CAP]), now);
    hidden.push(late);
    let mut late_mirror = Mirror::default();
    let mut clients: Vec<ConnId> = Vec::new();
    for step in 0..150 {
        match rng.u8(..10) {
            0..3 => clients.push(hub.join(client(&mut rng, step), now)),
            3 if !clients.is_empty() => {
                let conn = clients.swap_remove(rng.usize(..clients.len()));
                hub.leave(conn, LeaveCause::PeerClosed, now);
            }
            4..7 => {
                let by = [witness, hidden[rng.usize(..3)]][rng.usize(..2)];
                let mut params = json!({ "text": text(&mut rng), "ip": address(&mut rng) });
                if rng.u8(..4) == 0 {
                    params["text"] = json!(BY_IP);
                }
                for (name, value) in [("host", text(&mut rng)), ("instanceId", text(&mut rng))] {
                    if rng.bool() {
                        params[name] = json!(value);
                    }
                }
                params["tags"] = json!([address(&mut rng)]);
                hub.call(by, &request("system-event", params), now);
            }
            7 if !clients.is_empty() => {
                let conn = clients[rng.usize(..clients.len())];
                let event = json!({ "event": "node.presence.activity", "payload": { "idleSeconds": 5 } });
                hub.call(conn, &request("node.event", event), now);
            }
            8 if observes => hub.apply(SourceId(0), observed(&mut rng, now), now),
            _ => {
                now = now.after([20, 60, 3_000, 26_000][rng.usize(..4)]);
                hub.handle_timeout(now);
                for &conn in clients.iter().chain(&hidden).chain([&witness]) {
                    hub.pong(conn, now);
                }
            }
        }
        if rng.u8(..6) == 0 {
            hub.call(late, &request("presence.snapshot", json!({})), now);
        }
        call_once(&mut hub, hidden[rng.usize(..3)], &mirror, &mut rng, now);
        for (to, frame) in take(&mut hub, &hidden) {
            if to == follower {
                mirror.follow(&frame["payload"]);
                mirror.follow(&frame["payload"]["snapshot"]);
            } else if to == late {
                late_mirror.follow(&frame["payload"]);
                late_mirror.follow(&frame["payload"]["snapshot"]);
            }
        }
    }
    // All is sent: the mirror equals the snapshot.
    now = now.after(5_000);
    hub.handle_timeout(now);
    for (to, frame) in take(&mut hub, &hidden) {
        if to == follower {
            mirror.follow(&frame["payload"]);
        }
    }
    hub.call(follower, &request("presence.snapshot", json!({})), now);
    let answers = take(&mut hub, &hidden);
    let snapshot = &answers.last().unwrap().1["payload"];
    assert_eq!(snapshot["digest"], mirror.digest());
    mirror.deltas
}

fn call_once(hub: &mut Hub, by: ConnId, mirror: &Mirror, rng: &mut Rng, now: Now) {
    let keys: Vec<&String> = mirror.rows.keys().collect();
    let row = keys
        .get(rng.usize(..keys.len().max(1)))
        .map_or("SELF", |key| key.as_str());
    let (method, params) = match rng.u8(..9) {
        0 => ("system-presence", json!({})),
        1 => ("presence.explain", json!({})),
        2 | 3 => ("presence.explain", json!({ "row": row })),
        4 => ("node.list", json!({})),
        5 => ("node.pair.list", json!({})),
        6 => ("status", json!({})),
        7 => ("health", json!({})),
        _ => ("node.describe", json!({ "nodeId": row })),
    };
    hub.call(by, &request(method, params), now);
}

#[test]
fn no_address_is_sent_and_deltas_lead_to_the_digest() {
    let deltas: u32 = (0..40).map(|seed| run(seed, seed % 2 == 0)).sum();
    assert!(deltas > 600, "{deltas}");
}

#[test]
fn rows_and_nodes_are_requested_by_their_pseudonyms() {
    let mut hub = hub();
    let asks = hub.join(reader("r", &[HIDE_ADDRESSES_CAP]), START);
    let sees = hub.join(reader("s", &[]), START);
    let key = "203.0.113.77";
    hub.join(
        Handshake {
            role: Role::Node,
            ..handshake(key, "node", &[])
        },
        START,
    );
    let node = call(&mut hub, asks, "node.list", json!({}), START)["payload"]["nodes"][0].clone();
    let shown = node["nodeId"].as_str().unwrap();
    assert!(
        shown.starts_with("HIDDEN:") && node["remoteIp"].is_null(),
        "{node}"
    );
    for (conn, id, is_known) in [
        (asks, shown, true),
        (asks, key, false),
        (sees, key, true),
        (sees, shown, false),
    ] {
        let described = call(&mut hub, conn, "node.describe", json!({ "nodeId": id }), START);
        assert_eq!(described["ok"], is_known, "{described}");
        let explained = call(&mut hub, conn, "presence.explain", json!({ "row": id }), START);
        assert_eq!(explained["ok"], is_known, "{explained}");
        if is_known {
            assert_eq!(explained["payload"]["row"]["key"], id);
        }
    }
}

#[test]
fn a_stream_without_addresses_resumes_only_if_nothing_changed() {
    let mut hub = hub();
    let stream = || Handshake {
        caps: vec![DELTA_CAP.into(), HIDE_ADDRESSES_CAP.into()],
        ..handshake("a", BEACON_MODE, &["operator.read"])
    };
    hub.join(handshake("b", "ui", &[]), START);
    hub.join(reader("witness", &[DELTA_CAP]), START);
    let first = hub.subscribe(stream(), None, START);
    let mut mirror = Mirror::default();
    mirror.follow(&take(&mut hub, &[first])[0].1["payload"]);
    hub.leave(first, LeaveCause::PeerClosed, START);
    // Nothing changed: it is sent nothing, and its deltas begin with the rows of now.
    let again = hub.subscribe(stream(), Some("boot-hidden-2"), START);
    assert_eq!(take(&mut hub, &[again]), []);
    let now = START.after(100);
    hub.join(handshake("c", "ui", &[]), now);
    let sent = take(&mut hub, &[again]);
    assert_eq!(sent[0].1["event"], "presence.delta");
    mirror.follow(&sent[0].1["payload"]);
    // Deltas without addresses are not kept.
    let late = hub.subscribe(stream(), Some("boot-hidden-2"), now);
    assert_eq!(take(&mut hub, &[late])[0].1["event"], "presence.snapshot");
}

/// With addresses it has other rows, and other keys.
#[test]
fn a_stream_does_not_resume_when_its_addresses_are_hidden_or_shown_since() {
    let mut hub = hub();
    let stream = |caps: &[&str]| Handshake {
        caps: caps.iter().map(|&cap| cap.into()).collect(),
        ..handshake("a", BEACON_MODE, &["operator.read"])
    };
    let (shown, hidden) = (&[DELTA_CAP][..], &[DELTA_CAP, HIDE_ADDRESSES_CAP][..]);
    for (before, since) in [(shown, hidden), (hidden, shown)] {
        let first = hub.subscribe(stream(before), None, START);
        let id = format!("{}-{}", hub.event_ids(first), hub.version());
        frames(&mut hub, first);
        for (caps, sent) in [(before, 0), (since, 1)] {
            let again = hub.subscribe(stream(caps), Some(&id), START);
            assert_eq!(frames(&mut hub, again).len(), sent, "{id}");
        }
    }
}

#[test]
fn the_polled_list_has_a_tag_of_its_own() {
    let mut hub = hub();
    hub.join(handshake("203.0.113.77", "ui", &[]), START);
    let (full, hidden) = (hub.list_tag(false, START), hub.list_tag(true, START));
    assert_eq!((&*full, &*hidden), ("W/\"boot-2-0\"", "W/\"boot-2-0-hidden\""));
    assert!(hub.polled_list(false, START).contains("203.0.113.77"));
    assert!(!hub.polled_list(true, START).contains("203.0.113.77"));
}

/// Without addresses a list can be much shorter, and a delta cannot.
#[test]
fn no_delta_without_addresses_is_larger_than_the_snapshot() {
    let mut hub = hub_of(200);
    let follower = hub.join(reader("follower", &[DELTA_CAP, HIDE_ADDRESSES_CAP]), START);
    let beacon = |text: &str, id: &str| json!({ "text": text, "instanceId": id });
    for number in 0..30 {
        let params = beacon("t", &format!("id-{number}"));
        call(&mut hub, follower, "system-event", params, START);
    }
    let keeper = beacon(&"2001:db8:1111:2222:3333:4444:5555:6666 ".repeat(80), "keeper");
    for step in 1..12 {
        let now = START.after(25_000 * step);
        hub.pong(follower, now);
        let answer = call(&mut hub, follower, "system-event", keeper.clone(), now);
        assert_eq!(answer["ok"], true, "{answer}");
        // The window ends, so that the beacon's delta is sent.
        hub.handle_timeout(now.after(50));
        frames(&mut hub, follower);
    }
    let now = START.after(300_001);
    hub.handle_timeout(now);
    let frames = frames(&mut hub, follower);
    let sent = frames
        .iter()
        .find(|frame| frame.contains(r#""event":"presence."#))
        .unwrap();
    let answer = call(&mut hub, follower, "presence.snapshot", json!({}), now);
    let most = answer["payload"].to_string().len();
    let event = json(sent);
    let bytes = event["payload"].to_string().len();
    assert_eq!(event["payload"]["digest"], answer["payload"]["digest"]);
    assert!(bytes <= most + 3, "{bytes} bytes instead of {most}: {sent}");
}
