use serde_json::{Value, json};

use super::*;

fn explained(mirror: &Mirror, key: &str, now_ms: u64) -> Value {
    serde_json::from_str(&mirror.explain_json(key, now_ms).unwrap()).unwrap()
}

fn member<'a>(explained: &'a Value, name: &str) -> &'a Value {
    let members = explained["members"].as_array().unwrap();
    members.iter().find(|member| member["name"] == name).unwrap()
}

const TAB: &str = r#"[
    {"host":"gw","mode":"gateway","reason":"self","ts":5000},
    {"instanceId":"Tab-1","host":"WebChat","reason":"connect","roles":["operator"],"ts":4000},
    {"instanceId":"tab-1","host":"WebChat","ip":"10.0.0.7","reason":"disconnect","ts":3000},
    {"deviceId":"d","instanceId":"d","host":"mac","reason":"connect","ts":2000},
    {"host":"bare","reason":"connect","ts":1000}
]"#;

#[test]
fn each_member_names_its_row() {
    let explained = explained(&mirror(TAB, 5_000), "instance:tab-1", 5_000);
    assert_eq!(explained["keyFrom"], "instanceId");
    assert_eq!(
        explained["why"],
        "Rows with one instanceId are one instance. The gateway lists 2 rows of it."
    );
    assert_eq!(explained["rows"], json!(["1", "2"]));
    let of = |name: &str| {
        let member = member(&explained, name);
        (
            member["row"].clone(),
            member["ageMs"].clone(),
            member["from"].clone(),
        )
    };
    assert_eq!(of("host"), (json!("1"), json!(1_000), json!("list")));
    assert_eq!(of("ip"), (json!("2"), json!(2_000), json!("list")));
    assert_eq!(of("reason"), (json!("1"), json!(1_000), json!("list")));
    assert_eq!(member(&explained, "roles")["value"], json!(["operator"]));
}

#[test]
fn a_value_merged_from_two_rows_is_derived() {
    let both = TAB.replace("\"disconnect\",", "\"connect\",\"roles\":[\"node\"],");
    let explained = explained(&mirror(&both, 5_000), "instance:tab-1", 5_000);
    let roles = member(&explained, "roles");
    assert_eq!(roles["value"], json!(["node", "operator"]));
    assert_eq!((&roles["from"], roles.get("ageMs")), (&json!("derived"), None));
}

#[test]
fn the_source_of_a_key_is_explained() {
    let mirror = mirror(TAB, 5_000);
    for (key, from, why) in [
        ("self", "self", "the gateway's own row"),
        ("device:d", "deviceId", "one deviceId and no other instanceId"),
        ("row:bare#1", "list", "no instanceId and no deviceId"),
    ] {
        let explained = explained(&mirror, key, 5_000);
        assert_eq!(
            (&explained["key"], &explained["keyFrom"]),
            (&json!(key), &json!(from))
        );
        assert!(explained["why"].as_str().unwrap().contains(why), "{explained}");
    }
    assert_eq!(mirror.explain_json("instance:nobody", 5_000), None);
}

#[test]
fn raw_rows_are_named_by_their_wire_keys() {
    let mut mirror = Mirror::new(MirrorConfig::default());
    let snapshot = r#"{"presence":[{"instanceId":"mac-1","ts":1}],"keys":["mac-1"],"version":1}"#;
    mirror.apply_snapshot(Snapshot::read(snapshot).unwrap(), 1);
    let explained = explained(&mirror, "instance:mac-1", 1);
    assert_eq!(explained["rows"], json!(["mac-1"]));
    assert_eq!(member(&explained, "instanceId")["row"], "mac-1");
}

#[test]
fn the_time_of_removal_is_explained() {
    let ends = |mirror: &Mirror, key: &str| {
        let explained = explained(mirror, key, 10_000);
        (
            explained["expiresInMs"].clone(),
            explained["ends"].as_str().unwrap().to_string(),
        )
    };
    let mut kept = mirror(TAB, 5_000);
    assert_eq!(
        ends(&kept, "self"),
        (Value::Null, "It stays as long as the gateway lists it.".into())
    );
    assert_eq!(
        ends(&kept, "device:d"),
        (
            json!(TTL - 8_000),
            "The gateway decides when it goes; by default that is 300 s after it was \
             last heard of."
                .into()
        )
    );
    kept.handle_offline(5_000);
    assert_eq!(
        ends(&kept, "device:d"),
        (
            json!(2 * TTL - 8_000),
            "The gateway cannot be reached. It goes 600 s after it was last heard of.".into()
        )
    );
    assert_eq!(
        ends(&kept, "self"),
        (
            json!(2 * TTL - 5_000),
            "The gateway cannot be reached. It goes 600 s after it was last heard of.".into()
        )
    );
    let mut alone = Mirror::standalone(MirrorConfig::standalone());
    alone.apply_list(list(TAB), 5_000);
    assert_eq!(
        ends(&alone, "device:d").1,
        "It goes 300 s after it was last heard of, or earlier if the list is full."
    );
    assert_eq!(ends(&alone, "self").0, Value::Null);
}
