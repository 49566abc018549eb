//! Rows and lists stay within their bytes, whatever strings clients send (SPEC 1.5).
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use std::sync::Arc;

use presence_core::model::beacon::Beacon;
use presence_core::model::{ClientInfo, Role};
use presence_core::roster::{
    BeaconError, ConnectWrite, Holder, MAX_ROW_BYTES, Roster, RosterConfig, RowId, max_list_bytes,
};
use presence_core::{Now, PresenceEntry};

/// More rows of the greatest size than a list has bytes for.
const ROWS: usize = 600;

struct Random(fastrand::Rng);

impl Random {
    fn below(&mut self, below: usize) -> usize {
        self.0.usize(..below)
    }

    /// Short or long; plain, quoted or of control characters, which take six bytes each.
    fn text(&mut self) -> Box<str> {
        let length = [3, 40, 700, 1_024][self.below(4)];
        let part = ["a", "\"", "\u{1}", "é"][self.below(4)];
        part.repeat(length).into()
    }

    fn maybe(&mut self) -> Option<Box<str>> {
        (self.below(2) == 0).then(|| self.text())
    }

    fn texts(&mut self) -> Vec<Box<str>> {
        (0..self.below(4)).map(|_| self.text()).collect()
    }

    fn id(&mut self) -> Option<Box<str>> {
        let number = self.below(2 * ROWS);
        let long = if number.is_multiple_of(7) {
            "\u{2}".repeat(1_000)
        } else {
            String::new()
        };
        Some(format!("i{number}{long}").into())
    }
}

fn check(roster: &mut Roster, now: Now) -> Arc<String> {
    let list = roster.encode_list(now);
    assert!(list.len() <= max_list_bytes(ROWS), "{} bytes", list.len());
    let rows: Vec<PresenceEntry> = serde_json::from_str(&list).unwrap();
    for row in &rows {
        let bytes = serde_json::to_string(row).unwrap().len();
        assert!(
            bytes <= MAX_ROW_BYTES,
            "a row of {bytes} bytes: `roster/size.rs` or `Report::texts` lacks a member"
        );
    }
    list
}

#[test]
fn rows_and_lists_stay_within_their_bytes() {
    let mut now = Now {
        age_ms: 1_000,
        wall_ms: 1_700_000_000_000,
    };
    let config = RosterConfig {
        max_entries: ROWS,
        ..RosterConfig::default()
    };
    let mut random = Random(fastrand::Rng::with_seed(7));
    let mut roster = Roster::new(config, PresenceEntry::default(), now);
    let mut open: Vec<(RowId, u64)> = Vec::new();
    let (mut rows_refused, mut lists_refused, mut moves) = (0, 0, 0);
    for op in 0..6_000_u64 {
        now = now.after(1);
        match random.below(10) {
            0..3 => {
                let client = Arc::new(ClientInfo {
                    id: random.text(),
                    version: random.text(),
                    platform: random.text(),
                    mode: random.text(),
                    display_name: random.maybe(),
                    device_family: random.maybe(),
                    model_identifier: random.maybe(),
                    instance_id: random.id(),
                    time_zone: None,
                });
                let user = random.text();
                let write = ConnectWrite {
                    conn: op,
                    seat: 0,
                    conn_id: &op.to_string(),
                    client: &client,
                    role: Role::Operator,
                    scopes: &random.texts().into(),
                    device_id: (random.below(4) == 0).then_some("a device"),
                    remote_ip: None,
                    user: Some(&user),
                };
                open.push((roster.connect(&write, now), op));
                for moved in roster.take_moves() {
                    open.retain(|(_, conn)| *conn != moved.conn);
                    open.extend(moved.row.map(|row| (row, moved.conn)));
                    moves += 1;
                }
                assert!(roster.contains(open.last().unwrap().0), "a connect has its row");
            }
            3 | 4 if !open.is_empty() => {
                let (row, conn) = open.swap_remove(random.below(open.len()));
                roster.disconnect(row, conn, random.below(2) == 0, now);
            }
            _ => {
                // Written without `..`, so that a new member is a compile error here.
                let beacon = Beacon {
                    instance_id: (random.below(4) > 0).then(|| random.id()).flatten(),
                    device_id: (random.below(3) == 0).then(|| random.id()).flatten(),
                    host: random.maybe(),
                    ip: random.maybe(),
                    mode: random.maybe(),
                    version: random.maybe(),
                    platform: random.maybe(),
                    device_family: random.maybe(),
                    model_identifier: random.maybe(),
                    reason: random.maybe(),
                    roles: random.texts(),
                    scopes: random.texts(),
                    last_input_seconds: Some(op),
                    clear_last_input: false,
                    ttl_ms: None,
                    text: random.text(),
                };
                let before = (op % 50 == 0).then(|| roster.encode_list(now));
                let version = roster.version();
                match roster.beacon(&beacon, Holder::Unlimited, now) {
                    Ok(_) => continue,
                    Err(BeaconError::RowTooLarge { .. }) => rows_refused += 1,
                    Err(BeaconError::ListTooLarge { .. }) => lists_refused += 1,
                    Err(_) => {}
                }
                assert_eq!(roster.version(), version);
                if let Some(before) = before {
                    assert_eq!(
                        before,
                        roster.encode_list(now),
                        "a refused beacon changes nothing"
                    );
                }
            }
        }
        if op % 100 == 0 {
            check(&mut roster, now);
        }
    }
    check(&mut roster, now);
    assert!(
        rows_refused > 100 && lists_refused > 100 && moves > 30,
        "{rows_refused} {lists_refused} {moves}"
    );
}

fn client(id: u64, host: &str) -> Arc<ClientInfo> {
    Arc::new(ClientInfo {
        id: "test".into(),
        version: "1".into(),
        platform: "linux".into(),
        mode: "ui".into(),
        display_name: Some(host.into()),
        instance_id: Some(format!("i{id}").into()),
        ..ClientInfo::default()
    })
}

/// A list without bytes for another row has them after a row without a live connection is evicted.
#[test]
fn a_pong_evicts_closed_rows_for_the_bytes_of_its_row() {
    let now = Now {
        age_ms: 1_000,
        wall_ms: 1_700_000_000_000,
    };
    let config = RosterConfig {
        max_entries: ROWS,
        ..RosterConfig::default()
    };
    let mut roster = Roster::new(config, PresenceEntry::default(), now);
    let scopes: Arc<[Box<str>]> = Arc::default();
    let write = |conn: u64, conn_id: &'static str, client: &'static Arc<ClientInfo>| ConnectWrite {
        conn,
        seat: 0,
        conn_id,
        client,
        role: Role::Operator,
        scopes: Box::leak(Box::new(scopes.clone())),
        device_id: None,
        remote_ip: None,
        user: None,
    };
    let small = write(0, "small", Box::leak(Box::new(client(0, "a"))));
    let evicted = roster.connect(&small, now);
    let mut rows = Vec::new();
    for conn in 1.. {
        let large = Box::leak(Box::new(client(conn, &"h".repeat(7_600))));
        rows.push(roster.connect(&write(conn, "large", large), now));
        if !roster.contains(evicted) {
            break;
        }
    }
    assert!(roster.len() < ROWS, "evicted for its bytes, not for its place");
    let version = roster.version();
    assert_eq!(
        roster.restore(&small, now),
        None,
        "all rows have live connections"
    );
    assert_eq!(roster.version(), version);

    roster.disconnect(rows[0], 1, true, now);
    roster.disconnect(rows[1], 2, true, now);
    let rows_before = roster.len();
    assert!(roster.restore(&small, now).is_some());
    assert_eq!(
        roster.evictions().live,
        1,
        "no row with a live connection went for it"
    );
    assert!(roster.len() <= rows_before + 1);
    check(&mut roster, now);
}
