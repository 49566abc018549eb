//! Deltas and their resync.

use alloc::format;

use super::bench::*;
use crate::model::status::Status;

pub(super) const KEYED: &str = r#"[{"instanceId":"a","ts":1800000000000}],"keys":["a"],"version":4,"x":[]"#;

#[test]
fn deltas_are_applied_and_gaps_resynced() {
    let mut bench = Bench::live(config(), 4, KEYED);
    let delta = |from: u64, to: u64, seq: u64| {
        format!(
            r#"{{"type":"event","event":"presence.delta","seq":{seq},"stateVersion":{{"presence":{to},"health":1}},
                "payload":{{"from":{from},"to":{to},"removals":[],"touched":[],
                "upserts":[{{"key":"b","entry":{{"instanceId":"b","ts":{SERVER}}}}}]}}}}"#
        )
    };
    bench.receive(&delta(4, 5, 1));
    assert_eq!(bench.status("instance:b"), Some(Status::Active));
    assert_eq!(bench.count("presence.snapshot"), 0);
    bench.receive(&delta(6, 7, 2));
    assert_eq!(bench.count("presence.snapshot"), 1);
    bench.answer(
        "presence.snapshot",
        r#"{"presence":[{"instanceId":"c","ts":1800000000000}],"keys":["c"],"version":7}"#,
    );
    assert_eq!(
        (bench.client.mirror().version(), bench.client.mirror().len()),
        (Some(7), 1)
    );
    bench.receive(
        r#"{"type":"event","event":"presence.snapshot","seq":9,
            "payload":{"presence":[{"instanceId":"d","ts":1800000000000}],"keys":["d"],"version":9}}"#,
    );
    assert_eq!(
        (bench.status("instance:d"), bench.count("presence.snapshot")),
        (Some(Status::Active), 1)
    );
    bench.client.set_watched(true, bench.now);
    bench.pass_with_ticks(300_000);
    assert_eq!(bench.count("system-presence"), 0, "deltas report touches");
}

#[test]
fn a_wrong_digest_causes_a_resync_unless_the_snapshot_had_no_valid_digest() {
    let off = r#"{"type":"event","event":"presence.delta","payload":{"from":4,"to":5,"upserts":[],"removals":[],
        "touched":[],"digest":"0000000000000001"}}"#;
    let mut bench = Bench::live(config(), 4, KEYED);
    bench.receive(off);
    assert_eq!(
        bench.count("presence.snapshot"),
        0,
        "the snapshot stated no digest"
    );
    let raw = crate::model::RawEntry::parse_list(r#"[{"instanceId":"a","ts":1}]"#).unwrap();
    let right = format!("{:016x}", crate::digest::of_raw("a", &raw[0]));
    let mut bench = Bench::live(config(), 4, &format!(r#"{KEYED},"digest":"{right}""#));
    bench.receive(off);
    assert_eq!(bench.count("presence.snapshot"), 1);
}

#[test]
fn after_a_failed_resync_the_client_reconnects_without_deltas() {
    let mut bench = Bench::live(config(), 4, KEYED);
    bench.receive(r#"{"type":"event","event":"presence.delta","payload":{"from":9,"to":10}}"#);
    let id = bench.last("presence.snapshot").get("id").unwrap().clone();
    bench.receive(&format!(
        r#"{{"type":"res","id":{id},"ok":false,"error":{{"code":"INVALID_REQUEST","message":"unknown method"}}}}"#
    ));
    assert_eq!(bench.problem(), "RESYNC_FAILED");
    bench.pass(1_000);
    bench.shake_hands(4, &format!("[{}]", gateway()));
    assert_eq!(bench.last("connect")["params"]["caps"], serde_json::json!([]));
}
