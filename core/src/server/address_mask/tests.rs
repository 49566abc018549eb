use alloc::string::ToString as _;

use serde_json::{Value, json};

use super::*;

fn shown(value: &Value) -> Value {
    serde_json::from_str(&AddressMask::new(1).json(&value.to_string())).unwrap()
}

#[test]
fn members_with_addresses_are_omitted_and_addresses_in_texts_are_masked() {
    let row = json!({
        "host": "10.0.0.5", "ip": "lan-7", "timeZone": "Europe/Paris", "version": "1.2.3", "ts": 5,
        "text": "Node: a (10.0.0.5) \u{b7} mode ui", "roles": ["operator", "at ::1"],
        "user": { "id": "zo\u{e9}", "email": "z@example.com" }, "deep": [{ "remoteIp": "1.2.3.4", "x": ["fe80::1"] }],
    });
    assert_eq!(
        shown(&row),
        json!({
            "host": "***", "version": "1.2.3", "ts": 5, "text": "Node: a (***) \u{b7} mode ui",
            "roles": ["operator", "at ***"], "user": { "id": "zo\u{e9}" }, "deep": [{ "x": ["***"] }],
        })
    );
    let members = json!([
        { "name": "ip", "value": "10.0.0.5" },
        { "name": "text", "value": "at 10.0.0.5" },
        { "name": "host", "value": "a" },
    ]);
    let wanted = json!([{ "name": "text", "value": "at ***" }, { "name": "host", "value": "a" }]);
    assert_eq!(shown(&json!({ "members": members }))["members"], wanted);
    // A gateway may be called `ip` (SPEC 7).
    let observed =
        json!({ "observed": [{ "name": "ip", "connected": true }, { "name": "email", "rows": 3 }] });
    assert_eq!(shown(&observed), observed);
}

#[test]
fn deep_nesting_does_not_overflow_the_stack() {
    let deep = format!(r#"[1,{}"at ::1"{}]"#, "[".repeat(4_000), "]".repeat(4_000));
    let shown = AddressMask::new(1).json(&deep);
    assert!(
        shown.starts_with("[1,[[") && shown.contains("null") && !shown.contains("at"),
        "{shown}"
    );
}

#[test]
fn different_keys_have_different_pseudonyms_and_equal_keys_equal_ones() {
    let mask = AddressMask::new(1);
    let pseudonym = mask.key("10.0.0.5");
    assert!(pseudonym.starts_with(PSEUDONYM) && pseudonym.len() == PSEUDONYM.len() + 16);
    assert_ne!(mask.key("10.0.0.6"), pseudonym);
    assert_ne!(
        AddressMask::new(2).key("10.0.0.5"),
        pseudonym,
        "another seed, another pseudonym"
    );
    for key in ["mac-1", "SELF", "CONN:550e8400-e29b-41d4-a716-446655440000"] {
        assert_eq!(mask.key(key), key);
    }
    let text = json!({
        "key": "10.0.0.5", "instanceId": " 10.0.0.5", "rows": ["10.0.0.5", "b"], "touched": [["10.0.0.5", 7]],
        "user": { "id": "zo\u{e9}@example.com" }, "instances": { "10.0.0.5": { "ip": "x" } },
        "members": [{ "name": "instanceId", "value": "10.0.0.5" }],
    });
    let user = mask.pseudonym("ZO\u{c9}@example.com");
    let mut wanted = json!({
        "key": pseudonym, "instanceId": pseudonym, "rows": [pseudonym, "b"], "touched": [[pseudonym, 7]],
        "user": { "id": user }, "instances": {}, "members": [{ "name": "instanceId", "value": pseudonym }],
    });
    wanted["instances"][&pseudonym] = json!({});
    assert_eq!(shown(&text), wanted);
    // A key made from a text may be cut off inside an address.
    let cut = ["x".repeat(54), " 192.168.".into(), "1".into()].concat();
    assert_eq!(cut.len(), TEXT_KEY_UNITS);
    assert!(mask.key(&cut).starts_with(PSEUDONYM));
    assert_eq!(mask.key(&cut[1..]), cut[1..], "a shorter text is not cut off");
}

#[test]
fn a_key_that_only_an_ip_states_is_masked() {
    let mask = AddressMask::new(1);
    let text = |host: &str, ip: &str| {
        format!("Node: {host} ({ip}) \u{b7} app 1 \u{b7} last input 1s ago \u{b7} mode ui \u{b7} reason r")
    };
    for (key, row, is_masked) in [
        ("lan-7", json!({ "ip": " LAN-7" }), true),
        (
            "lan-7",
            json!({ "text": text("unknown", "lan-7"), "ip": "lan-8", "host": "mac" }),
            true,
        ),
        // Of a peer, and of an observed gateway with wire keys and without.
        ("GATEWAY:home/lan-7", json!({ "ip": "lan-7" }), true),
        ("GATEWAY:home/row:lan-7", json!({ "ip": "lan-7" }), true),
        ("GATEWAY:home/row:lan-7#12", json!({ "ip": "lan-7" }), true),
        (
            "GATEWAY:home/row:lan-7",
            json!({ "ip": "lan-7", "host": "lan-7" }),
            false,
        ),
        ("GATEWAY:home/row:lan-70", json!({ "ip": "lan-7" }), false),
        ("lan-7", json!({ "ip": "lan-7", "instanceId": "Lan-7" }), false),
        ("lan-7", json!({ "ip": "lan-7", "deviceId": "lan-7" }), false),
        ("lan-7", json!({ "ip": "lan-7", "host": "lan-7" }), false),
        (
            "lan-7",
            json!({ "text": text("lan-7", "lan-7"), "host": "mac" }),
            false,
        ),
        ("mac", json!({ "ip": "lan-7" }), false),
    ] {
        let shown = mask.row_key(key, &mask.row(&row.to_string()));
        let wanted = if is_masked {
            mask.pseudonym(key)
        } else {
            key.into()
        };
        assert_eq!(shown, wanted, "{key} {row}");
        let page = json!({ "sessions": [{ "key": key }], "instances": { key: row } });
        let page: Value = serde_json::from_str(&mask.history(&page.to_string())).unwrap();
        assert_eq!(page["sessions"][0]["key"], wanted, "{page}");
        assert!(page["instances"][&wanted].is_object(), "{page}");
        assert_eq!(
            mask.may_find(" LAN-7", key, &row.to_string()),
            !(is_masked && key == "lan-7")
        );
    }
}

#[test]
fn keys_with_addresses_are_found_by_their_pseudonyms_only() {
    let mask = AddressMask::new(1);
    let keys = ["a", "10.0.0.5"];
    let find = |shown: &str| mask.shown_id(shown, keys);
    assert_eq!(find(&mask.key("10.0.0.5")).as_deref(), Some("10.0.0.5"));
    assert_eq!(find("a").as_deref(), Some("a"));
    assert_eq!(find("10.0.0.5"), None);
    assert_eq!(find(&mask.key("10.0.0.6")), None);
}

/// A client may claim any `deviceId` for its own row: a pseudonym in its place would show which key it guessed.
#[test]
fn a_claimed_device_id_with_an_address_is_omitted() {
    let members = |id: &str| json!([{ "name": "deviceId", "value": id }, { "name": "host", "value": "a" }]);
    let row = |id: &str| json!({ "host": "a", "deviceId": id, "members": members(id) });
    for id in ["10.0.0.5", "nas at ::1"] {
        assert_eq!(
            shown(&row(id)),
            json!({ "host": "a", "members": [{ "name": "host", "value": "a" }] })
        );
    }
    // Also not for a key that was cut inside an address.
    let cut = ["x".repeat(54), " 192.168.1".into()].concat();
    assert!(AddressMask::new(1).key(&cut).starts_with(PSEUDONYM));
    for id in [&*"0f".repeat(32), "mac-1", &cut] {
        assert_eq!(shown(&row(id)), row(id));
    }
}

/// In the order of their keys, ids of a guesser would show between which values an address lies.
#[test]
fn instances_and_nodes_are_not_in_the_order_of_their_keys() {
    let mask = AddressMask::new(1);
    let ids = ["nas-2", "nas-203.0.113.7", "nas-203.0.113.9", "nas-3"];
    let mut hidden = [mask.key(ids[1]), mask.key(ids[2])];
    hidden.sort();
    let [first, second] = &hidden;
    for ids in [
        ids,
        [ids[0], ids[2], ids[1], ids[3]],
        [ids[3], ids[0], ids[1], ids[2]],
    ] {
        let instances: Vec<String> = ids.iter().map(|id| format!(r#""{id}":{{}}"#)).collect();
        let page = format!(r#"{{"sessions":[],"instances":{{{}}}}}"#, instances.join(","));
        let wanted = format!(
            r#"{{"sessions":[],"instances":{{"{first}":{{}},"{second}":{{}},"nas-2":{{}},"nas-3":{{}}}}}}"#
        );
        assert_eq!(mask.history(&page), wanted);
    }
    for (list, other) in [("nodes", "ts"), ("paired", "pending")] {
        let node = |id: &str, connected| json!({ "nodeId": id, "connected": connected });
        let nodes: Vec<Value> = [true, false]
            .into_iter()
            .flat_map(|connected| ids.map(|id| node(id, connected)))
            .collect();
        let wanted: Vec<Value> = [true, false]
            .into_iter()
            .flat_map(|connected| ["nas-2", "nas-3", first, second].map(|id| node(id, connected)))
            .collect();
        assert_eq!(
            shown(&json!({ other: 1, list: nodes })),
            json!({ other: 1, list: wanted })
        );
    }
}
