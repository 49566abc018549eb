use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;

use super::*;
use crate::client::mirror::DeltaOutcome;
use crate::client::{Mirror, MirrorConfig};
use crate::model::Beacon;
use crate::model::entry::PresenceEntry;
use crate::roster::{Holder, MAX_ROW_BYTES, RosterConfig};
use crate::wire::presence::{Delta, Snapshot};

mod bounds;
mod deltas;
mod merging;
mod times;

const TTL: u64 = 300_000;

/// A gateway with its observed gateways, and a client of it that takes deltas.
struct World {
    roster: Roster,
    fleet: Fleet,
    client: Mirror,
    told: u64,
    now: Now,
}

impl World {
    fn new(names: &[&str]) -> Self {
        Self::with(names, RosterConfig::default())
    }

    fn with(names: &[&str], config: RosterConfig) -> Self {
        let now = Now {
            age_ms: 1_000_000,
            wall_ms: 1_700_000_000_000,
        };
        let own = PresenceEntry {
            host: Some("here".into()),
            mode: Some("gateway".into()),
            reason: Some("self".into()),
            instance_id: Some("own".into()),
            ..PresenceEntry::default()
        };
        let mut roster = Roster::new(config, own, now);
        let names = names.iter().map(|name| (*name).into()).collect();
        let mut fleet = Fleet::new(names, &roster, now);
        fleet.track_changes(true, &mut roster, now);
        let mut world = Self {
            roster,
            fleet,
            client: Mirror::new(MirrorConfig::default()),
            told: 0,
            now,
        };
        world.snapshot();
        world
    }

    fn version(&mut self) -> u64 {
        self.fleet.sync(&mut self.roster, self.now);
        self.roster.version() + self.fleet.version()
    }

    fn snapshot(&mut self) {
        let version = self.version();
        let text = self.fleet.encode_snapshot(version, self.now);
        let text = format!(r#"{{"presence":{text}}}"#);
        let snapshot = Snapshot::read(&text).unwrap();
        self.told = version;
        self.client.apply_snapshot(snapshot, self.wall_ms());
    }

    /// Sends the delta since the last one; returns its text.
    fn send_delta(&mut self) -> String {
        let to = self.version();
        let text = self.fleet.encode_delta(self.told, to, self.now);
        let delta = Delta::read(&text).unwrap();
        self.told = to;
        let outcome = self.client.apply_delta(delta, self.wall_ms());
        assert_eq!(outcome, DeltaOutcome::Applied, "{text}");
        text
    }

    fn list(&mut self) -> Vec<RawEntry> {
        self.version();
        RawEntry::parse_list(&self.fleet.encode_list(self.now)).unwrap()
    }

    /// Returns of each row, except the own gateway's, the instance, else the host.
    fn names(&mut self) -> Vec<String> {
        let list = self.list().into_iter().skip(1);
        let name = |row: RawEntry| {
            let name = row.str("instanceId").or_else(|| row.str("host"));
            name.unwrap_or("?").to_string()
        };
        list.map(name).collect()
    }

    /// Returns the rows of the client, by instance or host, with their gateways.
    fn gateways(&self) -> BTreeMap<String, Option<String>> {
        let rows = self.client.rows().into_iter();
        rows.map(|row| {
            let entry = row.entry();
            let name = entry.str("instanceId").or_else(|| entry.str("host"));
            (
                name.unwrap_or("?").to_string(),
                entry.str("gateway").map(ToString::to_string),
            )
        })
        .collect()
    }

    fn wall_ms(&self) -> u64 {
        self.roster.wall_ms(self.now)
    }

    fn wait(&mut self, ms: u64) {
        self.now = self.now.after(ms);
        self.roster.settle(self.now);
        self.fleet.settle(self.now);
    }

    fn beacon(&mut self, id: &str, host: &str) {
        let beacon = Beacon {
            instance_id: Some(id.into()),
            host: Some(host.into()),
            ..Beacon::new("x")
        };
        self.roster.beacon(&beacon, Holder::Unlimited, self.now).unwrap();
    }

    /// Returns a row of a source whose last proof of life was `age_ms` ago.
    fn row(&self, members: &str, age_ms: i64) -> SourceRow {
        let entry = RawEntry::read(members).unwrap();
        let key = entry.str("instanceId").or_else(|| entry.str("host"));
        SourceRow {
            key: format!("row:{}", key.unwrap_or("?")).into(),
            is_gateway: entry.is_self(),
            entry,
            heard_ms: self.now.age_ms as i64 - age_ms,
            online_since_ms: None,
            last_activity_ms: None,
        }
    }

    fn put(&mut self, source: u8, members: &str, age_ms: i64) {
        let update = SourceUpdate {
            put: vec![self.row(members, age_ms)],
            is_here: true,
            ..SourceUpdate::default()
        };
        self.fleet.apply(SourceId(source), update, self.now);
    }

    fn remove(&mut self, source: u8, key: &str) {
        let update = SourceUpdate {
            removed: vec![format!("row:{key}").into()],
            is_here: true,
            ..SourceUpdate::default()
        };
        self.fleet.apply(SourceId(source), update, self.now);
    }

    fn lose(&mut self, source: u8) {
        self.fleet
            .apply(SourceId(source), SourceUpdate::default(), self.now);
    }
}
