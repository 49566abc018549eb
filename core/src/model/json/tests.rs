use alloc::format;

use super::*;

fn canonical(text: &str) -> String {
    let mut out = String::new();
    Json::parse(text).unwrap().write_as(&mut out, true);
    out
}

#[test]
fn keeps_order_and_spelling() {
    for text in [
        r#"{"z":[1,-2,{"y":"ü\"\\\n\u001f"}],"a":null,"b":true,"z":false}"#,
        "0.50",
        "-0.001E+7",
        "18446744073709551616",
        "[]",
        "{}",
        r#""""#,
    ] {
        assert_eq!(Json::parse(text).unwrap().to_string(), text);
    }
    assert_eq!(
        Json::parse(" [ 1 , { \"a\" :\t2 } ]\r\n").unwrap().to_string(),
        r#"[1,{"a":2}]"#
    );
}

/// Every string over a small alphabet up to some length, and every text with one character changed:
/// taken or refused exactly as serde_json does, with the same value.
#[test]
fn takes_what_json_is_and_nothing_else() {
    let agree = |text: &str| {
        let own = Json::parse(text);
        match serde_json::from_str::<serde_json::Value>(text) {
            Ok(value) => {
                let own = own.unwrap_or_else(|_| panic!("refused {text:?}"));
                let again: serde_json::Value = serde_json::from_str(&own.to_string()).unwrap();
                assert_eq!(again, value, "{text:?}");
            }
            Err(_) => assert_eq!(own, Err(NotJson), "took {text:?}"),
        }
    };
    const ALPHABET: &[u8] = b"[]{}\",:01-.e+ntu\\ ";
    for length in 0..=4u32 {
        for mut n in 0..ALPHABET.len().pow(length) {
            let mut text = String::new();
            for _ in 0..length {
                text.push(char::from(ALPHABET[n % ALPHABET.len()]));
                n /= ALPHABET.len();
            }
            agree(&text);
        }
    }
    let sample = r#"{"a":[1,-2.5e3,true,false,null,"x\u00e9\n\ud83d\ude00é"],"b":{"c":"","d":0}} "#;
    for at in 0..sample.len() {
        for c in "\"\\{}[],:0x9.eE+- \u{1}\u{d7ff}".chars() {
            if sample.is_char_boundary(at) {
                let after = sample[at..].chars().next().map_or(at, |own| at + own.len_utf8());
                let changed = format!("{}{c}{}", &sample[..at], &sample[after..]);
                // The one liberty taken is half a pair.
                if !changed.contains("\\ud8") && !changed.contains("\\ude") {
                    agree(&changed);
                }
                agree(&sample[..at]);
            }
        }
    }
}

#[test]
fn half_a_surrogate_pair_costs_one_character() {
    for (text, value) in [
        (r#""a\ud800b""#, "a\u{fffd}b"),
        (r#""\udc00\ud83d\ude00\ud800""#, "\u{fffd}😀\u{fffd}"),
        (r#""\\ud800\ud800""#, "\\ud800\u{fffd}"),
        (r#""\ud800\u0041\ud800\n""#, "\u{fffd}A\u{fffd}\n"),
        (r#""\ud800\ud83d\ude00""#, "\u{fffd}😀"),
    ] {
        assert_eq!(Json::parse(text).unwrap().as_str(), Some(value));
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Json::parse(&nested(128)).is_ok());
    assert_eq!(Json::parse(&nested(129)), Err(NotJson));
    assert_eq!(Json::parse(&"{\"a\":".repeat(1_000_000)), Err(NotJson));
}

#[test]
fn canonical_members_are_sorted_by_utf16_units() {
    // U+10000 is a surrogate pair (d800...), so it sorts before U+FFFF.
    assert_eq!(
        canonical(r#"{"\uffff":1,"\ud800\udc00":2,"b":{"d":1,"c":2},"a":"\u000f€"}"#),
        "{\"a\":\"\\u000f€\",\"b\":{\"c\":2,\"d\":1},\"\u{10000}\":2,\"\u{ffff}\":1}"
    );
}

#[test]
fn the_last_of_two_members_counts_and_paths_lead_inside() {
    let json = Json::parse(r#"{"a":1,"a":{"b":{"c":"x"}}}"#).unwrap();
    assert_eq!(json.at(&["a", "b", "c"]).and_then(Json::as_str), Some("x"));
    assert_eq!(json.at(&["a", "x", "c"]), None);
}

#[test]
fn numbers_become_safe_integers() {
    for (text, number) in [
        ("7", 7),
        ("3.7", 3),
        ("0.999", 0),
        ("-4", 0),
        ("-0.5", 0),
        ("1.2345e2", 123),
        ("12345E-2", 123),
        ("1e+3", 1_000),
        ("0e999999999", 0),
        ("0.0000001e7", 1),
        ("1e-999999999999", 0),
        ("1e999999999999", MAX_SAFE_INTEGER),
        ("1e300", MAX_SAFE_INTEGER),
        ("9007199254740991", MAX_SAFE_INTEGER),
        ("9007199254740992", MAX_SAFE_INTEGER),
        ("99999999999999999999999999999", MAX_SAFE_INTEGER),
    ] {
        assert_eq!(Json::parse(text).unwrap().as_u64(), Some(number), "{text}");
    }
    assert_eq!(Json::parse("\"7\"").unwrap().as_u64(), None);
}

/// Objects as gateways may send them, odd ones among them.
const ROWS: [&str; 20] = [
    r#"{"host":"a","ts":5,"lastInputSeconds":9,"roles":["x","y"],"mode":"ui"}"#,
    r#"{"host":"Zoé · 😀","ts":1800000000000}"#,
    r#"{"a":1,"a":2,"ts":3,"ts":4}"#,
    r#"{ "host" : "a" }"#,
    r#"{"host":"a\n\u0041\ud83d\ude00\ud800"}"#,
    r#"{"h\u006fst":"a"}"#,
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
];

#[test]
fn rows_as_text_are_the_rows_as_values() {
    use crate::model::RawEntry;
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
        "instanceId",
    ];
    let read = |text: &str, frame: bool| {
        let text = format!(r#"{{"payload":{{"presence":[7,{text}]}}}}"#);
        let json = if frame {
            Json::parse_frame(&text, 3)
        } else {
            Json::parse(&text)
        };
        RawEntry::new(
            &json
                .unwrap()
                .at(&["payload", "presence"])
                .unwrap()
                .as_array()
                .unwrap()[1],
        )
        .unwrap()
    };
    let mut texts = 0;
    for text in ROWS {
        let (quick, slow) = (read(text, true), read(text, false));
        texts += usize::from(quick.origin().is_some());
        if let Some(origin) = quick.origin() {
            assert_eq!((origin.frame, origin.place, origin.index), (3, 3, 1), "{text}");
        }
        assert_eq!(slow.origin(), None);
        assert_eq!(quick.to_string(), slow.to_string());
        assert_eq!(quick, slow);
        assert_eq!(quick.members(), slow.members());
        assert_eq!(
            crate::digest::of_raw("k", &quick),
            crate::digest::of_raw("k", &slow),
            "{text}"
        );
        for name in names {
            assert_eq!(quick.str(name), slow.str(name), "{name} of {text}");
            assert_eq!(quick.integer(name), slow.integer(name), "{name} of {text}");
            assert_eq!(quick.get(name), slow.get(name), "{name} of {text}");
            for value in [0, 5, MAX_SAFE_INTEGER, 1_800_000_000_000] {
                let (mut quick, mut slow) = (quick.clone(), slow.clone());
                quick.set_integer(name, value);
                slow.set_integer(name, value);
                assert_eq!(quick.to_string(), slow.to_string(), "{name} of {text}");
            }
            let (mut quick, mut slow) = (quick.clone(), slow.clone());
            quick.remove(name);
            slow.remove(name);
            assert_eq!(quick.to_string(), slow.to_string(), "{name} of {text}");
        }
        for other in ROWS {
            let skipped = ["ts", "lastInputSeconds"];
            let same = slow.eq_without(&read(other, false), &skipped);
            assert_eq!(
                quick.eq_without(&read(other, true), &skipped),
                same,
                "{text} {other}"
            );
            assert_eq!(
                quick.eq_without(&read(other, false), &skipped),
                same,
                "{text} {other}"
            );
        }
    }
    assert!(texts >= 12, "only {texts} were kept as text");
}

#[test]
fn a_frame_is_refused_exactly_when_the_text_is() {
    // Every row with each of its bytes left out, doubled, or replaced.
    for row in ROWS {
        for at in (0..row.len()).filter(|&at| row.is_char_boundary(at) && row.is_char_boundary(at + 1)) {
            let (before, after) = (&row[..at], &row[at + 1..]);
            for middle in [
                "",
                "\"",
                "{",
                "}",
                "[",
                "]",
                ",",
                ":",
                "0",
                "-",
                ".",
                "e",
                " ",
                "\\",
                "\u{1}",
                &row[at..at + 1].repeat(2),
            ] {
                let text = format!(r#"[{before}{middle}{after}]"#);
                assert_eq!(Json::parse_frame(&text, 1), Json::parse(&text), "{text}");
            }
        }
    }
    for depth in [126, 127, 128, 129] {
        let text = format!(r#"[{{"a":{}{}}}]"#, "[".repeat(depth), "]".repeat(depth));
        assert_eq!(
            Json::parse_frame(&text, 1).is_ok(),
            Json::parse(&text).is_ok(),
            "{depth}"
        );
    }
}

#[test]
fn rows_know_their_place_in_every_frame() {
    use crate::model::RawEntry;
    let row = r#"{"ts":1}"#;
    for (place, text) in [
        format!("[0,{row}]"),
        format!(r#"{{"presence":[0,{row}]}}"#),
        format!(r#"{{"payload":[0,{row}]}}"#),
        format!(r#"{{"payload":{{"presence":[0,{row}]}}}}"#),
        format!(r#"{{"snapshot":{{"presence":[0,{row}]}}}}"#),
        format!(r#"{{"payload":{{"snapshot":{{"presence":[0,{row}]}}}}}}"#),
        format!(r#"{{"upserts":[0,{{"key":"k","entry":{row}}}]}}"#),
        format!(r#"{{"payload":{{"upserts":[0,{{"key":"k","entry":{row}}}]}}}}"#),
    ]
    .iter()
    .enumerate()
    {
        let json = Json::parse_frame(text, 9).unwrap();
        let item = &json.at(Origin::PLACES[place]).unwrap().as_array().unwrap()[1];
        let row = RawEntry::new(item.get("entry").unwrap_or(item)).unwrap();
        let origin = Origin {
            frame: 9,
            place: place as u32,
            index: 1,
        };
        assert_eq!(row.origin(), Some(origin), "{text}");
    }
}

/// Wherever a byte stands among others of all kinds, eight at a time end where one at a time do.
#[test]
fn strings_end_at_the_first_byte_that_is_special() {
    let fillers = [b'a', b' ', b'!', b'#', b'[', b']', 0x7f, 0x80, 0xa2, 0xdc, 0xff];
    for filler in fillers {
        for byte in 0..=u8::MAX {
            for at in 0..17 {
                let mut bytes = [filler; 20];
                bytes[at] = byte;
                // Behind it is one more that must not count.
                bytes[at + 1] = b'"';
                let is_special = matches!(byte, b'"' | b'\\' | 0..b' ');
                let end = if is_special { at } else { at + 1 };
                assert_eq!(scan::plain_until(&bytes, 0), end, "{filler} {byte} {at}");
                assert_eq!(scan::plain_until(&bytes[..at], 0), at);
            }
        }
    }
}
