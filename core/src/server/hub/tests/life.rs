//! Silence, idleness and the end.

use super::*;

#[test]
fn an_idle_hub_has_no_timer() {
    let mut hub = hub();
    let conn = hub.join(handshake("a", "cli", &[]), START);
    assert!(hub.poll_timeout().is_some());
    hub.leave(conn, LeaveCause::PeerClosed, START);
    assert_eq!(hub.poll_timeout(), None);
}

#[test]
fn shutdown_is_sent_to_all_clients() {
    let mut hub = hub();
    let conn = hub.join(handshake("a", "ui", &[]), START);
    frames(&mut hub, conn);
    hub.shutdown("gateway stopping", START);
    let frames = frames(&mut hub, conn);
    assert_eq!(json(&frames[0])["payload"]["reason"], "gateway stopping");
    assert_eq!(frames[1], "service restart");
    assert_eq!(hub.poll_timeout(), None);
}

/// A step of the wall clock that a gateway of a fleet sees while it writes its rows is announced by the next call, long
/// after the last window ended.
#[cfg(feature = "cluster")]
#[test]
fn a_quiet_time_is_not_a_suspension() {
    let mut hub = hub();
    hub.list_peers("a", START);
    let conn = hub.join(handshake("quiet", "ui", &["operator.read"]), START);
    hub.handle_timeout(START.after(25_000));
    hub.pong(conn, START.after(25_000));
    while hub.poll_output().is_some() {}
    let mut now = START.after(45_000);
    now.wall_ms += 7_200_000;
    let version = hub.version();
    hub.each_own_row(now, |_, _, _| {});
    assert!(hub.version() > version);
    assert!(!hub.was_suspended(now));
    hub.handle_timeout(now);
    let mut outputs = core::iter::from_fn(|| hub.poll_output());
    assert!(!outputs.any(|output| matches!(output, HubOutput::Ping(_))));
}
