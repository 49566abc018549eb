//! A client's mirror as a source of a gateway's roster (SPEC 7): one gateway observes another.
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
/// A clock whose reading differs by more than this, in ms, from the estimate was stepped.
const STEP_MS: u64 = 2_000;
/// Maximum latency of a frame that did not wait in the socket, in ms: a clock that is further behind was set back.
const MAX_LATE_MS: u64 = 120_000;
/// Maximum time between two readings of a gateway's clock, in ms, if no frame waited: it sends a tick every 30 s.
const PROMPT_MS: u64 = 65_000;
/// Time for which a clock must be behind, in ms, until it counts as set back: longer than the time between two ticks.
const BEHIND_MS: u64 = 35_000;

/// Returns the configuration of an observer: it requests `operator.read` and sends no beacons. With the mode `cli`,
/// gateways of both generations make no row for it.
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

/// Returns the delay, in ms, before a client that the gateway refused for this reason is started again.
#[must_use]
pub fn retry_ms(problem: &Problem) -> u64 {
    match &*problem.code {
        "PAIRING_REQUIRED" => PAIRING_RETRY_MS,
        _ => REFUSED_RETRY_MS,
    }
}

/// An estimate of an observed gateway's clock, from its lists, deltas and ticks.
///
/// The `ts` of the observed gateway's own row states when a frame was sent. The estimate relates it to the age clock of
/// the observing gateway, which no wall clock affects. Frames arrive late, never early: a reading ahead of the estimate
/// is followed at once, but a reading behind it may come from a frame that waited while this machine slept.
#[derive(Debug, Default)]
pub struct Observation {
    /// The gateway's clock minus the age clock, in ms.
    offset_ms: Option<i64>,
    /// The value of `offset_ms` when all rows were last put.
    put_offset_ms: Option<i64>,
    /// Since when the gateway's clock has been behind, on the age clock.
    behind_since_ms: Option<u64>,
    /// The `ts` of the gateway's own row.
    sent_ms: u64,
    /// The last reading of the gateway's clock, on the age clock.
    read_ms: u64,
    /// Until when arriving frames may have waited in the socket, on the age clock.
    doubt_ends_ms: u64,
}

impl Observation {
    /// Returns the changes of the observed gateway's own rows, for the roster of the observing gateway; all its rows
    /// after a step of its clock. Rows with the member `gateway` are not its own: it observes them at other gateways.
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
        // The `ts` of the gateway's own row grows with each frame, even if the connection was lost since.
        if let Some(own) = rows.iter().find(|row| row.is_self() && row.ts() != self.sent_ms) {
            self.sent_ms = own.ts();
            self.update_estimate(own.ts(), diff.offline == Some(false), now);
            // Not set by other updates: after a sleep, a timer may fire before the waiting frames arrive.
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
            removed: diff.removed.iter().map(|key| Box::from(&**key)).collect(),
            is_here: !mirror.is_offline(),
            ..SourceUpdate::default()
        };
        let server_ms = self
            .server_ms(now)
            .unwrap_or_else(|| signed(client.server_ms(now)));
        // Converts a time to the age clock, so that its age stays the same. Times in the future become now.
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

    /// Updates the estimate from a frame that arrives now: the gateway's clock read `sent_ms` when it sent the frame.
    fn update_estimate(&mut self, sent_ms: u64, is_new_connection: bool, now: Now) {
        let offset_at = |age_ms: u64| Some(signed(sent_ms).saturating_sub(signed(age_ms)));
        let Some(known_ms) = self.server_ms(now) else {
            self.offset_ms = offset_at(now.age_ms);
            return;
        };
        // No frame of a new connection has waited.
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
                // The clock was set forward, and the frame may have been sent at any time since the last reading.
                self.offset_ms = offset_at(self.read_ms);
            } else if late_ms < 0 {
                self.offset_ms = offset_at(now.age_ms);
            }
        }
    }

    /// Returns the gateway's time, in ms since the Unix epoch, if it is known.
    fn server_ms(&self, now: Now) -> Option<i64> {
        Some(self.offset_ms?.saturating_add(signed(now.age_ms)))
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}
