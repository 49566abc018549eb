//! Rows for display.

use super::*;

#[test]
fn a_view_has_all_displayed_values() {
    let mirror = mirror(
        r#"[{"instanceId":"a","reason":"periodic","lastInputSeconds":5,"ts":10000}]"#,
        10_000,
    );
    let row = mirror.rows()[0];
    assert_eq!(
        mirror.view(row, 75_000).to_json(),
        concat!(
            r#"{"key":"instance:a","status":"active","isSelf":false,"ageMs":65000,"ageText":"1 minute ago","#,
            r#""reasonLabel":"Heartbeat","lastInputMs":70000,"#,
            r#""entry":{"instanceId":"a","reason":"periodic","lastInputSeconds":5,"ts":10000}}"#
        )
    );
}
