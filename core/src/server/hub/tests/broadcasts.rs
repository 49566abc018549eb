//! Times of broadcasts.

use super::*;

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
fn the_window_does_not_end_while_a_broadcast_is_being_sent() {
    let mut hub = hub();
    let reader = hub.join(handshake("a", "ui", &["operator.read"]), START);
    frames(&mut hub, reader);
    let begin = START.after(1_000);
    hub.join(handshake("b", "ui", &[]), begin);
    assert_eq!(frames(&mut hub, reader).len(), 1);
    hub.join(handshake("c", "ui", &[]), begin);
    // Of each 10 ms it sends 3.
    for passed_ms in (3..=703).step_by(10) {
        let now = begin.after(passed_ms);
        hub.pause_sending(now);
        assert!(hub.awaits_sent());
        hub.handle_timeout(now.after(7));
        assert_eq!(frames(&mut hub, reader).len(), 0, "after {passed_ms} ms");
        hub.resume_sending(now.after(7));
    }
    // 71 times 3 ms, and as long again for requests.
    hub.handle_sent(begin.after(710));
    let end = begin.after(710 + 71 * 3);
    assert_eq!(hub.poll_timeout(), Some(end.age_ms));
    hub.handle_timeout(end);
    assert_eq!(frames(&mut hub, reader).len(), 1);
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
