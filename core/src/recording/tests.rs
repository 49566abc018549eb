mod answers;
mod changes;
mod shrink;

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use serde_json::json;

use super::*;
use crate::findings::{findings, skeleton};
use crate::model::beacon::parse_text;
use crate::model::time::Now;
use crate::model::{ClientInfo, PresenceEntry, RawEntry, Role};
use crate::server::{Handshake, Hub, HubConfig, LeaveCause};
use crate::wire::{Limits, Request};

const START: Now = Now {
    age_ms: 5_000,
    wall_ms: 1_700_000_000_000,
};

fn config() -> HubConfig {
    HubConfig {
        limits: Limits::default(),
        ttl_ms: 300_000,
        max_entries: 200,
        ephemeral_modes: vec!["cli".into()],
        hash_seed: 7,
        server_version: "1.0.0".into(),
        boot_id: "boot".into(),
        self_entry: PresenceEntry {
            host: Some("secret-gw".into()),
            ip: Some("192.168.7.9".into()),
            mode: Some("gateway".into()),
            reason: Some("self".into()),
            ..PresenceEntry::default()
        },
        auth_mode: "token",
    }
}

fn redactor() -> Redactor {
    Redactor::new([3; 32])
}

fn handshake(n: usize, id: &str) -> Handshake {
    Handshake {
        request_id: "1".into(),
        conn_id: alloc::format!("c-{n}").into(),
        protocol: 4,
        role: Role::Operator,
        scopes: ["operator.admin".into()].into_iter().collect(),
        client: Arc::new(ClientInfo {
            id: "test".into(),
            version: "1".into(),
            platform: "linux".into(),
            mode: "ui".into(),
            display_name: Some("SecretStudio".into()),
            instance_id: Some(id.into()),
            ..ClientInfo::default()
        }),
        device_id: None,
        caps: vec![],
        commands: vec![],
        remote_ip: Some("203.0.113.77".into()),
        user: Some("jane@example.com".into()),
        may_report_input: false,
        clock_skew_ms: None,
        visitor: None,
    }
}

fn beacon(id: &str, n: usize) -> Request {
    let params = json!({
        "text": "Node: SecretStudio (203.0.113.77) · app 1.2 · last input 12s ago · mode ui · reason periodic",
        "instanceId": id, "lastInputSeconds": n % 60,
    });
    let frame = json!({ "type": "req", "id": "9", "method": "system-event", "params": params });
    Request::parse(&frame.to_string()).unwrap()
}

/// Advances the time, with timers that are never late.
fn pass(hub: &mut Hub, now: Now, ms: u64) -> Now {
    for ms in 1..=ms {
        let due = hub.poll_timeout();
        if due.is_some_and(|due_ms| due_ms <= now.age_ms + ms) {
            hub.handle_timeout(now.after(ms));
        }
    }
    now.after(ms)
}

/// A hub and its recording: clients join, send beacons, answer pings for a while and leave.
pub(super) fn recorded() -> (Hub, String) {
    let mut hub = Hub::new(config(), START);
    let redactor = redactor();
    let (mut recorder, mut text) = Recorder::new(&config(), &redactor, START);
    let mut now = START;
    let mut conns = Vec::new();
    for n in 0..40 {
        now = pass(&mut hub, now, 70);
        // Two spellings of each id.
        let id = if n % 2 == 0 { "Secret-Mac" } else { "secret - mac" };
        let handshake = handshake(n, &alloc::format!("{id}{}", n / 2));
        text.push_str(&recorder.record(Input::join(n as u64 + 1, &handshake, &redactor), now));
        conns.push(hub.join(handshake, now));
    }
    for n in 0..600 {
        now = pass(&mut hub, now, 200);
        let conn = conns[n % 30];
        let request = beacon(&alloc::format!("Secret-Mac{}", n % 30), n);
        let input = if n % 3 == 0 {
            hub.pong(conn, now);
            Input::Pong(conn.serial)
        } else {
            hub.call(conn, &request, now);
            Input::call(conn.serial, &request, &redactor).unwrap()
        };
        text.push_str(&recorder.record(input, now));
    }
    for conn in &conns[..5] {
        hub.leave(*conn, LeaveCause::PeerClosed, now);
        text.push_str(&recorder.record(Input::leave(conn.serial, LeaveCause::PeerClosed), now));
    }
    text.push_str(&recorder.digest(now));
    (hub, text)
}

fn replay(text: &str) -> Replay {
    let reader = Reader::new(text).unwrap();
    let mut replay = Replay::new(reader.header());
    for line in reader {
        assert_eq!(replay.step(&line.unwrap()), Ok(()));
    }
    replay
}

#[test]
fn a_replay_has_the_rows_of_the_hub_and_of_the_recorder() {
    let (mut hub, text) = recorded();
    let mut replay = replay(&text);
    let now = replay.now();
    assert_eq!(replay.inputs(), 645);
    assert_eq!(text.matches(r#""digest":"#).count(), 3);
    let (mut rows, mut live) = (replay.list(), hub.list(now));
    assert!(rows.len() > 20, "{}", rows.len());
    assert_eq!(rows.len(), live.len());
    let redactor = redactor();
    let pseudonym = |row: &PresenceEntry| row.instance_id.as_deref().map(|id| redactor.name(id));
    // Rows of one moment are listed by their keys, which differ.
    rows.sort_by_key(|row| (row.ts, row.instance_id.clone()));
    live.sort_by_key(|row| (row.ts, pseudonym(row)));
    for (row, live) in rows.iter().zip(&live) {
        let redacted =
            |text: &Option<alloc::boxed::Box<str>>| text.as_deref().map(|text| redactor.name(text));
        assert_eq!(row.instance_id, redacted(&live.instance_id));
        assert_eq!(row.host, redacted(&live.host));
        assert_eq!(row.ip, redacted(&live.ip));
        assert_eq!(row.user_id, redacted(&live.user_id));
        assert_eq!((&row.reason, row.ts), (&live.reason, live.ts));
        assert_eq!(row.last_input_seconds, live.last_input_seconds);
    }
}

#[test]
fn findings_are_those_of_the_hub() {
    let (mut hub, text) = recorded();
    let mut replay = replay(&text);
    let now = replay.now();
    let redactor = redactor();
    // Rows of one moment are listed by their keys, which differ: rows are named by their ids.
    let found = |rows: Vec<PresenceEntry>, redactor: Option<&Redactor>| {
        let raw: Vec<RawEntry> = rows
            .iter()
            .map(|row| RawEntry::read(&serde_json::to_string(row).unwrap()).unwrap())
            .collect();
        let name = |&row: &usize| {
            let id = rows[row].instance_id.as_deref().unwrap_or_default();
            redactor.map_or_else(|| id.into(), |redactor| redactor.name(id))
        };
        let mut found: Vec<_> = findings(&raw.iter().collect::<Vec<_>>(), Some(200))
            .into_iter()
            .map(|finding| {
                let mut names: Vec<_> = finding.rows.iter().map(name).collect();
                names.sort();
                (finding.kind.code(), names)
            })
            .collect();
        found.sort();
        found
    };
    let live = found(hub.list(now), Some(&redactor));
    assert!(!live.is_empty());
    assert_eq!(found(replay.list(), None), live);
}

#[test]
fn no_name_is_in_the_recording() {
    let (_, text) = recorded();
    for secret in ["ecret", "203.0.113.77", "192.168.7.9", "jane", "example"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn bad_recordings_name_the_line() {
    let (_, text) = recorded();
    let last = |text: &str| Reader::new(text).map(|reader| reader.last().unwrap());
    let at = |text: &str| match last(text) {
        Ok(Err(ReadError::Line { line, why })) => (line, why),
        other => panic!("{other:?}"),
    };
    assert_eq!(Reader::new("").unwrap_err(), ReadError::Empty);
    let newer = text.replacen(r#""format":1"#, r#""format":2"#, 1);
    assert_eq!(Reader::new(&newer).unwrap_err(), ReadError::Format(2));
    let lines = text.lines().count();
    let (line, why) = at(&text[..text.len() - 1]);
    assert_eq!((line, &*why), (lines, "it is cut off"));
    let long = text.replacen(r#"{"at"#, &[&" ".repeat(MAX_LINE_BYTES), r#"{"at"#].concat(), 1);
    assert_eq!(at(&long), (2, "it is longer than 1 MiB".to_string()));
    let mut swapped: Vec<&str> = text.split_inclusive('\n').collect();
    swapped.swap(3, 4);
    assert_eq!(at(&swapped.concat()).1, "it is earlier than the line before");
    assert_eq!(at(&text.replacen(r#""input":"#, r#""inptu":"#, 1)).0, 2);
}

#[test]
fn a_changed_input_is_seen_at_the_next_digest() {
    let (_, text) = recorded();
    let changed = text.replacen(r#""platform":"linux""#, r#""platform":"macos""#, 1);
    let mut reader = Reader::new(&changed).unwrap();
    let mut replay = Replay::new(reader.header());
    while let Some(line) = reader.next() {
        if replay.step(&line.unwrap()).is_err() {
            assert_eq!(reader.line(), 258);
            return;
        }
    }
    panic!("the digests fit");
}

#[test]
fn after_a_gap_digests_are_not_compared() {
    let header = Header::new(&config(), &redactor(), START);
    let mut replay = Replay::new(&header);
    let digest = Line::new(START, Step::Digest("0".into()));
    assert_eq!(replay.step(&digest), Err(StepError::Digest));
    let other = Header {
        vectors: "of another version".into(),
        ..header
    };
    assert_eq!(Replay::new(&other).step(&digest), Err(StepError::Rules));
    assert_eq!(replay.step(&Line::new(START, Step::Gap(3))), Ok(()));
    assert_eq!(replay.step(&digest), Ok(()));
    assert_eq!(replay.missing(), 3);
}

#[test]
fn a_connection_joins_once() {
    let mut replay = Replay::new(&Header::new(&config(), &redactor(), START));
    let join = Line::new(START, Step::Input(Input::Join(7, alloc::boxed::Box::default())));
    assert_eq!(replay.step(&join), Ok(()));
    assert_eq!(replay.step(&join), Err(StepError::JoinedTwice(7)));
}

#[test]
fn pseudonyms_keep_the_properties_that_rules_use() {
    let redactor = redactor();
    let ids = [
        "Mac-Studio-1",
        "mac-studio-1",
        " mac studio-1",
        "MAC-STUDIO-2",
        "Zoé-Laptop",
        "zoe\u{301}-laptop",
        "zoe-laptop",
        "Ｍac-Studio-9",
        "mac-studio-9",
        "8ef0-11aa-22bb",
        "jane.doe@example.com",
    ];
    for a in ids {
        let red = redactor.name(a);
        assert_eq!(red.len(), a.len(), "{a}");
        assert_ne!(red.to_lowercase().trim(), a.to_lowercase().trim(), "{a}");
        for b in ids {
            let other = redactor.name(b);
            assert_eq!(a == b, red == other, "{a} {b}");
            assert_eq!(
                a.to_lowercase() == b.to_lowercase(),
                red.to_lowercase() == other.to_lowercase()
            );
            // With letters outside ASCII the skeleton is lost.
            let has_others = |text: &str| text.chars().any(|c| !c.is_ascii() && c.is_alphanumeric());
            if !has_others(a) && !has_others(b) {
                assert_eq!(
                    skeleton(a) == skeleton(b),
                    skeleton(&red) == skeleton(&other),
                    "{a} {b}"
                );
            }
        }
    }
    for kept in [
        "undefined",
        " Null ",
        "ip-unknown",
        "127.0.0.1",
        "::1",
        "[::1]",
        "0.0.0.0",
        "localhost",
    ] {
        assert_eq!(&*redactor.ip(kept), kept);
    }
    assert_eq!(&*redactor.name("unknown"), "unknown");
}

#[test]
fn a_replayed_handshake_has_the_skew_of_the_clock() {
    let mut handshake = handshake(1, "a");
    handshake.clock_skew_ms = Some(-86_400_000);
    let Input::Join(_, joined) = Input::join(1, &handshake, &redactor()) else {
        panic!("a join");
    };
    assert_eq!(joined.handshake().clock_skew_ms, handshake.clock_skew_ms);
}

#[test]
fn addresses_stay_addresses_of_their_family() {
    let redactor = redactor();
    let mut seen = alloc::collections::BTreeSet::new();
    for a in 0..=255_u8 {
        let text = alloc::format!("10.{a}.0.{}", 255 - a);
        let red = redactor.ip(&text);
        assert_eq!(red.len(), text.len());
        assert!(red.parse::<core::net::Ipv4Addr>().is_ok(), "{red}");
        assert_eq!(
            &*redactor.ip(&alloc::format!("::ffff:{text}")),
            ["::ffff:", &*red].concat()
        );
        assert!(seen.insert(red));
    }
    let v6 = redactor.ip("2001:db8::AF7%eth0");
    assert!(v6.ends_with("%eth0") && &*v6 != "2001:db8::AF7%eth0");
    assert!(
        v6.split_once('%')
            .unwrap()
            .0
            .parse::<core::net::Ipv6Addr>()
            .is_ok(),
        "{v6}"
    );
}

#[test]
fn texts_parse_alike_and_keep_their_keys() {
    let redactor = redactor();
    let text = "beep Node: studio (10.0.0.5) · app 1.2 · last input 12s ago · mode local · reason launch";
    let (red, before) = (redactor.beacon_text(text), parse_text(text).unwrap());
    let after = parse_text(&red).unwrap();
    assert_eq!(
        (after.host, after.ip),
        (&*redactor.name("studio"), &*redactor.ip("10.0.0.5"))
    );
    assert_eq!(
        (after.version, after.mode, after.reason),
        (before.version, before.mode, before.reason)
    );
    let start = "a text that is longer than the sixty-four units that can be a key ";
    let (a, b) = (
        redactor.beacon_text(&[start, "one"].concat()),
        redactor.beacon_text(&[start, "two"].concat()),
    );
    assert_eq!(a[..64], b[..64]);
    assert_ne!(a, b);
    assert_eq!(parse_text(&a), None);
}
