//! One row of the model.

use presence_core::PresenceEntry;

use super::text::Key;

/// One row.
#[derive(Clone, Debug)]
pub struct ModelRow {
    /// Never used twice; ascending in the order the rows were made.
    pub id: u64,
    /// What identifies it.
    pub key: Key,
    /// Whether nothing but live connections kept it through a suspension, and until when.
    pub(super) spared_until: Option<u64>,
    pub(super) fields: PresenceEntry,
    pub(super) written: u64,
    pub(super) proof: u64,
    /// Orders proofs of life of the same millisecond.
    pub(super) proof_number: u64,
    pub(super) input_at: Option<i128>,
    pub(super) live: Vec<LiveConnection>,
    /// When the row went from no live connection to one.
    pub(super) stay_began: u64,
    pub(super) was_connected: bool,
    pub(super) set_of_last_live: (Vec<Box<str>>, Vec<Box<str>>),
    pub(super) from_beacons: (Vec<Box<str>>, Vec<Box<str>>),
    pub(super) holder: Option<u64>,
}

#[derive(Clone, Debug)]
pub(super) struct LiveConnection {
    pub(super) conn: u64,
    pub(super) role: &'static str,
    pub(super) scopes: Vec<Box<str>>,
}

impl ModelRow {
    /// Number of its live connections.
    #[must_use]
    pub fn live_connections(&self) -> usize {
        self.live.len()
    }

    /// Somebody is asked for a pong, and may still answer.
    pub(super) fn is_spared(&self, now_ms: u64) -> bool {
        !self.live.is_empty() && self.spared_until.is_some_and(|until| now_ms < until)
    }

    pub(super) fn freshness(&self) -> (u64, u64) {
        (self.proof, self.proof_number)
    }

    pub(super) fn live_sets(&self) -> (Vec<Box<str>>, Vec<Box<str>>) {
        let mut roles = Vec::new();
        let mut scopes = Vec::new();
        for live in &self.live {
            add_missing(&mut roles, &[live.role.into()]);
            add_missing(&mut scopes, &live.scopes);
        }
        (roles, scopes)
    }

    pub(super) fn sets(&self) -> (Vec<Box<str>>, Vec<Box<str>>) {
        let (mut roles, mut scopes) = if self.live.is_empty() {
            self.set_of_last_live.clone()
        } else {
            self.live_sets()
        };
        add_missing(&mut roles, &self.from_beacons.0);
        add_missing(&mut scopes, &self.from_beacons.1);
        (roles, scopes)
    }
}

pub(super) fn add_missing(set: &mut Vec<Box<str>>, more: &[Box<str>]) {
    for item in more {
        if !set.contains(item) {
            set.push(item.clone());
        }
    }
}
