use alloc::format;
use alloc::string::ToString;

use super::*;
#[cfg(any(feature = "client", feature = "server"))]
use crate::model::entry::MAX_SAFE_INTEGER;

fn one(text: &str) -> RawEntry {
    RawEntry::read(text).unwrap()
}

#[test]
fn an_instance_id_that_repeats_the_device_id_is_none() {
    assert_eq!(
        one(r#"{"instanceId":" D1","deviceId":"d1"}"#).instance_key(),
        None
    );
    assert_eq!(one(r#"{"instanceId":" "}"#).instance_key(), None);
    assert!(
        one(r#"{"instanceId":"i1","deviceId":"d1"}"#)
            .instance_key()
            .is_some()
    );
}

#[test]
fn distinguishes_the_gateway_from_its_clients() {
    assert!(one(r#"{"mode":"gateway","reason":"self"}"#).is_self());
    assert!(one(r#"{"text":"Gateway: pi (10.0.0.1)"}"#).is_self());
    assert!(!one(r#"{"mode":"gateway","reason":"connect","text":"Gateway: x"}"#).is_self());
    assert!(!one(r#"{"text":"Node: Gateway: x"}"#).is_self());
}

#[test]
fn odd_types_and_null_are_absent() {
    let row = one(r#"{"host":5,"ts":"x","reason":null,"mode":"a","mode":"b"}"#);
    assert_eq!((row.str("host"), row.ts(), row.get("reason")), (None, None, None));
    assert_eq!(row.str("mode"), Some("b"));
    assert_eq!(row.get("host"), Some("5"));
}

#[test]
fn members_are_bounded() {
    let members: Vec<String> = (0..MAX_MEMBERS + 5).map(|n| format!(r#""m{n}":{n}"#)).collect();
    let row = one(&format!("{{{}}}", members.join(",")));
    assert_eq!(row.members().count(), MAX_MEMBERS);
    assert_eq!((row.integer("m255"), row.get("m256")), (Some(255), None));
}

/// Objects as gateways may send them, odd ones among them.
const ROWS: [&str; 22] = [
    r#"{"host":"a","ts":5,"lastInputSeconds":9,"roles":["x","y"],"mode":"ui"}"#,
    r#"{"host":"Zoé · 😀","ts":1800000000000}"#,
    r#"{"a":1,"a":2,"ts":3,"ts":4}"#,
    r#"{ "host" : "a" }"#,
    r#"{"host":"a\n\u0041\ud83d\ude00\ud800"}"#,
    r#"{"h\u006fst":"a"}"#,
    r#"{"a\"b":"c","\\":"\t","host":"\"a\""}"#,
    r#"{"ts":1.5e3,"lastInputSeconds":-7}"#,
    r#"{"ts":99999999999999999999,"lastInputSeconds":9007199254740991}"#,
    r#"{"ts":9007199254740993}"#,
    r#"{"ts":null,"host":null,"mode":true,"x":false}"#,
    r#"{"ts":"5","host":5,"mode":["a"],"reason":{"b":1,"a":[{}]}}"#,
    r#"{"x":[],"y":{},"z":[[],[1,2,{"b":"{","a":"}"}]]}"#,
    r#"{"x":["{b","a"],"é":1,"z":2,"":0}"#,
    r#"{}"#,
    r#"{"__proto__":{"a":1},"constructor":"b"}"#,
    r#"{"a":"","instanceId":" X ","deviceId":"x"}"#,
    r#"{"mode":"gateway","reason":"self","text":"Gateway: x"}"#,
    r#"{"ts":0,"lastInputSeconds":0.0}"#,
    r#"{"ts":-0,"lastInputSeconds":1E400}"#,
    r#"{"ts":12345678901234567890.5}"#,
    r#"{"\ud800":"\udc00","x":"y"}"#,
];

/// The contents of a row do not depend on its spelling.
#[test]
fn spelling_of_members_does_not_matter() {
    let names = [
        "host",
        "ts",
        "lastInputSeconds",
        "mode",
        "reason",
        "a",
        "",
        "é",
        "x",
        "\\",
        "a\"b",
    ];
    let mut verbatim = 0;
    for text in ROWS {
        let row = one(text);
        let again = one(row.as_str());
        verbatim += usize::from(row.as_str() == text);
        assert_eq!(row, again);
        if !text.contains("Gateway:") {
            assert_eq!(one(&text.replace(':', " :\t")), row, "{text}");
        }
        if !text.contains("false") {
            assert_eq!(one(&text.replace('a', "\\u0061")), row, "{text}");
        }
        for name in names {
            let last = row.members().rfind(|(own, _)| *own == name);
            assert_eq!(
                row.get(name),
                last.map(|(_, value)| value).filter(|value| *value != "null")
            );
            let expected = row.get(name).and_then(string_of);
            assert_eq!(row.str(name), expected.as_deref(), "{name} of {text}");
        }
    }
    assert!(verbatim >= 12, "only {verbatim} were kept as they came");
}

#[cfg(any(feature = "client", feature = "server"))]
#[test]
fn edits_change_only_their_members() {
    for text in ROWS {
        let row = one(text);
        for name in ["ts", "host", "a", "new \"one\""] {
            for value in [0, 5, MAX_SAFE_INTEGER, 1_800_000_000_000] {
                let mut draft = Draft::new(&row);
                draft.set_integer(name, Some(value));
                let edited = draft.finish();
                assert_eq!(edited.integer(name), Some(value), "{name} of {text}");
                assert!(edited.eq_without(&row, &[name]), "{name} of {text}");
                assert_eq!(one(edited.as_str()), edited);
            }
            let mut draft = Draft::new(&row);
            draft.remove(name);
            let edited = draft.finish();
            assert_eq!(edited.get(name), None);
            assert!(edited.eq_without(&row, &[name]), "{name} of {text}");
        }
    }
}

/// One invalid row does not affect other rows.
#[test]
fn a_list_is_refused_exactly_when_it_is_not_json() {
    for row in ROWS {
        for at in (0..row.len()).filter(|&at| row.is_char_boundary(at) && row.is_char_boundary(at + 1)) {
            let (before, after) = (&row[..at], &row[at + 1..]);
            let twice = row[at..at + 1].repeat(2);
            for middle in [
                "", "\"", "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", " ", "\\", "\u{1}", &twice,
            ] {
                let text = format!(r#"[{{"ts":1}},{before}{middle}{after}]"#);
                let list = RawEntry::parse_list(&text);
                let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
                assert_eq!(list.is_some(), is_json, "{text}");
                assert!(list.is_none_or(|list| list[0].to_string() == r#"{"ts":1}"#));
            }
        }
    }
}
