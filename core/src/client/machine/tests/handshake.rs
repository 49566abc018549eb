//! From start to hello.

use alloc::boxed::Box;
use alloc::format;

use super::bench::*;
use crate::client::config::{BeaconPolicy, ClientConfig, DeviceKey};
use crate::client::event::{ClientEvent, ClientState};
use crate::model::json::members;
use crate::wire::ConnectParams;

#[test]
fn connects_with_members_that_both_generations_know() {
    let mut bench = Bench::new(config());
    assert_eq!(bench.client.state(), ClientState::Connecting);
    bench.client.handle_open(1, bench.now);
    assert_eq!(
        (bench.client.state(), bench.sent.len()),
        (ClientState::Handshaking, 0)
    );
    bench.challenge();
    assert_eq!(
        bench.last_params(),
        concat!(
            r#"{"minProtocol":3,"maxProtocol":4,"client":{"id":"gateway-client","version":"1.0","platform":"linux","#,
            r#""mode":"backend","displayName":"Dash","instanceId":"Dash-1"},"caps":["presence-delta"],"#,
            r#""role":"operator","scopes":["operator.read"],"auth":{"token":"secret"}}"#
        )
    );
    bench.challenge();
    assert_eq!(bench.count("connect"), 1, "a second challenge is ignored");
    bench.hello(4, "[]", "{}");
    assert_eq!(bench.client.state(), ClientState::Live);
    assert_eq!(bench.client.server_ms(bench.now), SERVER);
}

#[test]
fn a_device_signs_the_challenge_with_the_gateways_time() {
    let device = DeviceKey {
        id: "d1".into(),
        public_key: "pk".into(),
    };
    let beacons = BeaconPolicy::every(60_000);
    let mut bench = Bench::new(ClientConfig {
        device: Some(device),
        beacons,
        ..config()
    });
    bench.client.handle_open(1, bench.now);
    bench.challenge();
    let text = format!("v2|d1|gateway-client|backend|operator|operator.read|{SERVER}|secret|n-1");
    assert_eq!((bench.signs.as_slice(), bench.sent.len()), (&[text][..], 0));
    bench.client.handle_signature(1, Some("sig"), bench.now);
    bench.drain();
    let [device] = members(bench.last_params(), ["device"]).unwrap();
    assert_eq!(
        device.unwrap().get(),
        format!(r#"{{"id":"d1","publicKey":"pk","signature":"sig","signedAt":{SERVER},"nonce":"n-1"}}"#)
    );
    // The parameters as our own gateway parses them.
    let parsed = ConnectParams::parse(bench.last_params()).unwrap();
    assert_eq!(
        (parsed.protocol(), &*parsed.scopes[0]),
        (Some(4), "operator.read")
    );
    assert_eq!(
        parsed.scopes.len(),
        1,
        "beacons about the own row need no other scope"
    );
    bench.client.handle_signature(1, Some("again"), bench.now);
    bench.drain();
    assert_eq!(bench.count("connect"), 1);
}

#[test]
fn a_key_that_cannot_sign_is_omitted() {
    let device = Some(DeviceKey {
        id: "d1".into(),
        public_key: "pk".into(),
    });
    let mut bench = Bench::new(ClientConfig {
        device,
        token: Some("".into()),
        ..config()
    });
    bench.client.handle_open(1, bench.now);
    bench.challenge();
    bench.client.handle_signature(1, None, bench.now);
    bench.drain();
    let params = bench.last("connect").get("params").unwrap();
    assert_eq!((params.get("device"), params.get("auth")), (None, None));
}

#[test]
fn a_protocol_mismatch_is_retried_at_once_with_the_expected_protocol() {
    let mut bench = Bench::new(config());
    bench.client.handle_open(1, bench.now);
    bench.challenge();
    bench.refuse(
        r#"{"code":"INVALID_REQUEST","message":"protocol mismatch","details":{"expectedProtocol":3}}"#,
    );
    assert_eq!((bench.opened, bench.client.state()), (2, ClientState::Connecting));
    bench.client.handle_open(2, bench.now);
    bench.challenge();
    let numbers = |bench: &Bench| {
        let params = bench.last("connect").get("params").unwrap().clone();
        (
            params.get("minProtocol").unwrap().as_u64(),
            params.get("maxProtocol").unwrap().as_u64(),
        )
    };
    assert_eq!(numbers(&bench), (Some(3), Some(3)));
    // A gateway that keeps changing its protocol is not retried endlessly.
    bench.refuse(
        r#"{"code":"INVALID_REQUEST","message":"protocol mismatch","details":{"expectedProtocol":4}}"#,
    );
    assert!(matches!(bench.client.state(), ClientState::Waiting { .. }));
    bench.pass(1_000);
    bench.client.handle_open(3, bench.now);
    bench.challenge();
    assert_eq!(numbers(&bench), (Some(4), Some(4)));
    bench.refuse(
        r#"{"code":"INVALID_REQUEST","message":"protocol mismatch","details":{"expectedProtocol":4}}"#,
    );
    assert_eq!(bench.client.state(), ClientState::Refused);
}

#[test]
fn a_wrong_token_stops_with_a_remedy() {
    let mut bench = Bench::new(config());
    bench.client.handle_open(1, bench.now);
    bench.challenge();
    bench.refuse(r#"{"code":"INVALID_REQUEST","message":"unauthorized: gateway token mismatch (x)"}"#);
    assert_eq!(bench.client.state(), ClientState::Refused);
    assert_eq!(bench.closes, [(1, 4008, "connect failed")]);
    let problem = bench.client.problem().unwrap();
    assert_eq!(&*problem.code, "AUTH_TOKEN_MISMATCH");
    assert!(problem.remedy.contains("token"));
    let expected = ClientEvent::State {
        state: ClientState::Refused,
        problem: Some(Box::new(problem.clone())),
    };
    assert_eq!(bench.events.last(), Some(&expected));
    assert_eq!(bench.client.poll_timeout(), None);
    bench.close(1008, "unauthorized");
    bench.client.start(bench.now);
    bench.drain();
    assert_eq!((bench.opened, bench.client.state()), (2, ClientState::Connecting));
}

#[test]
fn retry_after_of_a_refusal_is_respected() {
    for (error, at_least_ms) in [
        (
            r#"{"code":"UNAVAILABLE","message":"starting","retryable":true,"retryAfterMs":5000}"#,
            5_000,
        ),
        (
            r#"{"code":"INVALID_REQUEST","message":"x","details":{"code":"AUTH_RATE_LIMITED"},"retryAfterMs":300000}"#,
            300_000,
        ),
    ] {
        let mut bench = Bench::new(config());
        bench.client.handle_open(1, bench.now);
        bench.challenge();
        bench.refuse(error);
        bench.client.set_online(true, bench.now);
        bench.drain();
        bench.pass(at_least_ms - 1);
        assert!(matches!(bench.client.state(), ClientState::Waiting { .. }));
        bench.pass(1);
        assert_eq!((bench.client.state(), bench.opened), (ClientState::Connecting, 2));
    }
}

#[test]
fn handshakes_have_deadlines() {
    let mut bench = Bench::new(config());
    bench.pass(14_999);
    assert_eq!(bench.client.state(), ClientState::Connecting);
    bench.pass(1);
    assert_eq!((bench.problem(), bench.closes.len()), ("OPEN_TIMEOUT", 1));
    bench.pass(1_000);
    assert_eq!(bench.opened, 2);
    bench.client.handle_open(2, bench.now);
    bench.pass(15_000);
    assert_eq!((bench.problem(), bench.closes.len()), ("HELLO_TIMEOUT", 2));
}

#[test]
fn a_challenge_that_waited_during_a_sleep_is_too_late() {
    // The machine sleeps after the gateway sent its challenge, and the timer has not fired yet.
    let mut bench = Bench::new(config());
    bench.client.handle_open(1, bench.now);
    bench.now = bench.now.after(300_000);
    let server_ms = bench.client.server_ms(bench.now);
    bench.challenge();
    // The challenge would have set the clock back by the sleep.
    assert_eq!(bench.client.server_ms(bench.now), server_ms);
    bench.pass(0);
    assert_eq!((bench.problem(), bench.closes.len()), ("HELLO_TIMEOUT", 1));
    // The machine sleeps before the socket opens.
    bench.pass(1_000);
    assert_eq!(bench.opened, 2);
    bench.now = bench.now.after(15_001);
    bench.client.handle_open(2, bench.now);
    bench.challenge();
    bench.pass(0);
    assert_eq!((bench.problem(), bench.closes.len()), ("OPEN_TIMEOUT", 2));
}

#[test]
fn a_challenge_is_too_late_too_after_a_sleep_that_only_the_wall_clock_measures() {
    let mut bench = Bench::new(config());
    bench.client.handle_open(1, bench.now);
    bench.now.wall_ms += 300_000;
    let server_ms = bench.client.server_ms(bench.now);
    bench.challenge();
    assert_eq!(bench.client.server_ms(bench.now), server_ms);
    bench.pass(0);
    assert_eq!((bench.problem(), bench.closes.len()), ("HELLO_TIMEOUT", 1));
    bench.pass(1_000);
    assert_eq!(bench.opened, 2);
    bench.now.wall_ms += 15_001;
    bench.client.handle_open(2, bench.now);
    bench.challenge();
    bench.pass(0);
    assert_eq!((bench.problem(), bench.closes.len()), ("OPEN_TIMEOUT", 2));
}

#[test]
fn a_hello_without_the_read_scope_is_reported() {
    let mut bench = Bench::new(config());
    bench.client.handle_open(1, bench.now);
    bench.challenge();
    bench.hello(4, "[]", r#"{"role":"operator","scopes":[]}"#);
    let problem = bench.events.iter().find_map(|event| match event {
        ClientEvent::NoReadScope(problem) => Some(problem.clone()),
        _ => None,
    });
    let problem = problem.unwrap();
    assert_eq!(&*problem.code, "NO_READ_SCOPE");
    assert!(problem.remedy.contains("device key"));
    bench.client.set_watched(true, bench.now);
    bench.pass_with_ticks(600_000);
    assert_eq!(
        bench.count("system-presence"),
        0,
        "a refused list is not requested"
    );
}

#[test]
fn inputs_of_closed_sockets_are_ignored() {
    let mut bench = Bench::new(config());
    bench.close(1006, "");
    bench.pass(1_000);
    assert_eq!(bench.opened, 2);
    bench.client.handle_open(1, bench.now);
    bench.client.handle_text(1, "{}", bench.now);
    bench.client.handle_close(1, 4001, "", bench.now);
    bench.client.handle_signature(1, Some("x"), bench.now);
    bench.drain();
    assert_eq!(bench.client.state(), ClientState::Connecting);
}
