//! `presence.explain`.

use super::*;

fn explain(hub: &mut Hub, reader: ConnId, params: Value, now: Now) -> Value {
    call(hub, reader, "presence.explain", params, now)["payload"].take()
}

#[test]
fn each_member_has_its_last_writer() {
    let mut hub = hub();
    let conn = hub.join(handshake("Mac-1", "ui", &["operator.read"]), START);
    let beacon = json!({ "text": "hello", "instanceId": "mac-1", "ip": "10.0.0.7", "reason": "periodic" });
    call(&mut hub, conn, "system-event", beacon, START.after(5_000));
    let now = START.after(9_000);
    let row = explain(&mut hub, conn, json!({ "row": "mac-1" }), now)["row"].take();
    assert_eq!(row["key"], "mac-1");
    assert_eq!(row["keyFrom"], "instanceId");
    let member = |name: &str| {
        let members = row["members"].as_array().unwrap();
        members
            .iter()
            .find(|member| member["name"] == name)
            .unwrap()
            .clone()
    };
    for (name, value, from, age_ms) in [
        ("ip", json!("10.0.0.7"), "beacon", 4_000),
        ("reason", json!("periodic"), "beacon", 4_000),
        ("version", json!("1"), "handshake", 9_000),
        ("instanceId", json!("mac-1"), "beacon", 4_000),
        ("roles", json!(["operator"]), "handshake", 9_000),
        ("host", json!("test"), "handshake", 9_000),
        ("onlineSince", json!(START.wall_ms), "gateway", 4_000),
    ] {
        let member = member(name);
        assert_eq!(member["value"], value, "{name}");
        assert_eq!(member["from"], from, "{name}");
        assert_eq!(member["ageMs"], age_ms, "{name}");
        let is_clients = from != "gateway";
        assert_eq!(member["connId"] == "conn-Mac-1", is_clients, "{name}");
        assert_eq!(member["by"] == "test", is_clients, "{name}");
    }
    assert_eq!(
        row["connections"],
        json!([{
            "connId": "conn-Mac-1", "clientId": "test", "mode": "ui", "role": "operator", "ip": "192.0.2.1",
            "sinceMs": 9_000,
        }])
    );
    assert_eq!(row["events"][0]["what"], "joined");
    assert_eq!(row["events"][0]["ageMs"], 9_000);
    assert_eq!(row["expiresInMs"], Value::Null);
}

#[test]
fn members_written_by_a_closed_connection_keep_their_writer() {
    let mut hub = hub();
    let reader = hub.join(handshake("r", "ui", &["operator.read"]), START);
    let conn = hub.join(handshake("a", "ui", &[]), START.after(1_000));
    hub.leave(conn, LeaveCause::PeerClosed, START.after(3_000));
    let row = explain(&mut hub, reader, json!({ "row": "a" }), START.after(10_000))["row"].take();
    let members = row["members"].as_array().unwrap();
    let member = |name: &str| members.iter().find(|member| member["name"] == name).unwrap();
    assert_eq!(member("mode")["from"], "handshake");
    assert_eq!(member("mode")["connId"], "conn-a");
    assert_eq!(member("mode")["ageMs"], 9_000);
    assert_eq!(member("reason")["from"], "gateway");
    assert_eq!(member("reason")["ageMs"], 7_000);
    let events: Vec<_> = row["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["what"])
        .collect();
    assert_eq!(events, ["left", "joined"]);
    assert_eq!(row["expiresInMs"], 293_001);
    assert_eq!(row["connections"], json!([]));
}

#[test]
fn an_unknown_row_is_refused_by_name() {
    let mut hub = hub();
    let reader = hub.join(handshake("r", "ui", &["operator.read"]), START);
    let answer = call(
        &mut hub,
        reader,
        "presence.explain",
        json!({ "row": "nobody" }),
        START,
    );
    assert_eq!(answer["error"]["code"], "INVALID_REQUEST");
    assert_eq!(
        answer["error"]["message"],
        "invalid presence.explain params: at /row: no row has the key \"nobody\""
    );
    let own = explain(&mut hub, reader, json!({ "row": "SELF" }), START);
    assert_eq!(own["row"]["keyFrom"], "self");
}

#[test]
fn findings_of_the_list_have_the_keys_of_their_rows() {
    let mut hub = hub();
    let reader = hub.join(handshake("r", "ui", &["operator.read"]), START);
    hub.join(handshake("mac 1", "ui", &[]), START);
    hub.join(handshake("mac1", "ui", &[]), START);
    let all = explain(&mut hub, reader, json!({}), START);
    assert_eq!(all["source"], "gateway");
    assert_eq!(all["findings"][0]["code"], "ID_SPELLING");
    assert_eq!(all["findings"][0]["rows"], json!(["mac 1", "mac1"]));
    assert!(
        all["checks"]
            .as_array()
            .unwrap()
            .contains(&json!("presence/id-spelling"))
    );
    let one = explain(&mut hub, reader, json!({ "row": "mac1" }), START);
    assert_eq!(one["findings"], all["findings"]);
    let other = explain(&mut hub, reader, json!({ "row": "r" }), START);
    assert_eq!(
        other["findings"],
        json!([]),
        "two programs on one machine are healthy"
    );
}

#[test]
fn the_size_of_an_explanation_is_bounded() {
    let mut hub = hub();
    let reader = hub.join(handshake("r", "ui", &["operator.read"]), START);
    // Each takes six bytes in JSON.
    let long = "\u{1}".repeat(1_000);
    let mut last = reader;
    for n in 0..200 {
        let mut other = handshake("row", "ui", &["operator.read"]);
        let client = Arc::make_mut(&mut other.client);
        (client.id, client.mode) = (long.as_str().into(), long.as_str().into());
        client.display_name = Some(long.as_str().into());
        other.remote_ip = Some(long.as_str().into());
        other.conn_id = alloc::format!("c{n}").into();
        last = hub.join(other, START);
        if n % 2 == 0 {
            hub.leave(last, LeaveCause::PeerClosed, START);
        }
    }
    let beacon = json!({ "text": "x".repeat(4_000), "instanceId": "row", "reason": "x".repeat(1_000) });
    call(&mut hub, last, "system-event", beacon, START);
    let row = explain(&mut hub, reader, json!({ "row": "row" }), START)["row"].take();
    assert_eq!(row["connections"].as_array().unwrap().len(), 32);
    assert_eq!(row["events"].as_array().unwrap().len(), 32);
    assert!(row.to_string().len() < 128 * 1_024, "{}", row.to_string().len());
}

#[test]
fn the_events_of_a_row_are_complete() {
    let mut hub = hub();
    let reader = hub.join(handshake("r", "cli", &["operator.read"]), START);
    let mut device = handshake("x", "ui", &[]);
    Arc::make_mut(&mut device.client).instance_id = None;
    device.device_id = Some("d1".into());
    hub.join(device.clone(), START);
    Arc::make_mut(&mut device.client).instance_id = Some("named".into());
    device.conn_id = "conn-2".into();
    hub.join(device, START.after(1_000));
    let whats = |hub: &mut Hub, key: &str, now: Now| -> Vec<Value> {
        let mut row = explain(hub, reader, json!({ "row": key }), now)["row"].take();
        let Value::Array(events) = row["events"].take() else {
            panic!("{row}")
        };
        events.into_iter().map(|mut event| event["what"].take()).collect()
    };
    let renamed = whats(&mut hub, "named", START.after(2_000));
    // Of events at one moment, the consequences of a connect are newer.
    assert_eq!(renamed, ["renamed", "joined", "joined"]);
    // Another client with that id has a row of its own.
    let mut other = handshake("named", "ui", &[]);
    other.conn_id = "conn-3".into();
    hub.join(other, START.after(3_000));
    let apart = explain(
        &mut hub,
        reader,
        json!({ "row": "CONN:conn-3" }),
        START.after(3_000),
    );
    assert_eq!(apart["row"]["keyFrom"], "connection");
    assert!(
        apart["row"]["why"]
            .as_str()
            .unwrap()
            .contains("device key of another client")
    );
    assert_eq!(
        whats(&mut hub, "CONN:conn-3", START.after(3_000)),
        ["moved", "joined"]
    );
}

#[test]
fn the_first_refused_beacon_of_a_connection_is_an_event() {
    let mut hub = hub();
    let conn = hub.join(handshake("a", "ui", &["operator.read"]), START);
    for at_ms in [1_000, 2_000] {
        let beacon = json!({ "text": "t", "instanceId": "other" });
        let answer = call(&mut hub, conn, "system-event", beacon, START.after(at_ms));
        assert_eq!(answer["ok"], false);
    }
    let row = explain(&mut hub, conn, json!({ "row": "a" }), START.after(3_000))["row"].take();
    let events: Vec<_> = row["events"].as_array().unwrap().iter().collect();
    assert_eq!(events.len(), 2);
    assert_eq!(
        (&events[0]["what"], &events[0]["ageMs"]),
        (&json!("refused"), &json!(2_000))
    );
    assert!(events[0]["text"].as_str().unwrap().contains("operator.write"));
}
