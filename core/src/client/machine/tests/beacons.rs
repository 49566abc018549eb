//! Beacons.

use alloc::format;
use alloc::string::{String, ToString};

use super::bench::*;
use crate::client::config::{BeaconOccasions, BeaconPolicy, ClientConfig, DeviceKey};
use crate::client::event::{ClientEvent, ClientState};
use crate::wire::{Call, Request};

fn beaconing() -> ClientConfig {
    let occasions = BeaconOccasions {
        every_ms: Some(60_000),
        ..BeaconOccasions::default()
    };
    let device = Some(DeviceKey {
        id: "d1".into(),
        public_key: "pk".into(),
    });
    ClientConfig {
        beacons: BeaconPolicy::On(occasions),
        device,
        ..config()
    }
}

fn live_beaconing() -> Bench {
    let mut bench = Bench::new(beaconing());
    bench.client.handle_open(1, bench.now);
    bench.challenge();
    bench.client.handle_signature(1, Some("sig"), bench.now);
    bench.drain();
    bench.hello(4, &format!("[{}]", gateway()), "{}");
    bench
}

fn reason(bench: &Bench) -> String {
    bench.last("system-event")["params"]["reason"]
        .as_str()
        .unwrap()
        .to_string()
}

#[test]
fn a_beacon_contains_identity_and_the_time_since_the_last_input() {
    let mut bench = live_beaconing();
    assert_eq!(
        (bench.count("system-event"), reason(&bench).as_str()),
        (1, "launch")
    );
    bench.client.report_input(bench.now);
    bench.pass(5_000);
    assert_eq!(
        bench.last_params(),
        concat!(
            r#"{"text":"Node: Dash · app 1.0 · last input 5s ago · mode backend · reason periodic","#,
            r#""instanceId":"Dash-1","deviceId":"d1","host":"Dash","mode":"backend","version":"1.0","#,
            r#""platform":"linux","reason":"periodic","lastInputSeconds":5}"#
        )
    );
    let params = bench.last_params();
    let frame = format!(r#"{{"type":"req","id":"1","method":"system-event","params":{params}}}"#);
    let Ok(Call::SystemEvent(beacon)) = Request::parse(&frame).unwrap().call else {
        panic!("no beacon");
    };
    assert_eq!(beacon.last_input_seconds, Some(5));
    let before = bench.events.len();
    bench.answer("system-event", r#"{"ok":true}"#);
    assert_eq!(bench.events.len(), before, "a beacon of the policy has no event");
}

/// The application's result of its beacon: the request's number, and the problem.
fn outcome(bench: &Bench) -> Option<(u64, Option<&str>)> {
    bench.events.iter().rev().find_map(|event| match event {
        ClientEvent::Response { id, result } => {
            Some((*id, result.as_ref().err().map(|problem| &*problem.code)))
        }
        _ => None,
    })
}

#[test]
fn every_beacon_of_the_application_gets_a_response() {
    let error = |id: u64, code: &str| {
        format!(r#"{{"type":"res","id":"{id}","ok":false,"error":{{"code":"{code}","message":"not now"}}}}"#)
    };
    let mut bench = live_beaconing();
    let now = bench.now;
    let id = bench.client.beacon("instances-refresh", now).unwrap();
    bench.drain();
    bench.receive(&format!(
        r#"{{"type":"res","id":"{id}","ok":true,"payload":{{"ok":true}}}}"#
    ));
    assert_eq!(outcome(&bench), Some((id, None)));

    let id = bench.client.beacon("instances-refresh", now).unwrap();
    bench.drain();
    bench.receive(&error(id, "UNAVAILABLE"));
    assert_eq!(outcome(&bench), Some((id, Some("UNAVAILABLE"))));
    let refusals = bench
        .events
        .iter()
        .filter(|event| matches!(event, ClientEvent::BeaconRefused(_)));
    assert_eq!(refusals.count(), 0, "a later beacon may be accepted");

    let id = bench.client.beacon("instances-refresh", now).unwrap();
    bench.pass_with_ticks(31_000);
    assert_eq!(outcome(&bench), Some((id, Some("TIMEOUT"))));

    let id = bench.client.beacon("instances-refresh", bench.now).unwrap();
    bench.drain();
    bench.receive(&error(id, "FORBIDDEN"));
    assert_eq!(outcome(&bench), Some((id, Some("FORBIDDEN"))));
    assert!(matches!(bench.events.last(), Some(ClientEvent::BeaconRefused(_))));

    let id = bench.client.beacon("instances-refresh", bench.now).unwrap();
    bench.drain();
    bench.close(1006, "");
    assert_eq!(outcome(&bench), Some((id, Some("DISCONNECTED"))));
}

#[test]
fn beacons_are_sent_at_their_occasions_and_not_more_often() {
    let mut bench = live_beaconing();
    bench.pass_with_ticks(60_000);
    assert_eq!(
        (bench.count("system-event"), reason(&bench).as_str()),
        (2, "periodic")
    );
    // Back after more than two minutes; further input is not an occasion.
    bench.client.report_input(bench.now);
    bench.pass(5_000);
    assert_eq!(bench.count("system-event"), 3);
    for _ in 0..10 {
        bench.client.report_input(bench.now);
        bench.pass(1_000);
    }
    assert_eq!(bench.count("system-event"), 3);
    // Hidden and shown at the same time: one beacon.
    for is_visible in [false, true, false] {
        bench.client.set_visible(is_visible, bench.now);
    }
    bench.drain();
    assert_eq!(bench.count("system-event"), 4);
}

#[test]
fn the_next_beacon_contains_the_last_input_and_ip_that_were_set() {
    let mut bench = Bench::new(ClientConfig {
        beacons: BeaconPolicy::every(60_000),
        beacon_mode: Some("ui".into()),
        ..config()
    });
    assert_eq!(bench.client.beacon_due_ms(), None);
    // Before the client was created.
    bench.client.set_last_input(Some(7_200), bench.now);
    bench.client.set_ip(Some("10.0.0.5"));
    bench.client.handle_open(1, bench.now);
    bench.challenge();
    bench.hello(4, "[]", "{}");
    let said = |bench: &Bench, name: &str| {
        let params = bench.last("system-event").get("params").unwrap();
        params.get(name).map(ToString::to_string)
    };
    assert_eq!(said(&bench, "lastInputSeconds").as_deref(), Some("7200"));
    assert_eq!(said(&bench, "ip").as_deref(), Some(r#""10.0.0.5""#));
    // The handshake has another mode.
    assert_eq!(said(&bench, "mode").as_deref(), Some(r#""ui""#));
    assert_eq!(bench.last("connect")["params"]["client"]["mode"], "backend");

    let due_ms = bench.client.beacon_due_ms().unwrap();
    assert_eq!(due_ms, bench.now.age_ms + 60_000);
    bench.pass_with_ticks(59_000);
    bench.client.set_last_input(None, bench.now);
    bench.client.set_ip(Some("10.0.0.6"));
    assert_eq!(bench.count("system-event"), 1);
    bench.pass(1_000);
    assert_eq!(
        (bench.count("system-event"), reason(&bench).as_str()),
        (2, "periodic")
    );
    assert_eq!(said(&bench, "lastInputSeconds"), None);
    assert_eq!(said(&bench, "ip").as_deref(), Some(r#""10.0.0.6""#));
    let params = bench.client.beacon_params("periodic", bench.now);
    let params: serde_json::Value = serde_json::from_str(params.get()).unwrap();
    assert_eq!(params, bench.last("system-event")["params"]);
}

#[test]
fn the_first_beacon_after_a_reconnect_has_the_reason_connect() {
    let mut bench = live_beaconing();
    bench.close(1006, "");
    bench.pass(1_000);
    bench.client.handle_open(2, bench.now);
    bench.challenge();
    bench.client.handle_signature(2, Some("sig"), bench.now);
    bench.drain();
    bench.hello(4, "[]", "{}");
    assert_eq!(
        (bench.count("system-event"), reason(&bench).as_str()),
        (2, "connect")
    );
}

#[test]
fn a_refused_beacon_turns_beacons_off_and_nothing_else() {
    let mut bench = live_beaconing();
    let id = bench.last("system-event").get("id").unwrap().clone();
    bench.receive(&format!(
        r#"{{"type":"res","id":{id},"ok":false,"error":{{"code":"FORBIDDEN","message":"missing scope: operator.admin",
            "details":{{"code":"MISSING_SCOPE"}}}}}}"#
    ));
    assert!(
        matches!(bench.events.last(), Some(ClientEvent::BeaconRefused(problem))
            if &*problem.code == "MISSING_SCOPE" && problem.remedy.contains("operator.admin"))
    );
    bench.pass_with_ticks(300_000);
    assert_eq!(
        (bench.count("system-event"), bench.client.state()),
        (1, ClientState::Live)
    );
    let refusals = bench
        .events
        .iter()
        .filter(|event| matches!(event, ClientEvent::BeaconRefused(_)))
        .count();
    assert_eq!(refusals, 1);
    assert!(bench.client.mirror().len() == 1 && !bench.client.mirror().is_offline());
}

#[test]
fn without_a_policy_beacons_are_sent_on_demand_only() {
    let mut bench = Bench::live(config(), 4, "[]");
    bench.client.report_input(bench.now);
    bench.client.set_visible(false, bench.now);
    bench.pass_with_ticks(600_000);
    assert_eq!(bench.count("system-event"), 0);
    bench.client.beacon("instances-refresh", bench.now).unwrap();
    bench.drain();
    assert_eq!(reason(&bench), "instances-refresh");
}
