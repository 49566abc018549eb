//! Requests of the application.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::bench::*;
use crate::client::event::ClientEvent;
use crate::client::machine::CallError;
use crate::client::machine::calls::MAX_CALLS;

#[test]
fn every_request_gets_an_answer() {
    let mut bench = Bench::live(config(), 4, "[]");
    let ids: Vec<u64> = (0..4)
        .map(|_| bench.client.request("health", None, bench.now).unwrap())
        .collect();
    bench.drain();
    let id = ids[3].to_string();
    let sent = serde_json::json!({ "type": "req", "id": id, "method": "health" });
    assert_eq!(bench.sent.last(), Some(&sent));
    bench.receive(&format!(
        r#"{{"type":"res","id":"{}","ok":true,"payload":{{"z":1,"a":2}}}}"#,
        ids[0]
    ));
    bench.receive(&format!(
        r#"{{"type":"res","id":"{}","ok":false,"error":{{"code":"FORBIDDEN","message":"missing scope: operator.x"}}}}"#,
        ids[1]
    ));
    bench.receive(&format!(r#"{{"type":"res","id":"{}","ok":true}}"#, ids[0]));
    bench.pass(30_000);
    bench.client.request("late", None, bench.now).unwrap();
    bench.close(1006, "");
    let answers: Vec<String> = bench
        .events
        .iter()
        .filter_map(|event| match event {
            ClientEvent::Response {
                id,
                result: Ok(payload),
            } => Some(format!("{id} {payload}")),
            ClientEvent::Response {
                id,
                result: Err(problem),
            } => Some(format!("{id} {}", problem.code)),
            _ => None,
        })
        .collect();
    let expected = [
        format!(r#"{} {{"z":1,"a":2}}"#, ids[0]),
        format!("{} FORBIDDEN", ids[1]),
        format!("{} TIMEOUT", ids[2]),
        format!("{} TIMEOUT", ids[3]),
        format!("{} DISCONNECTED", ids[3] + 1),
    ];
    assert_eq!(answers, expected);
    assert_eq!(
        bench.client.request("health", None, bench.now),
        Err(CallError::NotConnected)
    );
}

#[test]
fn pending_requests_are_bounded() {
    let mut bench = Bench::live(config(), 4, "[]");
    let sent = (0..1_000)
        .filter(|_| bench.client.request("health", None, bench.now).is_ok())
        .count();
    assert_eq!(sent, MAX_CALLS);
    assert_eq!(
        bench.client.request("health", None, bench.now),
        Err(CallError::TooMany)
    );
}
