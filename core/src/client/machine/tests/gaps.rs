//! Missing events and unseen versions.

use alloc::format;
use alloc::string::String;

use super::bench::*;

fn event(name: &str, seq: u64) -> String {
    format!(r#"{{"type":"event","event":"{name}","payload":{{}},"seq":{seq}}}"#)
}

#[test]
fn a_gap_on_protocol_4_is_a_loss() {
    let mut bench = Bench::live(config(), 4, &format!("[{}]", gateway()));
    for seq in [1, 2] {
        bench.receive(&event("health", seq));
    }
    assert_eq!(bench.count("system-presence"), 0);
    bench.receive(&event("health", 4));
    assert_eq!(bench.count("system-presence"), 1);
    // A further gap during the request causes another request after the answer.
    bench.receive(&event("health", 6));
    assert_eq!(bench.count("system-presence"), 1);
    bench.answer("system-presence", &format!("[{}]", gateway()));
    assert_eq!(bench.count("system-presence"), 2);
}

#[test]
fn the_first_event_of_a_connection_can_be_lost_too() {
    for (protocol, questions) in [(4, 1), (3, 0)] {
        let mut bench = Bench::live(config(), protocol, &format!("[{}]", gateway()));
        bench.receive(&event("health", 2));
        assert_eq!(bench.count("system-presence"), questions, "protocol {protocol}");
    }
}

#[test]
fn gaps_on_protocol_3_cause_at_most_one_request_per_30_s() {
    let mut bench = Bench::live(config(), 3, &format!("[{}]", gateway()));
    let mut seq = 1;
    for _ in 0..12 {
        bench.receive(&event("agent", seq));
        seq += 3;
        bench.pass(5_000);
        if bench.client.hold_until_ms().is_some() {
            bench.answer("system-presence", &format!("[{}]", gateway()));
        }
    }
    assert_eq!(
        bench.count("system-presence"),
        2,
        "in a minute, at most once per 30 s"
    );
}

#[test]
fn a_list_after_a_gap_needs_no_further_request() {
    let mut bench = Bench::live(config(), 4, &format!("[{}]", gateway()));
    bench.receive(&event("health", 1));
    bench.receive(&format!(
        r#"{{"type":"event","event":"presence","payload":{{"presence":[{}]}},"seq":9}}"#,
        row("a", 0)
    ));
    assert_eq!(bench.count("system-presence"), 0);
    bench.receive(&event("health", 10));
    assert_eq!(bench.count("system-presence"), 0);
}

#[test]
fn a_version_without_its_event_causes_a_request() {
    // Protocol 3 numbers a connect without an event for it; its health event shows the number.
    let mut bench = Bench::live(config(), 3, &format!("[{}]", gateway()));
    let health = r#"{"type":"event","event":"health","payload":{},"stateVersion":{"presence":2,"health":5}}"#;
    bench.receive(health);
    assert_eq!(bench.count("system-presence"), 1);
    bench.answer("system-presence", &format!("[{}]", gateway()));
    bench.receive(health);
    bench.pass(29_000);
    assert_eq!(bench.count("system-presence"), 1);
}
