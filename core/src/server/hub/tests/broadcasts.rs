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
fn no_broadcast_begins_while_one_is_being_sent() {
    // For `sent_ms` of each turn it sends, for the rest it handles events; and the moment of the next broadcast.
    for (turns, sent_ms, rest_ms, next_ms) in
        [(71, 3, 7, 710), (71, 3, 1, 426), (71, 3, 0, 426), (2, 3, 7, 50)]
    {
        let mut hub = hub();
        let reader = hub.join(handshake("a", "ui", &["operator.read"]), START);
        frames(&mut hub, reader);
        let begin = START.after(1_000);
        hub.join(handshake("b", "ui", &[]), begin);
        assert_eq!(frames(&mut hub, reader).len(), 1);
        hub.join(handshake("c", "ui", &[]), begin);
        let mut now = begin;
        for _ in 0..turns {
            now = now.after(sent_ms);
            hub.pause_sending(now);
            assert!(hub.awaits_sent());
            // Events in between do not end the pause.
            for _ in 0..rest_ms {
                now = now.after(1);
                hub.handle_timeout(now);
                assert_eq!(frames(&mut hub, reader).len(), 0, "at {now:?}");
                hub.pause_sending(now);
            }
            hub.resume_sending(now);
        }
        hub.handle_sent(now);
        let next = begin.after(next_ms);
        if now.age_ms < next.age_ms {
            assert_eq!(hub.poll_timeout(), Some(next.age_ms));
            hub.handle_timeout(begin.after(next_ms - 1));
            assert_eq!(frames(&mut hub, reader).len(), 0, "before {next:?}");
        }
        hub.handle_timeout(next);
        assert_eq!(frames(&mut hub, reader).len(), 1);
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
