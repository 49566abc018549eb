//! Frames during the handshake and after it, and their bounds.

use super::*;

#[test]
fn too_many_or_too_large_frames_during_the_handshake_close_it() {
    let mut connection = authenticating(&params());
    for _ in 0..=MAX_PENDING_FRAMES {
        connection.handle_text("{}", START);
    }
    let close = ConnectionOutput::Close(CloseFrame {
        code: 1008,
        reason: "too many pending handshake frames".into(),
    });
    assert_eq!(drained(&mut connection), core::slice::from_ref(&close));
    assert_is_closed(&mut connection);

    let mut connection = authenticating(&params());
    let half = "x".repeat(Limits::default().preauth_frame_bytes / 2);
    connection.handle_text(&half, START);
    connection.handle_text(&half, START);
    assert_eq!(connection.poll_output(), None);
    connection.handle_text("x", START);
    assert_eq!(drained(&mut connection), [close]);
}

#[test]
fn waiting_frames_are_dropped_when_the_handshake_fails() {
    let mut connection = authenticating(&params());
    connection.handle_text(&request("q", "health", &json!({})), START);
    connection.handle_evidence(
        &Evidence {
            secret: SecretEvidence::TokenMissing,
            ..GOOD
        },
        START,
    );
    refusal(&mut connection, "c1");
    assert_is_closed(&mut connection);
}

#[test]
fn the_handshake_has_a_deadline_until_it_is_done() {
    let timeout = [ConnectionOutput::Close(CloseFrame::HANDSHAKE_TIMEOUT)];
    for mut connection in [opened(), authenticating(&params())] {
        assert_eq!(connection.poll_timeout(), Some(16_000));
        connection.handle_timeout(START.after(14_999));
        assert_eq!(connection.poll_output(), None);
        connection.handle_timeout(START.after(15_000));
        assert_eq!(drained(&mut connection), timeout);
        assert_is_closed(&mut connection);
    }
    // A frame after the deadline is too late, even if no timer fired before it.
    let mut connection = opened();
    connection.handle_text(&request("c1", "connect", &params()), START.after(15_000));
    assert_eq!(drained(&mut connection), timeout);
    let mut connection = authenticating(&params());
    connection.handle_evidence(&GOOD, START.after(15_000));
    assert_eq!(drained(&mut connection), timeout);

    let mut connection = ready();
    assert_eq!(connection.poll_timeout(), None);
    connection.handle_timeout(START.after(1_000_000));
    assert_eq!(connection.poll_output(), None);
}

#[test]
fn after_the_handshake_calls_are_passed_to_the_hub() {
    let mut connection = ready();
    connection.handle_text(&request("7", "no.such.method", &json!([1])), START);
    let call = Request {
        id: "7".into(),
        access: Access::Anyone,
        call: Err(Box::new(WireError::unknown_method("no.such.method"))),
    };
    assert_eq!(drained(&mut connection), [ConnectionOutput::Call(Box::new(call))]);
}

#[test]
fn after_the_handshake_bad_frames_are_answered_or_ignored_and_the_socket_stays() {
    let mut connection = ready();
    connection.handle_text("hello", START);
    assert!(matches!(
        &drained(&mut connection)[..],
        [ConnectionOutput::Note(_)]
    ));
    let cases = [
        (
            r#"{"id":"8"}"#,
            "8",
            "invalid request frame: must have required property 'type'",
        ),
        ("[]", "invalid", "invalid request frame: must be object"),
        (
            r#"{"type":"req","id":"9","method":"m","x":1}"#,
            "9",
            "invalid request frame: at root: unexpected property 'x'",
        ),
        (
            &*request("10", "connect", &params()),
            "10",
            "connect is only valid as the first request",
        ),
    ];
    for (text, id, message) in cases {
        connection.handle_text(text, START);
        let expected = ResponseFrame::error(id, &WireError::invalid_request(message));
        assert_eq!(drained(&mut connection), [ConnectionOutput::Send(expected)]);
    }
    connection.handle_text(&request("11", "health", &json!({})), START);
    assert!(matches!(
        &drained(&mut connection)[..],
        [ConnectionOutput::Call(_)]
    ));
}

#[test]
fn the_frame_limit_grows_with_the_handshake_and_too_large_closes() {
    let limits = Limits::default();
    assert_eq!(opened().max_frame_bytes(), limits.preauth_frame_bytes);
    assert_eq!(
        authenticating(&params()).max_frame_bytes(),
        limits.preauth_frame_bytes
    );
    let mut connection = ready();
    assert_eq!(connection.max_frame_bytes(), limits.payload_bytes);
    connection.handle_oversized();
    assert_eq!(
        drained(&mut connection),
        [ConnectionOutput::Close(CloseFrame::TOO_LARGE)]
    );
    assert_is_closed(&mut connection);
}

#[test]
fn unrequested_evidence_is_ignored() {
    let mut connection = opened();
    connection.handle_evidence(&GOOD, START);
    assert_eq!(connection.poll_output(), None);
    let mut connection = ready();
    connection.handle_evidence(
        &Evidence {
            secret: SecretEvidence::TokenMissing,
            ..GOOD
        },
        START,
    );
    assert_eq!(connection.poll_output(), None);
}

#[test]
fn a_ready_connection_is_small_and_owns_nothing() {
    let connection = ready();
    assert!(matches!(connection.phase, Phase::Ready));
    assert_eq!(
        (connection.outputs.capacity(), connection.challenge().nonce),
        (0, "")
    );
    assert!(size_of::<Connection>() <= 64, "{}", size_of::<Connection>());
}
