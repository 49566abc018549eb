//! Rows for display.

use super::*;

#[test]
fn a_view_has_all_displayed_values() {
    let mirror = mirror(
        r#"[{"instanceId":"a","reason":"periodic","lastInputSeconds":5,"ts":10000}]"#,
        10_000,
    );
    let view = mirror.view(mirror.rows()[0], 75_000);
    assert_eq!((view.key, view.status), ("instance:a", Status::Active));
    assert_eq!((view.age_ms, &*view.age_text), (65_000, "1 minute ago"));
    assert_eq!(view.reason_label, Some("Heartbeat"));
    assert_eq!(view.last_input_ms, Some(70_000));
    assert_eq!(view.raw, [view.entry]);
    assert!(!view.is_self);
}
