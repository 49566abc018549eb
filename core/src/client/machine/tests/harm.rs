//! Malicious gateways.

use super::bench::*;
use super::deltas::KEYED;
use crate::client::event::ClientState;
use crate::client::machine::MAX_FRAME_BYTES;

#[test]
fn no_frame_causes_a_panic() {
    let texts = [
        "",
        "null",
        "[]",
        "{}",
        "5",
        "\"x\"",
        r#"{"type":5}"#,
        r#"{"type":"event"}"#,
        r#"{"type":"res","id":"1"}"#,
        r#"{"type":"res","id":"99999999999999999999999","ok":true}"#,
        r#"{"type":"event","event":"presence"}"#,
        r#"{"type":"event","event":"presence","payload":{"presence":5},"seq":-1}"#,
        r#"{"type":"event","event":"presence","payload":{"presence":[5,null,{},{"ts":-1},{"ts":1e300}]},"seq":1e300}"#,
        r#"{"type":"event","event":"presence","payload":{"presence":[]},"seq":18446744073709551615}"#,
        r#"{"type":"event","event":"tick","payload":{"ts":18446744073709551615}}"#,
        r#"{"type":"event","event":"tick","payload":{"ts":0}}"#,
        r#"{"type":"event","event":"tick","payload":[]}"#,
        r#"{"type":"event","event":"shutdown","payload":{"restartExpectedMs":18446744073709551615}}"#,
        r#"{"type":"event","event":"presence.delta","payload":{"from":0,"to":18446744073709551615}}"#,
        r#"{"type":"event","event":"x","stateVersion":{"presence":18446744073709551615}}"#,
        r#"{"type":"event","event":"connect.challenge","payload":{"nonce":"","ts":"x"}}"#,
        r#"{"type":"event","event":"connect.challenge","payload":{"nonce":"n"}}"#,
        r#"{"type":"res","id":"1","ok":true,"payload":{"type":"hello-ok","protocol":99999999999}}"#,
    ];
    for protocol in [0, 3, 4] {
        let mut bench = match protocol {
            0 => Bench::new(config()),
            protocol => Bench::live(config(), protocol, KEYED),
        };
        bench.client.handle_open(bench.opened, bench.now);
        for text in texts {
            bench.receive(text);
            bench.pass(1_000);
        }
        bench.pass(100_000);
    }
}

#[test]
fn a_frame_that_is_too_large_is_not_parsed() {
    let mut bench = Bench::live(config(), 4, "[]");
    bench.receive(&"x".repeat(MAX_FRAME_BYTES + 1));
    assert_eq!(bench.closes.last().unwrap().2, "frame too large");
    assert_ne!(bench.client.state(), ClientState::Live);
}
