//! Merging of rows of one instance (SPEC 3).

use alloc::format;

use super::*;
use crate::model::entry::MAX_SET;
use crate::model::raw_entry::MAX_MEMBERS;

#[test]
fn the_freshest_row_has_precedence_and_the_others_fill_missing_members() {
    let rows = merged(
        r#"[
            {"instanceId":"I-1","host":"new","mood":{"z":1,"a":2},"reason":"connect","ts":30},
            {"instanceId":"i-1 ","host":"old","ip":"10.0.0.1","reason":"periodic","ts":20},
            {"instanceId":"i-1","version":"9","ip":"10.0.0.2","reason":"launch","ts":10}
        ]"#,
    );
    assert_eq!(
        rows,
        [concat!(
            r#"{"instanceId":"I-1","host":"new","mood":{"z":1,"a":2},"reason":"connect","ts":30,"#,
            r#""ip":"10.0.0.1","version":"9"}"#
        )]
    );
}

#[test]
fn a_disconnect_row_beside_a_live_one_only_fills_missing_members() {
    let rows = merged(
        r#"[
            {"instanceId":"a","host":"gone","ip":"10.0.0.1","reason":"disconnect","roles":["node"],"ts":30},
            {"instanceId":"a","host":"live","reason":"connect","roles":["operator"],"ts":20}
        ]"#,
    );
    let expected =
        r#"{"instanceId":"a","host":"live","reason":"connect","roles":["operator"],"ts":30,"ip":"10.0.0.1"}"#;
    assert_eq!(rows, [expected]);
}

#[test]
fn roles_and_scopes_are_the_union_of_the_live_rows() {
    let text = r#"[
        {"instanceId":"a","reason":"connect","roles":["operator"],"scopes":["r","w"],"ts":30},
        {"instanceId":"a","reason":"connect","roles":["node","operator"],"ts":20},
        {"instanceId":"a","reason":"disconnect","roles":["worker"],"scopes":["x"],"ts":40}
    ]"#;
    let mirror = mirror(text, 1_000);
    let entry = mirror.rows()[0].entry();
    assert_eq!(entry.get("roles"), Some(r#"["node","operator"]"#));
    assert_eq!(entry.get("scopes"), Some(r#"["r","w"]"#));
    assert_eq!(mirror.rows()[0].ts(), 40);
}

#[test]
fn a_merged_row_is_bounded_like_a_single_row() {
    let row = |ts: u64| {
        let texts = |name: &str| {
            let texts: Vec<String> = (0..MAX_SET).map(|n| format!(r#""{ts}-{n}""#)).collect();
            format!(r#""{name}":[{}]"#, texts.join(","))
        };
        let others: Vec<String> = (0..MAX_MEMBERS).map(|n| format!(r#""{ts}-{n}":1"#)).collect();
        let (roles, scopes, others) = (texts("roles"), texts("scopes"), others.join(","));
        format!(r#"{{"instanceId":"a","ts":{ts},{roles},{scopes},{others}}}"#)
    };
    let mirror = mirror(&format!("[{},{},{}]", row(30), row(20), row(10)), 1_000);
    let entry = mirror.rows()[0].entry();
    assert_eq!(entry.members().count(), MAX_MEMBERS);
    for name in ["roles", "scopes"] {
        let list: Vec<String> = serde_json::from_str(entry.get(name).unwrap()).unwrap();
        assert_eq!(list.len(), MAX_SET);
        // The row with the lowest position comes first, as on the gateway.
        assert_eq!((&*list[0], &*list[63]), ("10-0", "10-63"));
    }
}

#[test]
fn a_row_with_all_members_still_gets_its_null_members_filled() {
    let members: Vec<String> = (0..MAX_MEMBERS - 2).map(|n| format!(r#""m{n}":null"#)).collect();
    let text = format!(
        r#"[{{"instanceId":"a","ts":30,{}}},{{"instanceId":"a","ts":20,"host":"h","m7":"filled"}}]"#,
        members.join(",")
    );
    let mirror = mirror(&text, 1_000);
    let entry = mirror.rows()[0].entry();
    assert_eq!((entry.str("m7"), entry.str("host")), (Some("filled"), None));
}

#[test]
fn among_closed_connections_the_last_one_has_precedence() {
    let rows = merged(
        r#"[
            {"instanceId":"a","host":"x","reason":"disconnect","roles":["operator"],"ts":30},
            {"instanceId":"a","host":"y","ip":"10.0.0.1","reason":"disconnect","roles":["node"],"ts":20}
        ]"#,
    );
    let expected =
        r#"{"instanceId":"a","host":"x","reason":"disconnect","roles":["operator"],"ts":30,"ip":"10.0.0.1"}"#;
    assert_eq!(rows, [expected]);
}

#[test]
fn among_rows_with_equal_times_the_first_listed_has_precedence() {
    let rows = merged(r#"[{"instanceId":"a","host":"x","ts":5},{"instanceId":"a","host":"y","ts":5}]"#);
    assert_eq!(rows, [r#"{"instanceId":"a","host":"x","ts":5}"#]);
}

#[test]
fn rows_are_grouped_by_instance_else_device_else_alone() {
    let mirror = mirror(
        r#"[
            {"instanceId":"d1","deviceId":"D1","host":"a","ts":9},
            {"deviceId":" d1","host":"b","ts":8},
            {"instanceId":"x","deviceId":"d1","host":"c","ts":7},
            {"instanceId":"y","deviceId":"d1","host":"d","ts":6},
            {"host":"Lone","ts":5},
            {"host":"lone","ts":4},
            {"ip":"10.0.0.9","ts":3},
            {"text":"Hello","ts":2},
            {"ts":1}
        ]"#,
        10,
    );
    assert_eq!(
        keys(&mirror),
        [
            "device:d1",
            "instance:x",
            "instance:y",
            "row:lone#1",
            "row:lone#2",
            "row:10.0.0.9#1",
            "row:hello#1",
            "row:#1",
        ]
    );
}

#[test]
fn the_gateways_row_is_first_and_no_row_merges_with_it() {
    let mirror = mirror(
        r#"[
            {"mode":"gateway","reason":"self","instanceId":"g","ts":5},
            {"instanceId":"a","ts":9},
            {"mode":"gateway","reason":"self","instanceId":"g","host":"liar","ts":4}
        ]"#,
        10,
    );
    assert_eq!(keys(&mirror), ["self", "instance:a", "instance:g"]);
    assert!(mirror.rows()[0].is_self() && !mirror.rows()[2].is_self());
    assert_eq!(mirror.rows()[0].entry().str("host"), None);
}

#[test]
fn the_last_input_keeps_its_time() {
    let rows = merged(
        r#"[
            {"instanceId":"a","reason":"connect","ts":90000},
            {"instanceId":"a","lastInputSeconds":3.7,"ts":20500},
            {"instanceId":"a","lastInputSeconds":50,"ts":10000},
            {"instanceId":"b","lastInputSeconds":2592000,"ts":5},
            {"instanceId":"c","lastInputSeconds":-4,"ts":4.5}
        ]"#,
    );
    assert_eq!(
        rows,
        [
            r#"{"instanceId":"a","reason":"connect","ts":90000,"lastInputSeconds":72}"#,
            r#"{"instanceId":"b","ts":5}"#,
            r#"{"instanceId":"c","lastInputSeconds":0,"ts":4}"#,
        ]
    );
}

#[test]
fn raw_rows_are_kept_unchanged() {
    let raw = r#"{"z":null,"instanceId":"a","lastInputSeconds":2592000,"ts":4.5}"#;
    let mirror = mirror(&format!("[{raw}]"), 10);
    let row = mirror.row("instance:a").unwrap();
    assert_eq!(row.raw().map(ToString::to_string).collect::<Vec<_>>(), [raw]);
}

#[test]
fn invalid_numbers_are_corrected_in_an_unmerged_row() {
    let one = |text: &str| merged(&format!("[{text}]")).remove(0);
    // Unchanged.
    for text in [
        r#"{"ts":5,"lastInputSeconds":3}"#,
        r#"{"lastInputSeconds":0,"ts":9007199254740991}"#,
        r#"{"ts":0}"#,
    ] {
        assert_eq!(one(text), text);
    }
    for (text, shown) in [
        (r#"{"ts":5.9}"#, r#"{"ts":5}"#),
        (
            r#"{"ts":-5,"lastInputSeconds":1e1}"#,
            r#"{"ts":0,"lastInputSeconds":10}"#,
        ),
        (r#"{"ts":9007199254740993}"#, r#"{"ts":9007199254740991}"#),
        (r#"{"ts":"5"}"#, r#"{"ts":1000}"#),
        (r#"{"host":"a"}"#, r#"{"host":"a","ts":1000}"#),
        (r#"{"ts":5,"lastInputSeconds":"3"}"#, r#"{"ts":5}"#),
        (r#"{"ts":5,"lastInputSeconds":null}"#, r#"{"ts":5}"#),
        (r#"{"ts":5,"lastInputSeconds":2592000}"#, r#"{"ts":5}"#),
    ] {
        assert_eq!(one(text), shown);
    }
}

#[test]
fn row_keys_follow_from_the_ids_of_entries() {
    let ids = [
        "",
        " ",
        "a",
        " A\t",
        "\u{e9}",
        "\u{c9} ",
        "\u{212a}",
        "k",
        "\u{3a3}a\u{3a3}",
        "\u{130}",
        "i\u{307}",
    ];
    for instance in ids {
        for device in ids {
            let entries = list(
                &serde_json::json!([{ "instanceId": instance, "deviceId": device, "ts": 1 }]).to_string(),
            );
            let expected = match (entries[0].instance_key(), entries[0].device_key()) {
                (Some(key), _) => format!("instance:{}", key.as_str()),
                (None, Some(key)) => format!("device:{}", key.as_str()),
                (None, None) => "row:#1".to_string(),
            };
            let mut mirror = Mirror::new(MirrorConfig::default());
            mirror.apply_list(entries, 1_000);
            assert!(
                mirror.row(&expected).is_some(),
                "{instance:?} {device:?}: no {expected}"
            );
        }
    }
}
