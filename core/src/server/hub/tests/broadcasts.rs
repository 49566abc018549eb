//! Times of broadcasts.

use super::*;

#[test]
fn others_are_notified_at_once_and_then_once_per_window() {
    let mut hub = hub();
    let reader = hub.join(handshake("a", "ui", &["operator.read"]), START);
    frames(&mut hub, reader);
    let later = START.after(1_000);
    for n in 0..5 {
        hub.join(handshake(&n.to_string(), "ui", &[]), later);
    }
    assert_eq!(frames(&mut hub, reader).len(), 1);
    assert_eq!(hub.poll_timeout(), Some(1_050));
    hub.handle_timeout(START.after(1_050));
    let frames = frames(&mut hub, reader);
    assert_eq!(json(&frames[0])["stateVersion"]["presence"], 7);
    assert_eq!(
        json(&frames[0])["payload"]["presence"].as_array().unwrap().len(),
        7
    );
}

#[test]
fn slow_broadcasts_extend_the_window() {
    for (took_ms, window_ms) in [(0, 50), (25, 50), (26, 52), (200, 400)] {
        let mut hub = hub();
        let reader = hub.join(handshake("a", "ui", &["operator.read"]), START);
        frames(&mut hub, reader);
        let begin = START.after(1_000);
        hub.join(handshake("b", "ui", &[]), begin);
        assert_eq!(frames(&mut hub, reader).len(), 1, "at once, as ever");
        hub.handle_sent(begin.after(took_ms));
        assert!(!hub.awaits_sent());
        hub.join(handshake("c", "ui", &[]), begin.after(took_ms));
        let end = START.after(1_000 + window_ms);
        assert_eq!(hub.poll_timeout(), Some(end.age_ms));
        hub.handle_timeout(end);
        assert_eq!(frames(&mut hub, reader).len(), 1, "the last state is sent");
    }
}

#[test]
fn a_suspension_during_a_broadcast_does_not_extend_the_window() {
    let mut hub = hub();
    let reader = hub.join(handshake("a", "ui", &["operator.read"]), START);
    frames(&mut hub, reader);
    let begin = START.after(1_000);
    hub.join(handshake("b", "ui", &[]), begin);
    frames(&mut hub, reader);
    let woken = begin.after(8 * 3_600_000);
    hub.handle_sent(woken);
    hub.join(handshake("c", "ui", &[]), woken);
    let told = frames(&mut hub, reader);
    assert!(
        told.iter().any(|frame| frame.contains(r#""event":"presence""#)),
        "{told:?}"
    );
}
