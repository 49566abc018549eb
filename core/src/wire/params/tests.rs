//! Every rule with its message.

use alloc::string::ToString;

use serde_json::json;

use core::fmt;

use super::*;

fn message<T: fmt::Debug>(result: Result<T, ParamsError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn the_root_must_be_an_object() {
    for value in [json!(null), json!([]), json!("x"), json!(1)] {
        assert_eq!(
            message(Members::of(&Tree::read(&value.to_string()).unwrap())),
            "must be object"
        );
    }
}

#[test]
fn missing_members_are_named_with_their_object() {
    let value = json!({ "client": {} });
    let text = value.to_string();
    let tree = Tree::read(&text).unwrap();
    let root = Members::of(&tree).unwrap();
    assert_eq!(
        message(root.required_integer("minProtocol", 1)),
        "must have required property 'minProtocol'"
    );
    let client = root.required_object("client").unwrap();
    assert_eq!(
        message(client.required_string("version", 9)),
        "at /client: must have required property 'version'"
    );
    assert_eq!(
        message(root.required_object("auth")),
        "must have required property 'auth'"
    );
}

#[test]
fn null_is_a_wrong_type_everywhere() {
    let value = json!({ "x": null });
    let text = value.to_string();
    let tree = Tree::read(&text).unwrap();
    let root = Members::of(&tree).unwrap();
    assert_eq!(message(root.optional_string("x", 9)), "at /x: must be string");
    assert_eq!(message(root.strings("x", 9, 9)), "at /x: must be array");
    assert_eq!(message(root.optional_object("x")), "at /x: must be object");
    assert_eq!(message(root.optional_number("x")), "at /x: must be number");
    assert_eq!(message(root.optional_bool("x")), "at /x: must be boolean");
    assert_eq!(message(root.required_integer("x", 0)), "at /x: must be integer");
}

#[test]
fn lengths_are_counted_in_utf16_units() {
    let value = json!({ "empty": "", "clef": "\u{1d11e}\u{1d11e}", "ok": "äöü" });
    let text = value.to_string();
    let tree = Tree::read(&text).unwrap();
    let root = Members::of(&tree).unwrap();
    assert_eq!(root.optional_string("empty", 3), Ok(Some("")));
    assert_eq!(
        message(root.optional_string("empty", Length::nonempty(3))),
        "at /empty: must NOT have fewer than 1 characters"
    );
    assert_eq!(root.optional_string("clef", 4), Ok(Some("\u{1d11e}\u{1d11e}")));
    assert_eq!(
        message(root.optional_string("clef", 3)),
        "at /clef: must NOT have more than 3 characters"
    );
    assert_eq!(root.optional_string("ok", 3), Ok(Some("äöü")));
    assert_eq!(root.optional_string("ok", Length::ANY), Ok(Some("äöü")));
}

#[test]
fn string_lists_name_the_bad_item() {
    let value = json!({ "auth": { "scopes": ["a", 5], "empty": ["", "b"] } });
    let text = value.to_string();
    let tree = Tree::read(&text).unwrap();
    let root = Members::of(&tree).unwrap();
    let auth = root.required_object("auth").unwrap();
    assert_eq!(
        message(auth.strings("scopes", 9, 9)),
        "at /auth/scopes/1: must be string"
    );
    assert_eq!(
        message(auth.strings("scopes", 1, 9)),
        "at /auth/scopes: must NOT have more than 1 items"
    );
    assert_eq!(auth.strings("empty", 2, 1), Ok(alloc::vec!["", "b"]));
    assert_eq!(
        message(auth.strings("empty", 2, Length::nonempty(1))),
        "at /auth/empty/0: must NOT have fewer than 1 characters"
    );
}

#[test]
fn integers_may_be_written_as_floats_but_have_no_fraction() {
    let value =
        json!({ "whole": 4.0, "fraction": 3.5, "zero": 0, "minus": -1, "huge": 1e300, "max": u64::MAX });
    let text = value.to_string();
    let tree = Tree::read(&text).unwrap();
    let root = Members::of(&tree).unwrap();
    assert_eq!(root.required_integer("whole", 1), Ok(4));
    assert_eq!(root.required_integer("max", 1), Ok(u64::MAX));
    assert_eq!(root.required_integer("huge", 1), Ok(u64::MAX));
    assert_eq!(
        message(root.required_integer("fraction", 1)),
        "at /fraction: must be integer"
    );
    assert_eq!(
        message(root.required_integer("zero", 1)),
        "at /zero: must be >= 1"
    );
    assert_eq!(
        message(root.required_integer("minus", 0)),
        "at /minus: must be >= 0"
    );
    assert_eq!(root.optional_integer("whole", 1, 4), Ok(Some(4)));
    assert_eq!(root.optional_integer("absent", 1, 4), Ok(None));
    assert_eq!(
        message(root.optional_integer("whole", 1, 3)),
        "at /whole: must be <= 3"
    );
    assert_eq!(
        message(root.optional_integer("huge", 1, 500)),
        "at /huge: must be <= 500"
    );
}

#[test]
fn numbers_keep_sign_and_fraction() {
    let value = json!({ "n": -3.7, "s": "5" });
    let text = value.to_string();
    let tree = Tree::read(&text).unwrap();
    let root = Members::of(&tree).unwrap();
    assert_eq!(root.optional_number("n"), Ok(Some(-3.7)));
    assert_eq!(root.optional_number("absent"), Ok(None));
    assert_eq!(message(root.optional_number("s")), "at /s: must be number");
}

#[test]
fn closed_objects_and_boolean_maps_name_the_member_cut_short() {
    let long = "ä".repeat(100);
    let value = json!({ "type": "req", long.clone(): 1 });
    let text = value.to_string();
    let tree = Tree::read(&text).unwrap();
    let root = Members::of(&tree).unwrap();
    assert_eq!(
        message(root.closed(&["type"])),
        format!("at root: unexpected property '{}'", "ä".repeat(32))
    );
    assert_eq!(root.closed(&["type", &long]), Ok(()));
    let value = json!({ "camera": true, "mic": 1 });
    assert_eq!(
        message(
            Members::of(&Tree::read(&value.to_string()).unwrap())
                .unwrap()
                .all_booleans()
        ),
        "at /mic: must be boolean"
    );
}

#[test]
fn constants_must_be_equal() {
    let value = json!({ "type": "event" });
    let text = value.to_string();
    let tree = Tree::read(&text).unwrap();
    let root = Members::of(&tree).unwrap();
    assert_eq!(root.constant("type", "event"), Ok(()));
    assert_eq!(
        message(root.constant("type", "req")),
        "at /type: must be equal to constant"
    );
    assert_eq!(
        message(root.constant("kind", "req")),
        "must have required property 'kind'"
    );
}

#[test]
fn an_object_of_many_members_is_refused() {
    let text = |count| format!(r#"{{"a":{{{}"x":0}}}}"#, r#""x":1,"#.repeat(count - 1));
    let fits = text(MAX_MEMBERS);
    let fits = Tree::read(&fits).unwrap();
    let inner = Members::of(&fits).unwrap().required_object("a").unwrap();
    assert_eq!(inner.required_integer("x", 0), Ok(0), "the last one counts");
    let over = text(MAX_MEMBERS + 1);
    assert_eq!(
        message(
            Members::of(&Tree::read(&over).unwrap())
                .unwrap()
                .required_object("a")
        ),
        "at /a: must NOT have more than 1024 properties"
    );
}

#[test]
fn names_and_strings_may_be_escaped() {
    let tree = Tree::read(r#" {"\u0061":"\ud83d\ude00","b":" x ","list":[ "\n" , "y" ]} "#).unwrap();
    let root = Members::of(&tree).unwrap();
    assert_eq!(root.optional_string("a", 2), Ok(Some("\u{1f600}")));
    assert_eq!(root.optional_string("b", 3), Ok(Some(" x ")));
    assert_eq!(root.strings("list", 2, 1), Ok(alloc::vec!["\n", "y"]));
}

#[test]
fn parameters_are_not_printed() {
    let text = r#"{"auth":{"token":"hunter2"},"pin":[7]}"#;
    let tree = Tree::read(text).unwrap();
    let printed = format!("{tree:?} {:?}", Members::of(&tree).unwrap());
    assert!(
        !printed.contains("hunter2") && !printed.contains('7'),
        "{printed}"
    );
}
