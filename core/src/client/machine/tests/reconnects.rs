//! The end of a connection, and reconnects.

use alloc::format;

use super::bench::*;
use crate::client::config::ClientConfig;
use crate::client::event::{ClientEvent, ClientState};

#[test]
fn delays_grow_until_a_connection_was_stable() {
    let mut bench = Bench::new(ClientConfig { seed: 5, ..config() });
    let mut total = 0;
    for _ in 0..8 {
        bench.close(1006, "");
        let ClientState::Waiting { at_ms } = bench.client.state() else {
            panic!("not waiting")
        };
        let wait_ms = at_ms - bench.now.age_ms;
        assert!(wait_ms <= 30_000);
        total += wait_ms;
        bench.pass(wait_ms);
        assert_eq!(bench.client.state(), ClientState::Connecting);
    }
    assert!(total > 20_000, "{total}");
    bench.shake_hands(4, "[]");
    bench.pass_with_ticks(30_000);
    bench.close(1012, "service restart");
    let ClientState::Waiting { at_ms } = bench.client.state() else {
        panic!("not waiting")
    };
    assert!(at_ms - bench.now.age_ms <= 1_000);
}

#[test]
fn showing_the_page_retries_at_once() {
    let mut bench = Bench::new(config());
    for _ in 0..6 {
        bench.close(1006, "");
        bench.pass(30_000);
    }
    bench.close(1006, "");
    bench.client.set_visible(false, bench.now);
    bench.client.set_visible(true, bench.now);
    bench.drain();
    assert_eq!(bench.client.state(), ClientState::Connecting);
    // But not repeatedly.
    bench.close(1006, "");
    for is_visible in [false, true, false, true] {
        bench.client.set_visible(is_visible, bench.now);
        bench.drain();
    }
    assert!(matches!(bench.client.state(), ClientState::Waiting { .. }));
}

#[test]
fn the_client_waits_for_an_announced_restart() {
    let mut bench = Bench::live(config(), 4, "[]");
    bench.receive(
        r#"{"type":"event","event":"shutdown","payload":{"reason":"gateway restarting","restartExpectedMs":4000}}"#,
    );
    let expected = ClientEvent::Shutdown {
        reason: "gateway restarting".into(),
        restart_expected_ms: Some(4_000),
    };
    assert!(bench.events.contains(&expected));
    bench.close(1012, "service restart");
    let ClientState::Waiting { at_ms } = bench.client.state() else {
        panic!("not waiting")
    };
    assert!((4_000..=5_000).contains(&(at_ms - bench.now.age_ms)));
}

#[test]
fn revoked_credentials_stop_the_client() {
    let mut bench = Bench::live(config(), 4, "[]");
    bench.close(4001, "gateway auth changed");
    assert_eq!(
        (bench.client.state(), bench.problem()),
        (ClientState::Refused, "CREDENTIALS_REVOKED")
    );
}

#[test]
fn a_stopped_client_does_nothing_until_it_is_started_again() {
    let mut bench = Bench::live(config(), 4, &format!("[{}]", row("a", 0)));
    bench.client.stop(bench.now);
    bench.drain();
    assert_eq!(bench.closes, [(1, 1000, "")]);
    assert_eq!(
        (bench.client.state(), bench.client.mirror().len()),
        (ClientState::Closed, 1)
    );
    bench.client.stop(bench.now);
    bench.pass(10_000_000);
    assert_eq!((bench.closes.len(), bench.client.poll_timeout()), (1, None));
    bench.client.start(bench.now);
    bench.drain();
    assert_eq!(bench.opened, 2);
}
