//! Plain beacons are read a short way. It must never differ from the long one, whatever the frame.

use presence_core::server::system_event::parse_system_event;
use presence_core::wire::Request;
use proptest::prelude::*;
use proptest::sample::select;

/// A value's JSON text: mostly what the member may hold.
fn value(good: &'static [&'static str]) -> impl Strategy<Value = String> {
    const ODD: [&str; 12] = [
        "null",
        "true",
        "-3",
        "1.5",
        "1e999",
        "{}",
        "[]",
        "[1]",
        r#""\ud800""#,
        r#"" \ud83d\ude00\u0009""#,
        r#""""#,
        "{\"a\":[\"b\",{\"c\":null}]}",
    ];
    let long = any::<bool>().prop_map(|is_ascii| {
        let letter = if is_ascii { "x" } else { "\u{e4}" };
        format!("\"{}\"", letter.repeat(1_020))
    });
    prop_oneof![
        20 => select(good).prop_map(str::to_owned),
        2 => select(&ODD[..]).prop_map(str::to_owned),
        1 => long,
    ]
}

fn member() -> impl Strategy<Value = String> {
    const TEXTS: [&str; 4] = [
        r#""a""#,
        r#"" mac \u00e4 ""#,
        r#""Node: a (10.0.0.1) · app 1 ""#,
        r#""""#,
    ];
    const LISTS: [&str; 4] = [
        "[]",
        r#"["operator"]"#,
        r#"["a"," b ",""]"#,
        r#"["system-presence-clear-last-input"]"#,
    ];
    const NUMBERS: [&str; 4] = ["0", "12", "9007199254740993", "18446744073709551616"];
    let strings = select(
        &[
            "host",
            "ip",
            "mode",
            "version",
            "platform",
            "deviceFamily",
            "modelIdentifier",
            "reason",
            "instanceId",
            "deviceId",
        ][..],
    );
    let any_name = select(
        &[
            "sessionKey",
            "idempotencyKey",
            "wake",
            "text",
            "unknown",
            "__proto__",
        ][..],
    );
    prop_oneof![
        8 => (strings, value(&TEXTS)).boxed(),
        3 => (select(&["roles", "scopes", "tags"][..]), value(&LISTS)).boxed(),
        2 => (Just("lastInputSeconds"), value(&NUMBERS)).boxed(),
        1 => (any_name, value(&TEXTS)).boxed(),
    ]
    .prop_map(|(name, value)| format!(r#""{name}":{value}"#))
}

fn frame() -> impl Strategy<Value = String> {
    let params = prop::collection::vec(member(), 0..8).prop_map(|mut members| {
        members.insert(members.len() / 2, r#""text":"t""#.to_owned());
        format!("{{{}}}", members.join(","))
    });
    let head = prop_oneof![
        9 => Just(r#""type":"req","id":"7","method":"system-event""#),
        1 => select(
            &[
                r#""type":"req","id":"\u0037","method":"system-event""#,
                r#""type":"req","id":7,"method":"system-event""#,
                r#""type":"req","method":"system-event""#,
                r#""type":"req","id":"7","method":"system\u002devent""#,
                r#""type":"req","id":"7","method":"system-event","traceparent":"t""#,
                r#""type":"req","id":"7","method":"system-event","x":1"#,
            ][..]
        ),
    ];
    (head, params).prop_map(|(head, params)| format!(r#"{{{head},"params":{params}}}"#))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_short_way_reads_what_the_long_way_reads(text in frame()) {
        let long = Request::parse(&text);
        let mut short = Request::parse_call(&text);
        if let Ok(request) = &mut short
            && let Some(beacon) = request.beacon.take()
        {
            let params = &long.as_ref().expect("the long way reads it too").params;
            prop_assert_eq!(Ok(*beacon), parse_system_event(params.text()));
            request.params = params.clone();
        }
        prop_assert_eq!(short, long);
    }
}
