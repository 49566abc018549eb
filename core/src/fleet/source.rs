//! The rows of one other gateway, with their bounds, lease and expiry.

use alloc::borrow::Cow;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::origin::Origin;
use super::row::{Rank, SourceInfo, SourceRow, SourceUpdate, has_equal_content, keep_moments, rank, signed};
use super::{LEASE_MS, wire_key};
#[cfg(feature = "cluster")]
use crate::digest::{Digest, of_raw};
use crate::instance::{Raw, keyed_group};
use crate::model::RawEntry;
use crate::model::entry::MAX_SAFE_INTEGER;
use crate::model::json::json_text;
use crate::model::key::{PresenceKey, SELF_WIRE_KEY};
use crate::model::raw_entry::Draft;
use crate::model::status::Thresholds;
use crate::model::time::Now;
use crate::roster::MAX_ROW_BYTES;

/// Shortest life of a row, in ms, while its observed gateway can be reached. The known age of a connected client's row
/// can be 115 s: 60 s between touches, advances of up to 30 s that touches omit, and 25 s between pongs. Lists without
/// deltas are requested before 120 s.
const REACHED_TTL_MS: u64 = 150_000;

/// Bounds of a source.
#[derive(Clone, Copy, Debug)]
pub(super) struct SourceBounds {
    pub(super) ttl_ms: u64,
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

/// The reachability of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Here,
    /// Unreachable, but its rows still count as connected. A peer that renews its lease stays in this state.
    Leased {
        lease_ends_ms: u64,
    },
    Away,
}

#[derive(Clone, Debug)]
pub(super) struct Source {
    origin: Origin,
    bounds: SourceBounds,
    link: Link,
    /// Latest `ts` of a row that was Stale when the source was lost, on the age clock.
    stale_ms: i64,
    /// Time until which no row expires, on the age clock: set after a suspension, in which nothing was received.
    spared_until_ms: u64,
    rows: BTreeMap<Arc<str>, SourceRow>,
    /// All rows but the gateway's own, in the order of eviction.
    ranks: BTreeSet<Rank>,
    /// Size of the texts of all rows, in bytes.
    bytes: usize,
    left_out: u64,
    /// Rows that changed since [`take_changed`](Self::take_changed).
    changed: BTreeSet<Arc<str>>,
}

impl Source {
    /// Creates the source of an observed gateway that has not answered yet. The gateway is listed at once, as Stale.
    pub(super) fn observed(origin: Origin, bounds: SourceBounds, now: Now) -> Self {
        let name = &*origin.name;
        let text = json_text(&format!("Gateway: {name} · no answer yet"));
        let json = format!(r#"{{"host":"{name}","mode":"gateway","reason":"self","text":{text}}}"#);
        let row = SourceRow {
            key: SELF_WIRE_KEY.into(),
            entry: RawEntry::read(&json).unwrap_or_default(),
            heard_ms: stale_ms(now),
            online_since_ms: None,
            last_activity_ms: None,
            is_gateway: true,
        };
        let mut source = Self::peer(origin, bounds);
        source.insert(row);
        source
    }

    /// Creates a source without rows and without a lease.
    pub(super) fn peer(origin: Origin, bounds: SourceBounds) -> Self {
        Self {
            origin,
            bounds,
            link: Link::Away,
            stale_ms: i64::MAX,
            spared_until_ms: 0,
            rows: BTreeMap::new(),
            ranks: BTreeSet::new(),
            bytes: 0,
            left_out: 0,
            changed: BTreeSet::new(),
        }
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(super) fn is_peer(&self) -> bool {
        self.origin.is_peer()
    }

    pub(super) fn info(&self) -> SourceInfo<'_> {
        SourceInfo {
            name: &self.origin.name,
            is_peer: self.is_peer(),
            is_here: self.link == Link::Here || self.is_peer() && self.link != Link::Away,
            rows: self.rows.len(),
            left_out: self.left_out,
        }
    }

    /// Applies an update; returns whether readers need an update.
    pub(super) fn apply(
        &mut self,
        update: SourceUpdate,
        own_instance: Option<&PresenceKey>,
        now: Now,
    ) -> bool {
        let mut is_news = self.set_link(update.is_here, now);
        for key in update.removed {
            // The gateway's own row stays as long as it is observed.
            if *key != *SELF_WIRE_KEY || self.is_peer() {
                is_news |= self.remove(&key);
            }
        }
        for row in update.put {
            let id = row.entry.instance_key();
            let claims_own = id.is_some() && id.as_ref() == own_instance;
            if claims_own || self.is_over(&row, now) {
                is_news |= !row.is_gateway && self.remove(&row.key);
            } else {
                is_news |= self.put(row);
            }
        }
        is_news
    }

    fn set_link(&mut self, is_here: bool, now: Now) -> bool {
        if self.is_peer() {
            return false;
        }
        let before = self.link;
        self.link = match (is_here, before) {
            (true, _) => Link::Here,
            (false, Link::Here) => Link::Leased {
                lease_ends_ms: now.age_ms.saturating_add(LEASE_MS),
            },
            (false, Link::Leased { .. } | Link::Away) => before,
        };
        let is_back = is_here && before == Link::Away;
        if is_back {
            self.touch_all();
        }
        is_back
    }

    /// Sets when the lease of a peer ends; returns whether readers need an update.
    #[cfg(feature = "cluster")]
    pub(super) fn lease(&mut self, ends_ms: u64, now: Now) -> bool {
        let was_away = self.link == Link::Away;
        let is_away = ends_ms <= now.age_ms;
        self.link = if is_away {
            Link::Away
        } else {
            Link::Leased {
                lease_ends_ms: ends_ms,
            }
        };
        if was_away != is_away {
            self.touch_all();
        }
        was_away != is_away
    }

    fn put(&mut self, mut row: SourceRow) -> bool {
        if row.is_gateway {
            row.key = SELF_WIRE_KEY.into();
        }
        let old = self.rows.get(&*row.key);
        let is_news = old.is_none_or(|old| !has_equal_content(old, &row));
        if let Some(old) = old.filter(|_| !is_news) {
            keep_moments(&mut row, old);
        }
        if row.entry.as_str().len() > MAX_ROW_BYTES || !self.make_room(&row) {
            self.left_out += 1;
            // The old row is outdated.
            return !row.is_gateway && self.remove(&row.key);
        }
        self.insert(row);
        is_news
    }

    /// Evicts rows to make room for this one: rows that left first, then the least fresh. A row of higher rank stays.
    fn make_room(&mut self, row: &SourceRow) -> bool {
        let old = self.rows.get(&*row.key);
        let others = self.rows.len() - usize::from(old.is_some());
        let bytes = self.bytes - old.map_or(0, |old| old.entry.as_str().len());
        let (mut others, mut bytes) = (others, bytes.saturating_add(row.entry.as_str().len()));
        let mut over = Vec::new();
        for last in self.ranks.iter().filter(|rank| *rank.2 != *row.key) {
            if others < self.bounds.rows && bytes <= self.bounds.bytes {
                break;
            }
            if !row.is_gateway && *last >= rank(row) {
                return false;
            }
            others -= 1;
            bytes -= self.rows.get(&*last.2).map_or(0, |row| row.entry.as_str().len());
            over.push(last.2.clone());
        }
        for key in over {
            self.left_out += 1;
            self.remove(&key);
        }
        row.is_gateway || (others < self.bounds.rows && bytes <= self.bounds.bytes)
    }

    fn insert(&mut self, row: SourceRow) {
        self.remove(&row.key);
        let key: Arc<str> = (*row.key).into();
        self.bytes += row.entry.as_str().len();
        if !row.is_gateway {
            self.ranks.insert(rank(&row));
        }
        self.rows.insert(key.clone(), row);
        self.changed.insert(key);
    }

    fn remove(&mut self, key: &str) -> bool {
        let Some((key, row)) = self.rows.remove_entry(key) else {
            return false;
        };
        self.bytes -= row.entry.as_str().len();
        self.ranks.remove(&rank(&row));
        self.changed.insert(key);
        true
    }

    /// Ends the lease and removes expired rows; returns whether anything changed.
    pub(super) fn settle(&mut self, now: Now) -> bool {
        let mut is_changed = false;
        if let Link::Leased { lease_ends_ms } = self.link
            && lease_ends_ms <= now.age_ms
        {
            self.link = Link::Away;
            self.stale_ms = stale_ms(now);
            self.touch_all();
            is_changed = true;
        }
        let over = self.rows.iter().filter(|(_, row)| self.is_over(row, now));
        let over: Vec<Arc<str>> = over.map(|(key, _)| key.clone()).collect();
        for key in over {
            is_changed |= self.remove(&key);
        }
        is_changed
    }

    /// When [`settle`](Self::settle) is due, on the age clock.
    pub(super) fn due_ms(&self) -> Option<u64> {
        let first = |is_left: bool| self.ranks.range((!is_left, i64::MIN, Arc::default())..).next();
        let heard = [first(true), first(false)]
            .into_iter()
            .flatten()
            .map(|rank| rank.1);
        let own = self.rows.get(SELF_WIRE_KEY).filter(|_| self.is_peer());
        let heard = heard.chain(own.map(|row| row.heard_ms));
        let expiry = heard.min().map(|heard_ms| {
            let at_ms = heard_ms.saturating_add(self.life_ms()).saturating_add(1);
            u64::try_from(at_ms).unwrap_or(0).max(self.spared_until_ms)
        });
        match self.link {
            Link::Leased { lease_ends_ms } => Some(expiry.map_or(lease_ends_ms, |at| at.min(lease_ends_ms))),
            Link::Here | Link::Away => expiry,
        }
    }

    fn is_over(&self, row: &SourceRow, now: Now) -> bool {
        let age_ms = signed(now.age_ms).saturating_sub(row.heard_ms);
        (!row.is_gateway || self.is_peer()) && age_ms > self.life_ms() && now.age_ms >= self.spared_until_ms
    }

    /// How long a row stays after its last known proof of life, in ms. A peer's leases state these every 5 s.
    fn life_ms(&self) -> i64 {
        let is_reached = !self.is_peer() && self.link != Link::Away;
        let least_ms = if is_reached { REACHED_TTL_MS } else { 0 };
        signed(self.bounds.ttl_ms.max(least_ms))
    }

    /// Keeps all rows for one lease after a suspension of this machine.
    pub(super) fn wake_up(&mut self, now: Now) {
        self.spared_until_ms = now.age_ms.saturating_add(LEASE_MS);
        if let Link::Leased { lease_ends_ms } = &mut self.link {
            *lease_ends_ms = (*lease_ends_ms).max(self.spared_until_ms);
        }
    }

    /// Marks all rows as changed.
    pub(super) fn touch_all(&mut self) {
        self.changed.extend(self.rows.keys().cloned());
    }

    /// Returns the rows that changed, by key, in the form to merge; `None` for removed ones.
    pub(super) fn take_changed(&mut self, offset_ms: i64) -> Vec<(Arc<str>, Option<Arc<Raw>>)> {
        let changed = core::mem::take(&mut self.changed).into_iter();
        let shown = changed.map(|key| {
            let raw = self
                .rows
                .get(&key)
                .map(|row| Arc::new(self.shown(row, offset_ms)));
            (key, raw)
        });
        shown.collect()
    }

    /// Returns the sum of the summands of the fleet's digest.
    #[cfg(feature = "cluster")]
    pub(super) fn digest(&self) -> Digest {
        let mut digest = Digest::default();
        for row in self.rows.values() {
            let shown = self.shown(row, 0);
            digest.add(of_raw(&wire_key(&self.origin.name, &row.key), &shown.entry));
        }
        digest
    }

    /// Returns the row with its moments on the wall clock, as its gateway would list it here.
    fn shown(&self, row: &SourceRow, offset_ms: i64) -> Raw {
        let wall = |at_ms: i64| {
            let wall_ms = u64::try_from(at_ms.saturating_add(offset_ms)).unwrap_or(0);
            wall_ms.min(MAX_SAFE_INTEGER)
        };
        // The own row of a peer is removed with its rows.
        let is_stale = self.link == Link::Away && row.is_gateway && !self.is_peer();
        let ts = wall(row.heard_ms.min(if is_stale { self.stale_ms } else { i64::MAX }));
        let mut draft = Draft::new(&row.entry);
        // Only this gateway sets this member.
        draft.remove("gateway");
        draft.set_integer("ts", Some(ts));
        draft.set_integer("onlineSince", row.online_since_ms.map(wall));
        draft.set_integer("lastActivityAt", row.last_activity_ms.map(wall));
        if self.link == Link::Away && !row.is_gateway {
            draft.set("reason", Cow::Borrowed(r#""disconnect""#));
            draft.remove("onlineSince");
        }
        let entry = draft.finish();
        let wire_key = wire_key(&self.origin.name, &row.key);
        let group = if row.is_gateway {
            // Never the instance of a client on that machine.
            format!("row:{wire_key}")
        } else {
            keyed_group(&entry, &wire_key)
        };
        Raw::new(group, 0, entry, None, ts)
    }
}

/// Returns the latest `ts` of a row that is Stale now, on the age clock.
fn stale_ms(now: Now) -> i64 {
    signed(now.age_ms).saturating_sub(signed(Thresholds::default().idle_ms.saturating_add(1)))
}
