//! A deliberately naive roster: a `Vec` of rows, linear scans, nothing cached.
//!
//! It is written from the rules (SPEC 1.1 to 1.7), not from `presence_core::roster`, and shares only
//! the types of its inputs and its result. Properties compare the two after every operation.

mod activity;
mod beacon;
mod bounds;
mod handshake;
mod identity;
pub mod owner;
pub mod row;
pub mod text;

use presence_core::model::entry::MAX_SAFE_INTEGER;
use presence_core::{Now, PresenceEntry};

pub use self::beacon::Refusal;
use self::row::ModelRow;

/// The roster as a list of rows in the order they were made.
#[derive(Clone, Debug)]
pub struct Model {
    ttl_ms: u64,
    cap: usize,
    self_entry: PresenceEntry,
    rows: Vec<ModelRow>,
    /// The readings of the gateway's wall clock and of the age clock when they were last synchronised.
    synced: Now,
    version: u64,
    rows_made: u64,
    proofs: u64,
    moves: Vec<(u64, Option<u64>)>,
    untold: activity::Untold,
}

impl Model {
    /// A roster with the gateway's own row.
    #[must_use]
    pub fn new(ttl_ms: u64, cap: usize, self_entry: PresenceEntry, now: Now) -> Self {
        Self {
            ttl_ms,
            cap,
            self_entry,
            rows: Vec::new(),
            synced: now,
            version: 1,
            rows_made: 0,
            proofs: 0,
            moves: Vec::new(),
            untold: activity::Untold::default(),
        }
    }

    /// Presence version: one more for every change.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Number of rows, self included.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a roster is never empty")]
    pub fn len(&self) -> usize {
        self.rows.len() + 1
    }

    /// Whether the row still is there.
    #[must_use]
    pub fn contains(&self, id: u64) -> bool {
        self.rows.iter().any(|row| row.id == id)
    }

    /// The rows in the order they were made, self not among them.
    #[must_use]
    pub fn rows(&self) -> &[ModelRow] {
        &self.rows
    }

    /// A pong on a live connection of the row.
    pub fn touch(&mut self, id: u64, now: Now) {
        self.settle(now);
        if let Some(at) = self.row_by_id(id) {
            self.mark_written(at, now);
            self.mark_alive(at, now);
        }
    }

    /// A live connection of the row is over.
    pub fn disconnect(&mut self, id: u64, conn: u64, proof: bool, now: Now) {
        self.settle(now);
        let Some(at) = self.row_by_id(id) else { return };
        let before = self.rows[at].shown();
        let row = &mut self.rows[at];
        if row.live.iter().all(|live| live.conn != conn) {
            return;
        }
        self.step(Some(id), |model| {
            let row = &mut model.rows[at];
            row.set_of_last_live = row.live_sets();
            row.live.retain(|live| live.conn != conn);
            // The last input that a node reported ends with its connection.
            let had_input = row.input_by == Some(conn);
            if had_input {
                (row.input_at, row.input_by) = (None, None);
            }
            if row.live.is_empty() {
                row.fields.reason = Some("disconnect".into());
                row.written_by.remove("reason");
                model.mark_written(at, now);
                if proof {
                    model.mark_alive(at, now);
                }
                model.version += 1;
            } else {
                row.take_back(conn);
                if had_input || model.rows[at].shown() != before {
                    model.version += 1;
                }
            }
        });
        self.publish(now);
    }

    /// Follows the wall clock and drops what is too old.
    pub fn settle(&mut self, now: Now) {
        let shown = self.shown_wall(now.age_ms);
        if shown.abs_diff(i128::from(now.wall_ms)) > 2_000 {
            self.synced = now;
            self.version += 1;
        }
        let ttl_ms = self.ttl_ms;
        let is_over = |row: &ModelRow| !row.is_spared(now.age_ms) && now.age_ms - row.proof > ttl_ms;
        while let Some(at) = self.rows.iter().position(is_over) {
            self.remove(at);
        }
        self.publish(now);
    }

    /// The gateway was suspended: rows with live connections wait for their pongs until `until_ms`.
    pub fn spare_live_rows(&mut self, until_ms: u64) {
        for row in &mut self.rows {
            let is_overdue_by_then = until_ms.saturating_sub(row.proof) > self.ttl_ms;
            row.spared_until = (!row.live.is_empty() && is_overdue_by_then).then_some(until_ms);
        }
    }

    /// When the next row is due to go if nothing happens, on the age clock.
    #[must_use]
    pub fn next_expiry(&self) -> Option<u64> {
        let expiry = |row: &ModelRow| match row.spared_until {
            Some(until) if !row.live.is_empty() => until.max(row.proof + self.ttl_ms + 1),
            _ => row.proof + self.ttl_ms + 1,
        };
        self.rows.iter().map(expiry).min()
    }

    /// The list, and which row each entry is (`None`: self).
    pub fn list_with_ids(&mut self, now: Now) -> Vec<(Option<u64>, PresenceEntry)> {
        self.settle(now);
        let mut own = self.self_entry.clone();
        own.ts = self.ts(now.age_ms);
        own.last_input_seconds = None;
        let mut list = vec![(None, own)];
        list.extend(self.rows.iter().map(|row| {
            let mut entry = row.shown();
            entry.ts = self.ts(row.written);
            let is_online = !row.live.is_empty();
            entry.online_since = self.shown_stay(row).filter(|_| is_online).map(|at| self.ts(at));
            entry.last_activity_at = self.shown_input(row).map(|at| self.ts_of(at));
            entry.last_input_seconds = row.input_at.map(|at| {
                let seconds = (i128::from(row.written) - at).max(0) / 1_000;
                u64::try_from(seconds).unwrap_or(u64::MAX).min(MAX_SAFE_INTEGER)
            });
            (Some(row.id), entry)
        }));
        // Stable: ties keep the order the rows were made in, self first.
        list.sort_by_key(|(_, entry)| core::cmp::Reverse(entry.ts));
        list
    }

    fn mark_written(&mut self, at: usize, now: Now) {
        self.rows[at].written = now.age_ms;
    }

    fn mark_alive(&mut self, at: usize, now: Now) {
        self.proofs += 1;
        self.rows[at].proof = now.age_ms;
        self.rows[at].proof_number = self.proofs;
        self.rows[at].spared_until = None;
    }

    fn shown_wall(&self, age_ms: u64) -> i128 {
        i128::from(self.synced.wall_ms) + i128::from(age_ms) - i128::from(self.synced.age_ms)
    }

    fn ts(&self, age_ms: u64) -> u64 {
        let wall = self.shown_wall(age_ms).clamp(0, i128::from(MAX_SAFE_INTEGER));
        u64::try_from(wall).unwrap_or(0)
    }
}
