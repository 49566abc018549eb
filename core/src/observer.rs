//! A client's mirror as a source of a gateway's roster (SPEC 7): what an observing gateway does with another one.
//!
//! The observer is an ordinary [`Client`] with [`config`]: it reads and never writes, and makes no row. Its shell
//! hands [`Observation::update`] to [`Hub::apply`](crate::server::Hub::apply) for every
//! [`ClientEvent::Roster`](crate::client::ClientEvent::Roster), and starts the client again [`retry_ms`] after it was
//! refused.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use crate::client::{BeaconPolicy, Client, ClientConfig, Problem, RosterDiff, Row};
use crate::fleet::{SourceRow, SourceUpdate};
use crate::model::time::Now;
use crate::model::{ClientInfo, scope};

/// Interval of retries while the observer's device waits for approval, in ms.
pub const PAIRING_RETRY_MS: u64 = 30_000;
/// Interval of retries after any other refusal, in ms: the gateway's settings may have changed.
pub const REFUSED_RETRY_MS: u64 = 300_000;
/// Clocks that differ by more than this, in ms, are not the same.
const STEP_MS: u64 = 2_000;
/// What arrives promptly was not sent longer ago than this, in ms: a clock that is further behind was set back.
const MAX_LATE_MS: u64 = 120_000;
/// Longest time, in ms, between two prompt readings of a gateway; it sends a tick every 30 s.
const PROMPT_MS: u64 = 65_000;
/// How long a clock is behind, in ms, before it was set back: longer than the time between two ticks.
const BEHIND_MS: u64 = 35_000;

/// The configuration of an observer: it asks for `operator.read` and sends no beacons. The mode `cli` makes no row on
/// gateways of either generation.
#[must_use]
pub fn config(version: &str, platform: &str) -> ClientConfig {
    let client = ClientInfo {
        id: "cli".into(),
        version: version.into(),
        platform: platform.into(),
        mode: "cli".into(),
        display_name: Some("presence-gateway observer".into()),
        ..ClientInfo::default()
    };
    ClientConfig {
        scopes: Some(vec![scope::READ.into()]),
        beacons: BeaconPolicy::Off,
        own_rows: true,
        ..ClientConfig::new(client)
    }
}

/// How long to wait, in ms, before a client is started again that the gateway refused for this reason.
#[must_use]
pub fn retry_ms(problem: &Problem) -> u64 {
    match &*problem.code {
        "PAIRING_REQUIRED" => PAIRING_RETRY_MS,
        _ => REFUSED_RETRY_MS,
    }
}

/// An observed gateway's clock, as far as its lists, deltas and ticks show it.
///
/// It is reckoned on the age clock of the observing gateway, on which neither wall clock has an effect, and by the `ts` of
/// the observed gateway's own row, which is when it was sent. What is sent arrives late, never early: a clock that is
/// ahead is right at once, one that is behind may be a frame that waited while this machine slept.
#[derive(Debug, Default)]
pub struct Observation {
    /// Leads from the age clock to the gateway's clock, in ms.
    offset_ms: Option<i64>,
    /// What it was when all rows were put.
    put_offset_ms: Option<i64>,
    /// Since when the gateway's clock has been behind, on the age clock.
    behind_since_ms: Option<u64>,
    /// The `ts` of the gateway's own row.
    sent_ms: u64,
    /// The last reading of the gateway's clock, on the age clock.
    read_ms: u64,
    /// Until when what arrives may be what waited while nothing did, on the age clock.
    doubt_ends_ms: u64,
}

impl Observation {
    /// What `diff` says of the gateway's own rows, for the roster of the observing one: all of them when its clock turns
    /// out to be another one. Rows that the gateway itself observes are not its own: they say so in `gateway`.
    #[must_use]
    pub fn update(&mut self, client: &Client, diff: &RosterDiff, now: Now) -> SourceUpdate {
        let mirror = client.mirror();
        let changed = [
            &diff.added,
            &diff.changed,
            &diff.status,
            &diff.touched,
            &diff.restated,
        ];
        let mut rows: Vec<&Row> = changed
            .into_iter()
            .flatten()
            .filter_map(|key| mirror.row(key))
            .collect();
        // Its `ts` moves with what arrives, also when the connection is gone since.
        if let Some(own) = rows.iter().find(|row| row.is_self() && row.ts() != self.sent_ms) {
            self.sent_ms = own.ts();
            self.learn(own.ts(), diff.offline == Some(false), now);
            // Not at other updates: after a sleep a timer may fire before what waited arrives.
            self.read_ms = now.age_ms;
        }
        let is_near = |before: i64| {
            self.offset_ms
                .is_some_and(|offset_ms| before.abs_diff(offset_ms) <= STEP_MS)
        };
        if !self.put_offset_ms.is_some_and(is_near) {
            self.put_offset_ms = self.offset_ms;
            rows = mirror.rows();
        }
        let mut update = SourceUpdate {
            removed: diff.removed.clone(),
            is_here: !mirror.is_offline(),
            ..SourceUpdate::default()
        };
        let server_ms = self
            .server_ms(now)
            .unwrap_or_else(|| signed(client.server_ms(now)));
        // Of the age clock, as old as it is on the gateway's. What it says of the future happens now.
        let moment = |at_ms: u64| {
            let age_ms = server_ms.saturating_sub(signed(at_ms)).max(0);
            signed(now.age_ms).saturating_sub(age_ms)
        };
        for row in rows {
            let entry = row.entry();
            if entry.get("gateway").is_some() {
                update.removed.push(Box::from(row.key()));
                continue;
            }
            update.put.push(SourceRow {
                key: row.key().into(),
                entry: entry.clone(),
                heard_ms: moment(row.ts()),
                online_since_ms: entry.integer("onlineSince").map(moment),
                last_activity_ms: entry.integer("lastActivityAt").map(moment),
                is_gateway: row.is_self(),
            });
        }
        update
    }

    /// The gateway's clock read `sent_ms` when it sent what arrived now.
    fn learn(&mut self, sent_ms: u64, is_new_connection: bool, now: Now) {
        let offset_at = |age_ms: u64| Some(signed(sent_ms).saturating_sub(signed(age_ms)));
        let Some(known_ms) = self.server_ms(now) else {
            self.offset_ms = offset_at(now.age_ms);
            return;
        };
        // What waited was for the connection before.
        let is_late = !is_new_connection && now.age_ms.saturating_sub(self.read_ms) > PROMPT_MS;
        if is_late || is_new_connection {
            let doubt_ms = if is_late { BEHIND_MS } else { 0 };
            self.doubt_ends_ms = now.age_ms.saturating_add(doubt_ms);
            self.behind_since_ms = None;
        }
        let late_ms = known_ms.saturating_sub(signed(sent_ms));
        if late_ms > signed(STEP_MS) {
            let since_ms = *self.behind_since_ms.get_or_insert(now.age_ms);
            let is_lasting = now.age_ms.saturating_sub(since_ms) >= BEHIND_MS;
            let is_step = now.age_ms >= self.doubt_ends_ms && late_ms > signed(MAX_LATE_MS);
            if is_lasting || is_step {
                self.behind_since_ms = None;
                self.offset_ms = offset_at(now.age_ms);
            }
        } else {
            self.behind_since_ms = None;
            if is_late && late_ms < -signed(STEP_MS) {
                // Set forward meanwhile: it may have been sent at any time since.
                self.offset_ms = offset_at(self.read_ms);
            } else if late_ms < 0 {
                self.offset_ms = offset_at(now.age_ms);
            }
        }
    }

    /// What the gateway's clock reads, ms since the Unix epoch, if that is known.
    fn server_ms(&self, now: Now) -> Option<i64> {
        Some(self.offset_ms?.saturating_add(signed(now.age_ms)))
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}
