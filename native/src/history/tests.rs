//! Sessions against a naive model.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use presence_core::model::{ClientInfo, Role};
use presence_core::roster::Follower;
use presence_core::server::{ConnId, Handshake, Hub, HubConfig, HubOutput, LeaveCause};
use presence_core::wire::history::HistoryQuery;
use presence_core::wire::{Limits, Request};
use presence_core::{Now, PresenceEntry};

use super::page::PastSession;
use super::query::Reader;
use super::store::Store;
use super::tracker::Tracker;

pub(super) const START: Now = Now {
    age_ms: 5,
    wall_ms: 1_700_000_000_000,
};
/// Rows in the hubs of these tests, so that some are evicted.
const ROWS: usize = 5;

pub(super) fn hub() -> Hub {
    let mut hub = Hub::new(
        HubConfig {
            limits: Limits::default(),
            ttl_ms: 300_000,
            max_entries: ROWS,
            ephemeral_modes: vec!["cli".into()],
            hash_seed: 7,
            server_version: "1".into(),
            boot_id: "boot".into(),
            self_entry: PresenceEntry::default(),
            auth_mode: "none",
        },
        START,
    );
    hub.keep_row_changes(Follower::History);
    hub
}

fn handshake(name: &str, mode: &str, number: usize) -> Handshake {
    Handshake {
        request_id: "1".into(),
        conn_id: format!("conn-{number}").into(),
        protocol: 4,
        role: Role::Operator,
        scopes: ["operator.admin".into()].into(),
        client: Arc::new(ClientInfo {
            id: "test".into(),
            version: "1".into(),
            platform: "linux".into(),
            mode: mode.into(),
            instance_id: Some(name.into()),
            ..ClientInfo::default()
        }),
        device_id: None,
        caps: vec![],
        commands: vec![],
        remote_ip: None,
        user: None,
        may_report_input: false,
        clock_skew_ms: None,
        visitor: None,
    }
}

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % n
    }
}

/// An input of a hub.
#[derive(Clone, Debug)]
enum Input {
    Join(u64, usize),
    Leave(ConnId, bool),
    Beacon(u64),
    Pong(ConnId),
    Pass,
}

/// A hub, and its connections. Those in `dead` answer no pings.
struct Gateway {
    hub: Hub,
    reporter: ConnId,
    live: Vec<ConnId>,
    dead: BTreeSet<ConnId>,
}

impl Gateway {
    fn new() -> Self {
        let mut hub = hub();
        let reporter = hub.join(handshake("reporter", "cli", 0), START);
        Self {
            hub,
            reporter,
            live: Vec::new(),
            dead: BTreeSet::new(),
        }
    }

    /// Returns the pings that its clients answer.
    fn hand(&mut self, input: &Input, now: Now) -> Vec<Input> {
        match input {
            Input::Join(name, number) => {
                let conn = self
                    .hub
                    .join(handshake(&format!("client-{name}"), "ui", *number), now);
                self.live.push(conn);
            }
            Input::Leave(conn, true) => self.hub.leave(*conn, LeaveCause::PeerClosed, now),
            // It answers no ping from now on.
            Input::Leave(conn, false) => drop(self.dead.insert(*conn)),
            Input::Beacon(name) => {
                let frame = format!(
                    r#"{{"type":"req","id":"1","method":"system-event","params":{{"text":"x","instanceId":"beacon-{name}"}}}}"#
                );
                self.hub
                    .call(self.reporter, &Request::parse(&frame).unwrap(), now);
            }
            Input::Pong(conn) => self.hub.pong(*conn, now),
            Input::Pass => self.hub.handle_timeout(now),
        }
        let mut pongs = Vec::new();
        while let Some(output) = self.hub.poll_output() {
            match output {
                HubOutput::Ping(conn) if !self.dead.contains(&conn) => pongs.push(Input::Pong(conn)),
                HubOutput::Drop(conn, _) => self.live.retain(|live| *live != conn),
                _ => {}
            }
        }
        if let Input::Leave(conn, _) = input {
            self.live.retain(|live| live != conn);
        }
        pongs
    }
}

type Sessions = BTreeMap<(String, u64), (Option<u64>, Option<String>)>;

/// The sessions with connections (key, start and end), from the list after each input.
#[derive(Default)]
struct Naive {
    open: BTreeMap<String, u64>,
    done: BTreeSet<(String, u64, u64)>,
}

impl Naive {
    fn look(&mut self, hub: &mut Hub, now: Now) {
        let list = hub.list(now);
        let online: BTreeMap<String, u64> = list
            .iter()
            .filter_map(|row| Some((row.instance_id.as_deref()?.to_owned(), row.online_since?)))
            .collect();
        let gone = |key: &String, from: u64| online.get(key) != Some(&from);
        for (key, from) in self.open.clone() {
            if gone(&key, from) {
                self.open.remove(&key);
                self.done.insert((key, from, now.wall_ms));
            }
        }
        self.open.extend(online);
    }

    fn end(mut self, now: Now) -> BTreeSet<(String, u64, u64)> {
        let open = std::mem::take(&mut self.open);
        self.done
            .extend(open.into_iter().map(|(key, from)| (key, from, now.wall_ms)));
        self.done
    }
}

fn read_all(path: &Path, limit: u64) -> Vec<PastSession> {
    let mut reader = Reader::open(path).unwrap();
    let mut query = HistoryQuery {
        limit,
        ..HistoryQuery::default()
    };
    let mut sessions = Vec::new();
    loop {
        let page = reader.page(&query, None).unwrap();
        assert!(page.sessions.len() as u64 <= limit);
        sessions.extend(page.sessions);
        match page.next {
            None => return sessions,
            next => query.cursor = next.map(Into::into),
        }
    }
}

/// The sessions of clients that connected.
fn connected(sessions: &[PastSession]) -> Sessions {
    let clients = sessions
        .iter()
        .filter(|session| session.key.starts_with("client-"));
    clients
        .map(|session| {
            (
                (session.key.clone(), session.from),
                (session.to, session.why.clone()),
            )
        })
        .collect()
}

/// The sessions in the database equal those of the lists after each input, however rarely changes are taken.
#[test]
fn sessions_equal_those_recorded_after_each_input() {
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..20 {
        let mut random = Random(seed);
        let mut gateways = [Gateway::new(), Gateway::new(), Gateway::new()];
        let paths = ["often", "seldom"].map(|name| folder.path().join(format!("{name}-{seed}")));
        let mut stores = paths.each_ref().map(|path| Store::open(path, "crashed").unwrap());
        let mut trackers = [Tracker::default(), Tracker::default()];
        let mut naive = Naive::default();
        let mut now = START;
        let mut inputs: Vec<Input> = Vec::new();
        for number in 1..120 {
            now = now.after([1, 40, 700, 9_000, 70_000, 310_000][random.below(6) as usize]);
            let live = &gateways[0].live;
            let input = match random.below(8) {
                0..3 => Input::Join(random.below(7), number),
                3 if !live.is_empty() => Input::Leave(
                    live[random.below(live.len() as u64) as usize],
                    random.below(4) > 0,
                ),
                4 => Input::Beacon(random.below(3)),
                _ => Input::Pass,
            };
            inputs.push(input);
            while let Some(input) = inputs.pop() {
                let pongs = gateways.each_mut().map(|gateway| gateway.hand(&input, now));
                inputs.extend(pongs.into_iter().next().unwrap());
                naive.look(&mut gateways[2].hub, now);
                for (index, gateway) in gateways.iter_mut().take(2).enumerate() {
                    if index == 0 || random.below(12) == 0 {
                        let changes = gateway.hub.take_row_changes(Follower::History, now);
                        let ops = trackers[index].apply(changes, now.wall_ms);
                        stores[index].write(&ops).unwrap();
                    }
                }
            }
        }
        now = now.after(1);
        for index in 0..2 {
            let changes = gateways[index].hub.take_row_changes(Follower::History, now);
            let mut ops = trackers[index].apply(changes, now.wall_ms);
            ops.extend(trackers[index].end(now.wall_ms));
            // The second time changes nothing.
            stores[index].write(&ops).unwrap();
            stores[index].write(&ops).unwrap();
        }
        naive.look(&mut gateways[2].hub, now);
        let expected = naive.end(now);
        let [often, seldom] = paths.each_ref().map(|path| read_all(path, 3));
        let read: BTreeSet<(String, u64, u64)> = connected(&often)
            .into_iter()
            .map(|((key, from), (to, _))| (key, from, to.unwrap()))
            .collect();
        assert_eq!(read, expected, "seed {seed}");
        assert!(!expected.is_empty());
        assert_eq!(connected(&often), connected(&seldom), "seed {seed}");
        for session in &often {
            assert!(
                session.from <= session.seen && session.seen <= session.to.unwrap(),
                "{session:?}"
            );
        }
        assert_eq!(often.iter().filter(|session| session.key == "SELF").count(), 1);
    }
}
