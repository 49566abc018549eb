//! Random histories: the writer that an explanation names did write that value.

use alloc::collections::BTreeMap;
use alloc::format;

use fastrand::Rng;

use super::*;

/// By connection, kind of write, member and value: when it was written. No two beacons have a value in common.
type Statements = BTreeMap<(String, &'static str, String, String), u64>;

struct TestHub {
    hub: Hub,
    rng: Rng,
    now: Now,
    live: Vec<(ConnId, String)>,
    stated: Statements,
    joined: usize,
    beacons: usize,
}

const IDS: [&str; 4] = ["a", "b", "c", "d"];
const HANDSHAKE: [&str; 5] = ["version", "platform", "mode", "instanceId", "host"];
const BEACON: [&str; 5] = ["version", "platform", "ip", "reason", "host"];

impl TestHub {
    fn pick(&mut self, words: &[&str]) -> String {
        words[self.rng.usize(..words.len())].into()
    }

    fn join(&mut self) {
        self.joined += 1;
        let conn_id = format!("c-{}", self.joined);
        let id = self.pick(&IDS);
        let client = ClientInfo {
            id: "test".into(),
            version: self.pick(&["1", "2", "3"]).into(),
            platform: self.pick(&["linux", "macos"]).into(),
            mode: self.pick(&["ui", "webchat"]).into(),
            display_name: self.rng.bool().then(|| self.pick(&["h1", "h2"]).into()),
            instance_id: self.rng.u8(..4).checked_sub(1).map(|_| id.clone().into()),
            ..ClientInfo::default()
        };
        let device_id = (self.rng.u8(..4) == 0).then(|| self.pick(&["d1", "d2"]).into());
        let values = [
            Some(json!(client.version)),
            Some(json!(client.platform)),
            Some(json!(client.mode)),
            client.instance_id.as_ref().map(|id| json!(id)),
            // The client's id stands in for a host.
            Some(json!(client.display_name.as_deref().unwrap_or(&client.id))),
        ];
        for (name, value) in HANDSHAKE.into_iter().zip(values) {
            if let Some(value) = value {
                let key = (conn_id.clone(), "handshake", name.into(), value.to_string());
                self.stated.insert(key, self.now.age_ms);
            }
        }
        let handshake = Handshake {
            conn_id: conn_id.as_str().into(),
            client: Arc::new(client),
            device_id,
            ..handshake("x", "ui", &["operator.read", "operator.write"])
        };
        let conn = self.hub.join(handshake, self.now);
        self.live.push((conn, conn_id));
    }

    fn beacon(&mut self) {
        let Some((conn, conn_id)) = self.rng.choice(&self.live).cloned() else {
            return;
        };
        let mut params = json!({ "text": "t", "instanceId": self.pick(&IDS) });
        for name in BEACON {
            if self.rng.bool() {
                self.beacons += 1;
                params[name] = json!(format!("v{}", self.beacons));
            }
        }
        let answer = call(&mut self.hub, conn, "system-event", params.clone(), self.now);
        if answer["ok"] == true {
            for name in BEACON {
                if let Some(value) = params.get(name) {
                    let key = (conn_id.clone(), "beacon", name.into(), value.to_string());
                    self.stated.insert(key, self.now.age_ms);
                }
            }
        }
    }

    fn step(&mut self) {
        match self.rng.u8(..10) {
            0..3 => self.join(),
            3..7 => self.beacon(),
            // The first is the reader.
            7..9 if self.live.len() > 1 => {
                let at = self.rng.usize(1..self.live.len());
                let (conn, _) = self.live.swap_remove(at);
                self.hub.leave(conn, LeaveCause::PeerClosed, self.now);
            }
            _ => {
                self.now = self.now.after(self.rng.u64(..30_000));
                self.hub.handle_timeout(self.now);
                let pongs: Vec<_> = self.live.iter().map(|(conn, _)| *conn).collect();
                pongs.into_iter().for_each(|conn| self.hub.pong(conn, self.now));
            }
        }
        while self.hub.poll_output().is_some() {}
    }

    /// Explains all rows; returns how many writers were checked.
    fn check(&mut self, reader: ConnId) -> usize {
        let snapshot =
            call(&mut self.hub, reader, "presence.snapshot", json!({}), self.now)["payload"].take();
        let keys = snapshot["keys"].as_array().unwrap();
        let mut checked = 0;
        for (key, entry) in keys.iter().zip(snapshot["presence"].as_array().unwrap()) {
            let mut answer = call(
                &mut self.hub,
                reader,
                "presence.explain",
                json!({ "row": key }),
                self.now,
            );
            let row = answer["payload"]["row"].take();
            assert_eq!(row["key"], *key);
            let members = row["members"].as_array().unwrap();
            assert_eq!(members.len(), entry.as_object().unwrap().len(), "{row}");
            for member in members {
                let name = member["name"].as_str().unwrap();
                assert_eq!(member["value"], entry[name], "{name} of {row}");
                let from = match member["from"].as_str().unwrap() {
                    "handshake" => "handshake",
                    "beacon" => "beacon",
                    _ => continue,
                };
                let is_checked = if from == "beacon" { &BEACON } else { &HANDSHAKE }.contains(&name);
                if let (true, Some(conn_id)) = (is_checked, member["connId"].as_str()) {
                    let value = entry[name].to_string();
                    let stated = self.stated.get(&(conn_id.into(), from, name.into(), value));
                    let said_ms =
                        stated.unwrap_or_else(|| panic!("{name} by the {from} of {conn_id}: {row}"));
                    if from == "beacon" {
                        assert_eq!(member["ageMs"], self.now.age_ms - said_ms, "{name} of {row}");
                    }
                    checked += 1;
                }
            }
        }
        checked
    }
}

#[test]
fn the_writer_of_a_member_wrote_its_value() {
    let mut checked = 0;
    for seed in 0..60 {
        let mut hub = hub_of(6);
        let reader = hub.join(handshake("reader", "cli", &["operator.read"]), START);
        let mut house = TestHub {
            hub,
            rng: Rng::with_seed(seed),
            now: START,
            live: Vec::new(),
            stated: Statements::new(),
            joined: 0,
            beacons: 0,
        };
        house.live.push((reader, "conn-reader".into()));
        for _ in 0..60 {
            house.step();
            checked += house.check(reader);
        }
    }
    assert!(checked > 20_000, "{checked}");
}
