//! Rows of other gateways (SPEC 7).

use alloc::format;

use super::*;
use crate::fleet::{NameError, SourceId, SourceRow, SourceUpdate};
use crate::model::RawEntry;

const READ: &[&str] = &["operator.read"];

fn observing() -> Hub {
    let mut hub = hub();
    hub.observe(vec!["home".into()], START).unwrap();
    hub
}

fn update(entries: &[&str], now: Now) -> SourceUpdate {
    let rows = entries.iter().map(|text| {
        let entry = RawEntry::read(text).unwrap();
        SourceRow {
            key: entry.str("instanceId").unwrap().into(),
            entry,
            heard_ms: now.age_ms as i64,
            online_since_ms: None,
            last_activity_ms: None,
            is_gateway: false,
        }
    });
    SourceUpdate {
        put: rows.collect(),
        is_here: true,
        ..SourceUpdate::default()
    }
}

#[test]
fn readers_are_sent_the_rows_of_other_gateways() {
    let mut hub = observing();
    let standard = hub.join(handshake("standard", "ui", READ), START);
    let mut deltas = handshake("deltas", "ui", READ);
    deltas.caps = vec!["presence-delta".into()];
    let deltas = hub.join(deltas, START);
    while hub.poll_output().is_some() {}

    let now = START.after(1_000);
    let entry = r#"{"instanceId":"far","host":"nas"}"#;
    hub.apply(SourceId(0), update(&[entry], now), now);
    let mut outputs = Vec::new();
    while let Some(HubOutput::Send(to, item)) = hub.poll_output() {
        let mut outbox = Outbox::new(1 << 20);
        outbox.push(item).unwrap();
        outputs.push((to, json(&outbox.pop().unwrap().to_string())));
    }
    let of = |conn: ConnId| &outputs.iter().find(|(to, _)| *to == conn).unwrap().1;
    let list = of(standard)["payload"]["presence"].as_array().unwrap();
    let far = list.iter().find(|row| row["instanceId"] == "far").unwrap();
    assert_eq!(
        *far,
        json!({ "instanceId": "far", "host": "nas", "ts": START.wall_ms + 1_000 })
    );
    let delta = &of(deltas)["payload"];
    assert_eq!(delta["upserts"][0]["key"], "GATEWAY:home/far");
    assert_eq!(delta["upserts"][0]["entry"]["gateway"], "home");
    assert_eq!(delta["to"], of(standard)["stateVersion"]["presence"]);
    assert_eq!(outputs.len(), 2);
}

#[test]
fn changes_of_sources_wait_for_the_window_too() {
    let mut hub = observing();
    let reader = hub.join(handshake("reader", "ui", READ), START);
    frames(&mut hub, reader);
    let now = START.after(1_000);
    hub.apply(SourceId(0), update(&[r#"{"instanceId":"a"}"#], now), now);
    assert_eq!(frames(&mut hub, reader).len(), 1);
    for ms in 1..50 {
        let now = now.after(ms);
        let entry = format!(r#"{{"instanceId":"a","version":"{ms}"}}"#);
        hub.apply(SourceId(0), update(&[&entry], now), now);
    }
    assert_eq!(frames(&mut hub, reader).len(), 0);
    assert_eq!(hub.poll_timeout(), Some(now.age_ms + 50));
    hub.handle_timeout(now.after(50));
    assert_eq!(frames(&mut hub, reader).len(), 1);
}

/// A hub with a delta client whose instance is also at the observed gateway, where its row is fresher.
fn with_an_instance_at_both() -> (Hub, ConnId) {
    let mut hub = observing();
    let mut handshake_here = handshake("both", "ui", READ);
    handshake_here.caps = vec!["presence-delta".into()];
    let here = hub.join(handshake_here, START);
    let now = START.after(1_000);
    let entry = r#"{"instanceId":"both","version":"2","mode":"ui"}"#;
    hub.apply(SourceId(0), update(&[entry], now), now);
    (hub, here)
}

/// The fresher one of two rows of an instance takes precedence, so a pong here can change the merged row.
#[test]
fn a_pong_that_changes_the_merged_row_is_broadcast() {
    let (mut hub, here) = with_an_instance_at_both();
    frames(&mut hub, here);
    let version = hub.version();
    let mut told = Vec::new();
    for seconds in [26, 52, 70] {
        hub.pong(here, START.after(seconds * 1_000));
        hub.handle_timeout(START.after(seconds * 1_000));
        told.extend(frames(&mut hub, here));
    }
    assert!(hub.version() > version);
    let delta = told
        .iter()
        .find(|frame| frame.contains("presence.delta"))
        .unwrap();
    let delta = json(delta);
    assert_eq!(delta["payload"]["upserts"][0]["entry"]["version"], "1", "{delta}");
    assert!(delta["payload"]["to"].as_u64() > delta["payload"]["from"].as_u64());
}

/// The touches that are due reveal the change, which opens a window like any other.
#[test]
fn a_change_that_due_touches_reveal_opens_a_window() {
    let (mut hub, here) = with_an_instance_at_both();
    for seconds in [26, 52] {
        hub.pong(here, START.after(seconds * 1_000));
        hub.handle_timeout(START.after(seconds * 1_000));
    }
    frames(&mut hub, here);
    hub.handle_sent(START.after(52_000));
    let due = START.after(61_000);
    hub.handle_timeout(due);
    let deltas = |frames: &[String]| {
        frames
            .iter()
            .filter(|frame| frame.contains("presence.delta"))
            .count()
    };
    assert_eq!(deltas(&frames(&mut hub, here)), 1);
    assert!(hub.awaits_sent());

    hub.join(handshake("other", "ui", &[]), due.after(1));
    assert_eq!(deltas(&frames(&mut hub, here)), 0);
    assert_eq!(hub.poll_timeout(), Some(due.age_ms + 50));
    hub.handle_timeout(due.after(50));
    assert_eq!(deltas(&frames(&mut hub, here)), 1);
}

/// A merged row would return as one of the observer's own.
#[test]
fn observers_are_sent_own_rows_only() {
    let mut hub = observing();
    let mut observer = handshake("observer", "cli", READ);
    observer.caps = vec!["presence-delta".into(), "presence-own".into()];
    let observer = hub.join(observer, START);
    assert!(frames(&mut hub, observer).concat().contains(r#""keys":["SELF"]"#));
    let here = hub.join(handshake("both", "ui", READ), START);
    let now = START.after(1_000);
    let entry = r#"{"instanceId":"both","lastInputSeconds":1,"mode":"ui","ip":"192.0.2.9"}"#;
    hub.apply(SourceId(0), update(&[entry], now), now);
    let own = |rows: &Value| -> Vec<String> {
        let rows = rows["presence"].as_array().unwrap().iter();
        rows.map(|row| row["ip"].to_string()).collect()
    };
    let sent = frames(&mut hub, observer);
    let [event] = &sent[..] else {
        panic!("only the own row is news: {sent:?}")
    };
    assert_eq!(json(event)["event"], "presence.snapshot");
    assert!(
        !own(&json(event)["payload"]).contains(&r#""192.0.2.9""#.into()),
        "{event}"
    );
    for method in ["presence.snapshot", "system-presence"] {
        let answer = call(&mut hub, observer, method, json!({}), now);
        assert!(!answer.to_string().contains("192.0.2.9"), "{answer}");
    }

    // Pongs are not a change: touched rows are sent once a minute.
    frames(&mut hub, observer);
    let mut sent = Vec::new();
    for seconds in [20, 40, 59, 60] {
        let now = START.after(seconds * 1_000);
        hub.pong(here, now);
        hub.handle_timeout(now);
        sent.extend(
            frames(&mut hub, observer)
                .into_iter()
                .filter(|frame| frame.contains("presence.snapshot")),
        );
    }
    assert_eq!(sent.len(), 1);
}

#[test]
fn the_status_names_each_gateway() {
    let mut hub = observing();
    let reader = hub.join(handshake("reader", "ui", READ), START);
    hub.apply(SourceId(0), update(&[r#"{"instanceId":"a"}"#], START), START);
    frames(&mut hub, reader);
    let status = call(&mut hub, reader, "status", json!({}), START);
    assert_eq!(
        status["payload"]["presence"]["observed"],
        json!([{ "name": "home", "connected": true, "rows": 2, "leftOut": 0 }])
    );
}

#[test]
fn names_are_checked() {
    let names = vec!["a".into(), "a".into()];
    assert_eq!(hub().observe(names, START), Err(NameError::Repeated("a".into())));
}

/// Without observed gateways, clients get the same bytes.
#[test]
fn without_other_gateways_nothing_is_different() {
    let (mut with, mut without) = (hub(), hub());
    with.observe(Vec::new(), START).unwrap();
    let joined = [&mut with, &mut without].map(|hub| {
        let conn = hub.join(handshake("reader", "ui", READ), START);
        frames(hub, conn)
    });
    assert_eq!(joined[0], joined[1]);
}

#[test]
fn one_row_of_eight_thousand_is_one_row_of_a_delta() {
    const ROWS: usize = 999;
    let mut hub = hub_of(ROWS + 1);
    let names = (0..8).map(|number| format!("g{number}").into());
    hub.observe(names.collect(), START).unwrap();
    let mut deltas = handshake("deltas", "ui", READ);
    deltas.caps = vec!["presence-delta".into()];
    let deltas = hub.join(deltas, START);
    for source in 0..8 {
        let entry = |number: usize| format!(r#"{{"instanceId":"{source}-{number}","host":"mac"}}"#);
        let entries: Vec<String> = (0..ROWS).map(entry).collect();
        let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
        hub.apply(SourceId(source), update(&entries, START), START);
    }
    hub.handle_timeout(START.after(1_000));
    let rows: usize = hub.sources().map(|source| source.rows).sum();
    assert_eq!(rows, 8 * (ROWS + 1));
    frames(&mut hub, deltas);

    let now = START.after(2_000);
    let entry = r#"{"instanceId":"7-500","host":"pi"}"#;
    hub.apply(SourceId(7), update(&[entry], now), now);
    let frames = frames(&mut hub, deltas);
    let [delta] = &*frames else {
        panic!("{frames:?}");
    };
    let payload = &json(delta)["payload"];
    let upserts = payload["upserts"].as_array().unwrap();
    assert_eq!(upserts.len(), 1);
    assert_eq!(upserts[0]["key"], "GATEWAY:g7/7-500");
    assert_eq!(payload["removals"], json!([]));
    assert!(delta.len() < 1_000, "{delta}");
}

#[test]
fn rows_of_other_gateways_are_explained_by_their_list() {
    let mut hub = observing();
    let reader = hub.join(handshake("reader", "ui", READ), START);
    let now = START.after(1_000);
    let rows = [
        r#"{"instanceId":"far 1","host":"nas"}"#,
        r#"{"instanceId":"far1","host":"nas"}"#,
    ];
    hub.apply(SourceId(0), update(&rows, now), now);
    let key = "GATEWAY:home/far 1";
    let answer = call(
        &mut hub,
        reader,
        "presence.explain",
        json!({ "row": key }),
        now.after(500),
    );
    let row = &answer["payload"]["row"];
    assert_eq!(row["key"], key);
    assert_eq!(row["gateway"], "home");
    assert_eq!(row["keyFrom"], "gateway");
    let members = row["members"].as_array().unwrap();
    let host = members.iter().find(|member| member["name"] == "host").unwrap();
    assert_eq!(
        *host,
        json!({ "name": "host", "value": "nas", "from": "list", "ageMs": 500 })
    );
    // Findings examine the rows of all gateways.
    let found = &answer["payload"]["findings"];
    assert_eq!(found[0]["code"], "ID_SPELLING");
    assert_eq!(
        found[0]["rows"],
        json!(["GATEWAY:home/far 1", "GATEWAY:home/far1"])
    );
    // The memory of this gateway explains its rows.
    let own = call(
        &mut hub,
        reader,
        "presence.explain",
        json!({ "row": "reader" }),
        now,
    );
    assert_eq!(own["payload"]["row"]["keyFrom"], "instanceId");
}
