//! Answers of a replay from its memory.

use alloc::boxed::Box;

use super::*;
use crate::server::{ConnId, Introduction, Refused};

/// A hub, and a replay of its inputs.
pub(super) struct Lab {
    pub(super) hub: Hub,
    pub(super) replay: Replay,
    pub(super) now: Now,
    redactor: Redactor,
    joined: usize,
}

impl Lab {
    pub(super) fn new() -> Self {
        let redactor = redactor();
        let header = Header::new(&config(), &redactor, START);
        Self {
            hub: Hub::new(config(), START),
            replay: Replay::new(&header),
            now: START,
            redactor,
            joined: 0,
        }
    }

    pub(super) fn pass(&mut self, ms: u64) {
        self.now = pass(&mut self.hub, self.now, ms);
        self.replay.pass(self.now);
    }

    pub(super) fn join(&mut self, id: Option<&str>) -> ConnId {
        self.join_input(id).0
    }

    pub(super) fn join_input(&mut self, id: Option<&str>) -> (ConnId, Input) {
        self.joined += 1;
        let mut handshake = handshake(self.joined, "");
        Arc::get_mut(&mut handshake.client).unwrap().instance_id = id.map(Into::into);
        let input = Input::join(self.joined as u64, &handshake, &self.redactor);
        self.replay.input(&input, self.now);
        (self.hub.join(handshake, self.now), input)
    }

    pub(super) fn call(&mut self, conn: ConnId, request: &Request) {
        let input = Input::call(conn.serial, request, &self.redactor).unwrap();
        self.replay.input(&input, self.now);
        self.hub.call(conn, request, self.now);
    }

    pub(super) fn leave(&mut self, conn: ConnId) {
        let cause = LeaveCause::PeerClosed;
        self.replay.input(&Input::leave(conn.serial, cause), self.now);
        self.hub.leave(conn, cause, self.now);
    }

    fn refuse_clock(&mut self) {
        let refused = Refused {
            code: "DEVICE_AUTH_SIGNATURE_EXPIRED".into(),
            message: "device signature expired".into(),
            client: Introduction {
                id: Some("late".into()),
                ..Introduction::default()
            },
            clock_skew_ms: Some(-600_000),
        };
        let input = Input::refused(&refused, &self.redactor).unwrap();
        self.replay.input(&input, self.now);
        self.hub.refused(&refused, self.now);
        let other = Refused {
            clock_skew_ms: None,
            ..refused
        };
        assert_eq!(Input::refused(&other, &self.redactor), None);
    }
}

/// Code, keys of rows without their text, and evidence without names.
fn findings_of(answer: &str) -> Vec<(String, usize, String)> {
    let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
    let plain = |evidence: &str| {
        let outside = evidence.split('"').step_by(2);
        outside.collect::<Vec<_>>().join("..")
    };
    let findings = answer["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|finding| {
            let evidence = finding["evidence"].as_array().unwrap();
            let evidence: Vec<String> = evidence
                .iter()
                .map(|text| plain(text.as_str().unwrap()))
                .collect();
            let rows = finding["rows"].as_array().unwrap().len();
            (finding["code"].as_str().unwrap().into(), rows, evidence.join(" "))
        })
        .collect()
}

#[test]
fn findings_from_memory_are_those_of_the_gateway() {
    let mut lab = Lab::new();
    lab.refuse_clock();
    for _ in 0..7 {
        let conn = lab.join(Some("Mac-1"));
        lab.pass(2_000);
        lab.leave(conn);
        lab.pass(3_000);
    }
    lab.join(None);
    let busy = lab.join(Some("busy"));
    lab.join(Some("busy"));
    for n in 0..30 {
        lab.call(busy, &beacon("busy", n));
        lab.pass(1_000);
    }
    let live = lab.hub.explain(false, lab.now);
    let found = findings_of(&live);
    for code in ["FLAPPING", "NO_INSTANCE_ID", "CLIENT_CLOCK", "BEACONS_TOO_OFTEN"] {
        assert!(found.iter().any(|(found, ..)| found == code), "{code}: {found:?}");
    }
    assert_eq!(findings_of(&lab.replay.explain()), found);
    let found: Vec<Box<str>> = found.into_iter().map(|(code, ..)| code.into()).collect();
    let replayed: Vec<Box<str>> = lab
        .replay
        .found()
        .into_iter()
        .map(|found| found.finding)
        .collect();
    assert_eq!(replayed, found);
}

#[test]
fn new_ids_are_found_from_ended_connections() {
    let mut lab = Lab::new();
    for n in 0..3 {
        let conn = lab.join(Some(&alloc::format!("tab-{n}")));
        lab.pass(1_000);
        lab.leave(conn);
    }
    let found = findings_of(&lab.hub.explain(false, lab.now));
    assert_eq!((&*found[0].0, found[0].1), ("NEW_ID_EACH_CONNECT", 3));
    assert_eq!(findings_of(&lab.replay.explain()), found);
}

#[test]
fn a_row_is_explained_as_the_gateway_does() {
    let mut lab = Lab::new();
    let first = lab.join(Some("Mac-1"));
    lab.pass(1_500);
    lab.call(first, &beacon("Mac-1", 3));
    lab.leave(first);
    lab.pass(60_000);
    let live: serde_json::Value =
        serde_json::from_str(&lab.hub.explain_row("mac-1", None, lab.now).unwrap()).unwrap();
    let key = redactor().name("mac-1");
    let replayed = lab.replay.explain_row(&key).unwrap();
    let replayed: serde_json::Value = serde_json::from_str(&replayed).unwrap();
    assert_eq!(replayed["row"]["key"], *key);
    let of = |answer: &serde_json::Value, list: &str, member: &str| {
        let list = answer["row"][list].as_array().unwrap();
        list.iter().map(|item| item[member].clone()).collect::<Vec<_>>()
    };
    for (list, member) in [
        ("members", "name"),
        ("members", "from"),
        ("members", "ageMs"),
        ("events", "what"),
        ("events", "ageMs"),
    ] {
        assert_eq!(of(&replayed, list, member), of(&live, list, member));
    }
    assert_eq!(of(&live, "events", "what"), ["left", "joined"]);
    for member in ["keyFrom", "why", "ends", "expiresInMs"] {
        assert_eq!(replayed["row"][member], live["row"][member]);
    }
    assert_eq!(lab.replay.explain_row("mac-1"), None);
    let keys: Vec<Box<str>> = lab.replay.entries().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["SELF".into(), key]);
}

/// The list that findings examine is bounded; `NEAR_CAP` counts all rows.
#[test]
fn a_long_list_is_nearly_full_too() {
    let mut header = Header::new(&config(), &redactor(), START);
    header.max_entries = 2_000;
    let mut replay = Replay::new(&header);
    for n in 0..1_850 {
        let handshake = handshake(n, &alloc::format!("id-{n}"));
        replay.input(&Input::join(n as u64 + 1, &handshake, &redactor()), START);
    }
    let found = findings_of(&replay.explain());
    let near: Vec<_> = found.iter().filter(|(code, ..)| code == "NEAR_CAP").collect();
    assert_eq!(
        near,
        [&("NEAR_CAP".into(), 0, "1851 of at most 2000 rows.".into())]
    );
}

#[test]
fn the_row_of_an_http_beacon_expires_by_its_own_ttl_in_a_replay() {
    let mut lab = Lab::new();
    let mut visitor = handshake(1, "");
    let client = Arc::get_mut(&mut visitor.client).unwrap();
    client.instance_id = None;
    client.mode = crate::server::BEACON_MODE.into();
    let params = json!({ "text": "Node: nas", "instanceId": "job", "ttlMs": 10_000 });
    let frame = json!({ "type": "req", "id": "1", "method": "system-event", "params": params });
    let request = Request::parse(&frame.to_string()).unwrap();
    let (conn, answer) = lab.hub.visit(visitor.clone(), &request, lab.now);
    assert_eq!(answer, Ok(()));
    for input in [
        Input::join(conn.serial, &visitor, &lab.redactor),
        Input::call(conn.serial, &request, &lab.redactor).unwrap(),
        Input::leave(conn.serial, LeaveCause::PeerClosed),
    ] {
        lab.replay.input(&input, lab.now);
    }
    lab.pass(10_000);
    assert_eq!((lab.hub.list(lab.now).len(), lab.replay.list().len()), (2, 2));
    lab.pass(1);
    assert_eq!((lab.hub.list(lab.now).len(), lab.replay.list().len()), (1, 1));
}
