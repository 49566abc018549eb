use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use fastrand::Rng;
use serde_json::{Value, json};

use super::super::{
    Header, Input, Joined, Line, Params, Reader, Recorder, Redactor, Replay, Step, StepError,
};
use crate::model::PresenceEntry;
use crate::model::time::Now;
use crate::server::HubConfig;

const START: Now = Now {
    age_ms: 5_000,
    wall_ms: 1_700_000_000_000,
};

fn config() -> HubConfig {
    let header = json!({
        "format": 1, "version": "1", "at": START.age_ms, "wall": START.wall_ms, "ttlMs": 60_000, "maxEntries": 12,
        "pingIntervalMs": 15_000, "ephemeralModes": ["cli"], "own": { "host": "gw", "ts": 0 },
    });
    serde_json::from_value::<Header>(header).unwrap().config()
}

fn one_of<'a>(random: &mut Rng, words: &[&'a str]) -> &'a str {
    words[random.usize(..words.len())]
}

/// A random word, or none in one of three cases.
fn maybe(random: &mut Rng, words: &[&str]) -> Option<Box<str>> {
    (random.u8(..3) > 0).then(|| one_of(random, words).into())
}

const NAMES: [&str; 9] = [
    "mac",
    "Mac",
    "pi",
    "vps",
    "tab-1",
    "tab-2",
    "undefined",
    " ",
    "studio",
];
const IPS: [&str; 4] = ["10.0.0.5", "2001:db8::7", "127.0.0.1", "unknown"];

fn joined(random: &mut Rng, serial: u64) -> Joined {
    let is_node = random.u8(..4) == 0;
    let count = random.usize(..3);
    Joined {
        conn_id: format!("c-{serial}").into(),
        protocol: 4,
        is_node,
        scopes: ["operator.write", "operator.admin", "a"][..if is_node { 0 } else { count + 1 }]
            .iter()
            .map(|&scope| scope.into())
            .collect(),
        client_id: one_of(random, &["app", "web"]).into(),
        version: "1".into(),
        platform: "linux".into(),
        mode: one_of(random, &["ui", "ui", "node", "cli"]).into(),
        display_name: maybe(random, &NAMES),
        model_identifier: maybe(random, &["m1"]),
        instance_id: maybe(random, &NAMES),
        device_id: if random.bool() {
            maybe(random, &["d1", "d2", "mac"])
        } else {
            None
        },
        remote_ip: maybe(random, &IPS),
        user: if random.bool() {
            maybe(random, &["jane", "joe"])
        } else {
            None
        },
        may_report_input: random.bool(),
        ..Joined::default()
    }
}

fn beacon(random: &mut Rng) -> Value {
    let mut params = json!({
        "text": one_of(random, &["hi", "Node: pi (10.0.0.9) · app 2 · mode ui · reason periodic"]),
    });
    for (name, words) in [
        ("instanceId", &NAMES[..]),
        ("deviceId", &["d1", "d3"]),
        ("host", &NAMES),
        ("ip", &IPS),
        ("mode", &["ui", "test"]),
        ("reason", &["periodic", "launch"]),
        ("version", &["1", "2"]),
    ] {
        if random.bool() {
            params[name] = one_of(random, words).into();
        }
    }
    if random.bool() {
        params["lastInputSeconds"] = random.u32(..500).into();
    }
    if random.u8(..4) == 0 {
        params["roles"] = json!([one_of(random, &["x", "y"])]);
        params["scopes"] = json!([one_of(random, &["operator.admin", "z"])]);
    }
    if random.u8(..8) == 0 {
        params["tags"] = json!(["clear-last-input"]);
    }
    params
}

fn input(random: &mut Rng, serials: &mut u64) -> Input {
    let serial = random.u64(..*serials + 1);
    match random.u8(..21) {
        0..3 => {
            *serials += 1;
            Input::Join(*serials, Box::new(joined(random, *serials)))
        }
        3..5 => Input::Leave(serial, one_of(random, &["closed", "silent", "we-closed"]).into()),
        5..10 => Input::Pong(serial),
        10..15 => Input::Call(serial, "system-event".into(), Params::new(&beacon(random))),
        15..19 => {
            let payload = match random.u8(..3) {
                0 => json!({ "trigger": "silent_push" }),
                1 => json!({ "idleSeconds": random.u32(..900) }),
                _ => json!({ "action": "clear" }),
            };
            let event = if payload["trigger"].is_null() {
                "node.presence.activity"
            } else {
                "node.presence.alive"
            };
            let params = json!({ "event": event, "payload": payload });
            Input::Call(serial, "node.event".into(), Params::new(&params))
        }
        19 => Input::RefusedClock(
            one_of(random, &["app", "web"]).into(),
            random.i64(-90_000..90_000),
        ),
        _ => Input::Wake,
    }
}

/// The inputs of two clients with one id whose beacons state different hosts in turn: two joins, then beacons.
fn clones(at: usize, serials: &mut u64) -> Input {
    if at < 2 {
        *serials += 1;
        let joined = Joined {
            conn_id: format!("c-{serials}").into(),
            protocol: 4,
            scopes: ["operator.write".into()].into(),
            mode: "cli".into(),
            instance_id: Some("clone".into()),
            ..Joined::default()
        };
        return Input::Join(*serials, Box::new(joined));
    }
    let (serial, host) = if at.is_multiple_of(2) {
        (*serials - 1, "pi")
    } else {
        (*serials, "vps")
    };
    let params = json!({ "text": "hi", "instanceId": "clone", "host": host });
    Input::Call(serial, "system-event".into(), Params::new(&params))
}

fn later(random: &mut Rng, now: Now) -> Now {
    let ms = match random.u8(..8) {
        0..6 => random.u64(..2_000),
        6 => random.u64(..30_000),
        _ => random.u64(..100),
    } + if random.u8(..50) == 0 { 120_000 } else { 0 };
    let mut now = now.after(ms);
    if random.u8(..60) == 0 {
        now.wall_ms = now.wall_ms.saturating_add_signed(random.i64(-90_000..90_000));
    }
    now
}

fn rows(replay: &mut Replay) -> Vec<PresenceEntry> {
    replay.list()
}

/// A replay from a checkpoint has equal rows, findings and explanations as one from the start, after each
/// input.
#[test]
fn a_replay_from_a_checkpoint_equals_one_from_the_start() {
    let mut compared = 0;
    let mut checkpoints = String::new();
    let mut codes = BTreeSet::new();
    for seed in 0..60 {
        let mut random = Rng::with_seed(seed);
        let (mut recorder, header) = Recorder::new(&config(), &Redactor::new([1; 32]), START);
        let mut whole = Replay::new(Reader::new(&header).unwrap().header());
        let (mut now, mut serials) = (START, 0);
        let mut begun: Vec<Replay> = Vec::new();
        for step in 0..400 {
            now = later(&mut random, now);
            let input = match step as usize % 100 {
                at @ 30..36 => clones(at - 30, &mut serials),
                _ => input(&mut random, &mut serials),
            };
            recorder.record(input.clone(), now);
            whole.input(&input, now);
            for replay in &mut begun {
                replay.input(&input, now);
                let (rows, expected) = (rows(replay), rows(&mut whole));
                assert_eq!(rows, expected, "seed {seed}, step {step}, {input:?}");
                assert_eq!(replay.digest(), whole.digest());
                let keys = whole.entries();
                let key = &keys[step as usize % keys.len()].0;
                assert_eq!(
                    replay.explain_row(key),
                    whole.explain_row(key),
                    "seed {seed}, {key}"
                );
                codes.extend(whole.found().into_iter().map(|found| found.finding));
                assert_eq!(
                    replay.explain(),
                    whole.explain(),
                    "seed {seed}, step {step}, {input:?}"
                );
                compared += 1;
            }
            if step % 100 == 40 {
                let text = recorder.restart(now);
                checkpoints.push_str(&text);
                let mut reader = Reader::new(&text).unwrap();
                let mut replay = Replay::new(reader.header());
                for line in &mut reader {
                    assert_eq!(replay.step(&line.unwrap()), Ok(()));
                }
                whole.pass(now);
                assert_eq!(replay.inputs(), step + 1);
                assert_eq!(rows(&mut replay), rows(&mut whole), "seed {seed}, step {step}");
                begun.push(replay);
            }
        }
    }
    assert!(compared > 10_000, "{compared}");
    for rare in [
        r#""goes":"silent""#,
        r#""goes":"spared""#,
        r#""inputBy":"#,
        r#""holder":"#,
        r#""activity":"#,
        r#""device":["#,
        r#""key":{"connection""#,
        r#""awaitsPong":true"#,
        r#""addedRoles":[""#,
        r#""ended":"#,
        r#""refused":"#,
        r#""event":"#,
        r#""placeholder":"#,
        r#""turns":{"returned":"#,
        r#""hasReportedHost":true"#,
    ] {
        assert!(checkpoints.contains(rare), "{rare}");
    }
    for code in [
        "EVICTIONS",
        "BEACON_ID_DIFFERS",
        "CLIENT_CLOCK",
        "PLACEHOLDER_ID",
        "NO_INSTANCE_ID",
        "ID_IN_TWO_PLACES",
    ] {
        assert!(codes.contains(code), "{code} of {codes:?}");
    }
}

/// A tick that was late can show a suspension, and a replay from a checkpoint has no ticks.
#[test]
fn a_wake_is_a_suspension_even_without_a_late_timer() {
    let mut config = config();
    config.ttl_ms = 300_000;
    config.limits.ping_interval_ms = 25_000;
    let (mut recorder, header) = Recorder::new(&config, &Redactor::new([1; 32]), START);
    let mut whole = Replay::new(Reader::new(&header).unwrap().header());
    let joined = Joined {
        conn_id: "c-1".into(),
        protocol: 4,
        mode: "ui".into(),
        instance_id: Some("a".into()),
        ..Joined::default()
    };
    let join = Input::Join(1, Box::new(joined));
    recorder.record(join.clone(), START);
    whole.input(&join, START);
    // The first ping is sent at 25 s; its pong is due at 50 s.
    let saved_at = START.after(26_000);
    let text = recorder.restart(saved_at);
    whole.pass(saved_at);
    let mut reader = Reader::new(&text).unwrap();
    let mut begun = Replay::new(reader.header());
    for line in &mut reader {
        assert_eq!(begun.step(&line.unwrap()), Ok(()));
    }
    // The tick of 30 s was late by more than 30 s, the deadline of the pong was not.
    let woke = START.after(62_000);
    for replay in [&mut whole, &mut begun] {
        replay.input(&Input::Wake, woke);
        replay.input(&Input::Pong(1), woke.after(1_000));
        let row = &rows(replay)[1];
        assert_eq!(row.reason.as_deref(), Some("connect"));
        assert!(row.online_since.is_some());
    }
    assert_eq!(rows(&mut begun), rows(&mut whole));
    assert_eq!(begun.digest(), whole.digest());
}

fn checkpoint() -> (Header, Vec<Line>) {
    let (mut recorder, _) = Recorder::new(&config(), &Redactor::new([1; 32]), START);
    for serial in 1..4 {
        let joined = Joined {
            instance_id: Some(format!("i-{serial}").into()),
            ..joined(&mut Rng::with_seed(serial), serial)
        };
        recorder.record(Input::Join(serial, Box::new(joined)), START);
    }
    let text = recorder.restart(START.after(10));
    let reader = Reader::new(&text).unwrap();
    (reader.header().clone(), reader.map(Result::unwrap).collect())
}

fn begin(header: &Header, lines: &[Line]) -> Result<(), StepError> {
    let mut replay = Replay::new(header);
    lines.iter().try_for_each(|line| replay.step(line))?;
    // The restored state must be complete.
    replay.pass(replay.now().after(200_000));
    replay.list();
    replay.explain();
    let digest = replay.digest().into();
    replay.step(&Line::new(replay.now(), Step::Digest(digest)))
}

#[test]
fn checkpoints_that_were_changed_are_refused_or_harmless() {
    let (header, lines) = checkpoint();
    assert_eq!(begin(&header, &lines), Ok(()));
    let without = |at: usize| [&lines[..at], &lines[at + 1..]].concat();
    assert_eq!(begin(&header, &without(0)), Err(StepError::State("a first line")));
    let other_count = StepError::Count("connections");
    assert_eq!(begin(&header, &without(1)), Err(other_count));
    let twice = [&lines[..2], &lines[1..]].concat();
    assert_eq!(begin(&header, &twice), Err(other_count));
    assert_eq!(
        other_count.to_string(),
        "the checkpoint has another number of connections than its first line states"
    );

    let renamed = |line: &Line| {
        let text = serde_json::to_string(line).unwrap();
        serde_json::from_str(&text.replace(r#""serial":2"#, r#""serial":1"#)).unwrap()
    };
    let two: Vec<Line> = lines.iter().map(renamed).collect();
    assert_eq!(begin(&header, &two), Err(StepError::State("a connection")));

    // Each number of it is replaced by others.
    let text = |line: &Line| serde_json::to_string(line).unwrap();
    let mut changed = 0;
    for (at, line) in lines.iter().enumerate() {
        let line = text(line);
        let starts = (1..line.len()).filter(|&at| {
            let bytes = line.as_bytes();
            bytes[at].is_ascii_digit() && !bytes[at - 1].is_ascii_alphanumeric() && bytes[at - 1] != b'-'
        });
        for start in starts {
            let end = start + line[start..].bytes().take_while(u8::is_ascii_digit).count();
            for other in ["0", "1", "7", "65535", "4294967295", "18446744073709551615"] {
                let line: String = [&line[..start], other, &line[end..]].concat();
                let Ok(line) = serde_json::from_str::<Line>(&line) else {
                    continue;
                };
                let mut lines = lines.clone();
                lines[at] = line;
                let _ = begin(&header, &lines);
                changed += 1;
            }
        }
    }
    assert!(changed > 200, "{changed}");
}
