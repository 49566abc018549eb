//! Requests, and the errors of other texts.

use serde_json::json;

use super::*;
use crate::model::Beacon;

/// The id and the reason of an invalid frame.
fn invalid(text: &str) -> (Option<Box<str>>, Box<str>) {
    match Request::parse(text) {
        Err(FrameError::Invalid { id, reason }) => (id, reason),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn requests_with_all_members_and_with_the_required_ones() {
    let text = r#"{"params":{"a":[1]},"method":"wake","id":"i","type":"req","traceparent":"","expectedProfileId":"p"}"#;
    let request = Request::parse(text).unwrap();
    assert_eq!(
        request,
        Request {
            id: "i".into(),
            access: Access::Scope("operator.write"),
            call: Ok(Call::Wake),
        }
    );
    let least = Request::parse(r#" {"type":"req","id":"i","method":"m"} "#).unwrap();
    assert_eq!(
        least,
        Request {
            id: "i".into(),
            access: Access::Anyone,
            call: Err(Box::new(WireError::unknown_method("m"))),
        }
    );
}

#[test]
fn what_is_not_json() {
    for text in [
        "",
        " ",
        "hello",
        "{",
        r#"{"type":"req"#,
        "{} {}",
        "\u{feff}{}",
        "NaN",
        "[1,]",
        "01",
    ] {
        assert_eq!(Request::parse(text), Err(FrameError::NotJson), "{text:?}");
    }
}

#[test]
fn json_that_is_no_request_has_an_error_with_its_id() {
    let long_id = json!({ "type": "req", "id": "i".repeat(1_025), "method": "m" }).to_string();
    let long_trace =
        json!({ "type": "req", "id": "i", "method": "m", "traceparent": "t".repeat(129) }).to_string();
    let cases = [
        ("null", None, "must be object"),
        ("[]", None, "must be object"),
        ("{}", None, "must have required property 'type'"),
        (
            r#"{"type":"req","id":"i"}"#,
            Some("i"),
            "must have required property 'method'",
        ),
        (
            r#"{"type":"res","id":"i","method":"m"}"#,
            Some("i"),
            "at /type: must be equal to constant",
        ),
        (
            r#"{"type":"req","id":5,"method":"m"}"#,
            None,
            "at /id: must be string",
        ),
        (
            r#"{"type":"req","id":"","method":"m"}"#,
            None,
            "at /id: must NOT have fewer than 1 characters",
        ),
        (&*long_id, None, "at /id: must NOT have more than 1024 characters"),
        (
            r#"{"type":"req","id":"i","method":""}"#,
            Some("i"),
            "at /method: must NOT have fewer than 1 characters",
        ),
        (
            r#"{"type":"req","id":"i","method":"m","params":{},"extra":1}"#,
            Some("i"),
            "at root: unexpected property 'extra'",
        ),
        (
            &*long_trace,
            Some("i"),
            "at /traceparent: must NOT have more than 128 characters",
        ),
    ];
    for (text, id, reason) in cases {
        assert_eq!(invalid(text), (id.map(Into::into), reason.into()), "{text}");
    }
}

#[test]
fn unrepresentable_json_is_an_invalid_frame_with_its_id() {
    let cases = [
        (
            r#"{"type":"req","id":"i","method":"wake","params":{"a":"\ud800"}}"#,
            "column 61",
        ),
        (
            r#"{"type":"req","id":"i","method":"wake","params":{"a":"\udc00 x"}}"#,
            "column 60",
        ),
        (
            r#"{"type":"req","id":"i","method":"wake","params":{"\ud83d\ud83d":1}}"#,
            "column 62",
        ),
        (
            r#"{"type":"req","id":"i","method":"wake","params":[1e999]}"#,
            "column 54",
        ),
        (
            r#"{"params":-1E+999,"type":"req","id":"i","method":"wake"}"#,
            "column 17",
        ),
    ];
    for (text, place) in cases {
        let (id, reason) = invalid(text);
        assert_eq!(id.as_deref(), Some("i"), "{text}");
        assert!(reason.contains(place), "{text}: {reason}");
    }
    assert_eq!(invalid(r#"{"type":"req","id":"\ud800","method":"wake"}"#).0, None);
}

#[test]
fn depth_neither_overflows_nor_hides_the_id() {
    let levels = 500_000;
    let deep = format!(
        r#"{{"type":"req","id":"i","method":"wake","params":{}1{}}}"#,
        "[".repeat(levels),
        "]".repeat(levels)
    );
    let (id, reason) = invalid(&deep);
    assert_eq!(id.as_deref(), Some("i"));
    assert!(reason.contains("more than 127 levels"), "{reason}");
    assert_eq!(Request::parse(&"[".repeat(levels)), Err(FrameError::NotJson));
}
#[test]
fn parameters_of_an_unknown_method_need_only_be_json() {
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    for params in ["1e999", r#"{"a":"\ud800"}"#, r#"{"\udc00":1}"#, "[[],{}]", &deep] {
        let text = format!(r#"{{"type":"req","id":"i","method":"no.such","params":{params}}}"#);
        let request = Request::parse(&text).unwrap();
        let unknown = Box::new(WireError::unknown_method("no.such"));
        assert_eq!((&*request.id, request.call), ("i", Err(unknown)), "{text}");
    }
    for params in ["", "[1,]", "{\"a\"}", "01", "\"\n\"", r#""\x""#] {
        let text = format!(r#"{{"type":"req","id":"i","method":"no.such","params":{params}}}"#);
        assert_eq!(Request::parse(&text), Err(FrameError::NotJson), "{text}");
    }
}

#[test]
fn the_last_of_repeated_members_counts() {
    let text = r#"{"type":5,"id":"a","method":"m","params":[1],"type":"req","id":"b","method":"system-event",
        "params":{"text":"t","host":5,"tags":[],"host":"\u0068","text":"u","tags":["system-presence-clear-last-input"]}}"#;
    let request = Request::parse(text).unwrap();
    let beacon = Beacon {
        host: Some("h".into()),
        clear_last_input: true,
        ttl_ms: None,
        ..Beacon::new("u")
    };
    assert_eq!(
        (&*request.id, request.call),
        ("b", Ok(Call::SystemEvent(beacon.into())))
    );
}

#[test]
fn the_last_id_is_found_in_unrepresentable_json() {
    let odd = r#""\ud800":1,"traceparent":1e999"#;
    for (members, id) in [
        (r#""id":"a""#, Some("a")),
        (
            r#""x":{"id":"no"},"id" : "\u0061\n","y":[{"id":"no"}]"#,
            Some("a\n"),
        ),
        (r#""id":"a","id":"b""#, Some("b")),
        (r#""id":"a","id":5"#, None),
        (r#""id":["a"]"#, None),
        (r#""id":"a","id":"\ud800""#, None),
        (r#""x":"id","y":"z""#, None),
    ] {
        for text in [format!("{{{members},{odd}}}"), format!("{{{odd},{members}}}")] {
            assert_eq!(invalid(&text).0.as_deref(), id, "{text}");
        }
    }
    assert_eq!(invalid(r#"[{"id":"a"},1e999]"#).0, None);
}

#[test]
fn a_request_of_many_members_is_invalid_and_keeps_its_id() {
    let text = |more: usize| {
        let members = r#""x":0,"#.repeat(more);
        format!(r#"{{{members}"type":"req","method":"no.such","id":"i"}}"#)
    };
    let unexpected = (Some("i".into()), "at root: unexpected property 'x'".into());
    assert_eq!(invalid(&text(1_021)), unexpected);
    let many = (Some("i".into()), "must NOT have more than 1024 properties".into());
    assert_eq!(invalid(&text(1_022)), many);
    assert_eq!(Request::parse(&text(1_022)[1..]), Err(FrameError::NotJson));
}

#[test]
fn the_parameters_of_an_unknown_method_are_never_read() {
    let text = r#"{"type":"req","id":"i","method":"m","params":{"a":[1,2,3]}}"#;
    assert_eq!(RequestFrame::read(text).unwrap().params, Tree::Other);
    let known = text.replace(r#""m""#, r#""wake""#);
    assert!(matches!(
        RequestFrame::read(&known).unwrap().params,
        Tree::Object(_)
    ));
}
