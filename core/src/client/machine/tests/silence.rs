//! Silent gateways, and clients whose machine sleeps.

use alloc::format;

use super::bench::*;
use crate::client::event::ClientState;

#[test]
fn two_missing_ticks_end_the_connection() {
    let mut bench = Bench::live(config(), 4, &format!("[{}]", gateway()));
    bench.pass(20_000);
    bench.receive("not even JSON");
    bench.pass(59_999);
    assert_eq!(bench.client.state(), ClientState::Live);
    bench.pass(1);
    assert_eq!(bench.closes, [(1, 4000, "tick timeout")]);
    assert_eq!(bench.problem(), "TICK_TIMEOUT");
    bench.pass(1_000);
    assert_eq!(bench.opened, 2);
}

#[test]
fn after_a_sleep_the_socket_gets_a_grace_period() {
    let mut bench = Bench::live(config(), 4, &format!("[{}]", gateway()));
    bench.sleep(3_600_000);
    assert_eq!(
        (bench.client.state(), bench.count("system-presence")),
        (ClientState::Live, 1)
    );
    // The tick that waited in the socket, then the answer.
    bench.tick();
    let ts = bench.server_ms();
    bench.answer(
        "system-presence",
        &format!(r#"[{{"mode":"gateway","reason":"self","ts":{ts}}}]"#),
    );
    bench.pass(50_000);
    assert_eq!(bench.client.state(), ClientState::Live);

    let mut dead = Bench::live(config(), 4, &format!("[{}]", gateway()));
    dead.sleep(3_600_000);
    dead.pass(14_999);
    assert_eq!(dead.client.state(), ClientState::Live);
    dead.pass(1);
    assert_eq!(dead.problem(), "TICK_TIMEOUT");
}

#[test]
fn a_dead_socket_is_detected_even_if_every_timer_is_late() {
    let mut bench = Bench::live(config(), 4, &format!("[{}]", gateway()));
    let mut minutes = 0;
    while bench.client.state() == ClientState::Live {
        bench.sleep(75_000);
        minutes += 1;
        assert!(minutes < 10, "never detected");
    }
    assert_eq!(bench.problem(), "TICK_TIMEOUT");
}

#[test]
fn when_the_network_is_back_the_connection_is_probed_at_once() {
    let mut bench = Bench::live(config(), 4, &format!("[{}]", gateway()));
    bench.pass(5_000);
    bench.client.set_online(true, bench.now);
    bench.drain();
    assert_eq!(
        bench.count("system-presence"),
        1,
        "the existing connection is probed"
    );
    bench.pass(15_000);
    assert_eq!(bench.problem(), "TICK_TIMEOUT");
}
