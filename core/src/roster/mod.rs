//! The roster: which clients are connected (SPEC 1).
//!
//! | part | contents |
//! |---|---|
//! | `rules` | identity, ownership, lifetime and eviction of rows; `row`: how writes merge into one row |
//! | `store` | the containers: rows, indexes, queues |
//! | `encoding` | rows, lists and deltas as JSON text, digests; `size`: what they take |
//! | `change_log` | the changes, for all recipients |

mod change_log;
mod clock;
mod config;
#[cfg(feature = "server")]
pub(crate) mod details;
mod encoding;
pub(crate) mod history;
mod row;
#[cfg(feature = "changes")]
mod row_changes;
mod rules;
#[cfg(feature = "recording")]
pub(crate) mod saved;
pub(crate) mod size;
mod store;
#[cfg(feature = "server")]
mod turns;
#[cfg(feature = "changes")]
mod visits;

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

pub use self::change_log::Removal;
#[cfg(feature = "changes")]
pub use self::change_log::{Follower, MAX_WAITING_EVENTS, RowChanges, RowEvent, RowState, Stay, StayEnd};
#[cfg(feature = "server")]
pub(crate) use self::change_log::{TOUCH_TELL_MS, max_removed};
pub use self::clock::CLOCK_STEP_MS;
pub use self::config::{DEFAULT_MAX_ENTRIES, DEFAULT_TTL_MS, RosterConfig};
pub use self::encoding::Work;
pub use self::rules::{
    BeaconError, BeaconSubject, BeaconTarget, ConnectWrite, Disputes, Evictions, Expiries, Holder, Move,
    Report,
};
pub use self::size::{MAX_ROW_BYTES, MIN_LIST_BYTES, ROW_SHARE_BYTES, max_list_bytes};
pub use self::store::RowId;
#[cfg(feature = "changes")]
pub use self::visits::{Left, MAX_LEAVING, Visit, VisitEnd, Visits};

use self::change_log::ChangeLog;
use self::clock::Clock;
use self::encoding::Texts;
use self::history::History;
use self::row::Row;
use self::rules::Activity;
use self::store::{People, Store};
#[cfg(feature = "server")]
use self::turns::ReplacedHost;
use crate::model::entry::PresenceEntry;
use crate::model::key::{PresenceKey, RowKey};
use crate::model::placeholder::Kind;
use crate::model::time::Now;

/// The roster. Every change that readers can see increments [`version`](Self::version).
///
/// ```
/// use presence_core::model::beacon::Beacon;
/// use presence_core::roster::{Holder, Roster, RosterConfig};
/// use presence_core::{Now, PresenceEntry};
///
/// let mut now = Now { age_ms: 0, wall_ms: 1_700_000_000_000 };
/// let gateway = PresenceEntry { host: Some("pi".into()), ..PresenceEntry::default() };
/// let mut roster = Roster::new(RosterConfig::default(), gateway, now);
///
/// let beacon = Beacon { instance_id: Some("Mac-1".into()), ..Beacon::new("hello") };
/// roster.beacon(&beacon, Holder::Unlimited, now).unwrap();
/// assert_eq!(roster.list(now).len(), 2);
///
/// now = now.after(300_001);
/// assert_eq!(roster.list(now).len(), 1, "the gateway itself stays");
/// ```
#[derive(Clone, Debug)]
pub struct Roster {
    config: RosterConfig,
    clock: Clock,
    self_row: Row,
    self_key: Option<PresenceKey>,
    store: Store,
    /// The data that rows of one user share.
    people: People,
    /// Pending changes of the last input alone.
    activity: Activity,
    log: ChangeLog,
    texts: Texts,
    /// The greatest size of the list, in bytes: the sum of all rows.
    bytes: usize,
    rows_made: u64,
    /// When it was created, on the age clock.
    began_ms: u64,
    /// Until when rows wait for a pong that a suspension outdated.
    spared_until_ms: u64,
    /// The moment of the last [`settle`](Self::settle).
    settled_ms: u64,
    /// The next result of [`take_moves`](Self::take_moves).
    moves: Vec<Move>,
    work: Work,
    evictions: Evictions,
    expiries: Expiries,
    /// When rows with a TTL of their own expire.
    own_ends: BTreeSet<(u64, RowId)>,
    removals: u64,
    disputes: Disputes,
    /// The next result of [`take_replaced_host`](Self::take_replaced_host).
    #[cfg(feature = "server")]
    replaced_host: Option<ReplacedHost>,
    history: History,
}

impl Roster {
    /// A roster that holds the gateway's own row.
    #[must_use]
    pub fn new(config: RosterConfig, mut self_entry: PresenceEntry, now: Now) -> Self {
        for (kind, member) in [
            (Kind::Host, &mut self_entry.host),
            (Kind::Ip, &mut self_entry.ip),
            (Kind::Version, &mut self_entry.version),
        ] {
            member.take_if(|text| kind.is_placeholder(text));
        }
        let self_key = self_entry.instance_id.as_deref().and_then(PresenceKey::parse);
        let mut self_row = Row::new(RowKey::SelfRow, 0, now.age_ms);
        self_row.add_sets(&self_entry.roles, &self_entry.scopes, MAX_ROW_BYTES);
        self_row.fields = self_entry;
        self_row.bytes = size::of_entry(&self_row.fields);
        Self {
            config,
            clock: Clock::new(now),
            bytes: "[]".len() + self_row.bytes,
            self_row,
            self_key,
            store: Store::new(config.hash_seed),
            people: People::default(),
            activity: Activity::default(),
            log: ChangeLog::new(),
            texts: Texts::default(),
            rows_made: 0,
            began_ms: now.age_ms,
            spared_until_ms: 0,
            settled_ms: now.age_ms,
            moves: Vec::new(),
            work: Work::default(),
            evictions: Evictions::default(),
            expiries: Expiries::default(),
            own_ends: BTreeSet::new(),
            removals: 0,
            disputes: Disputes::default(),
            #[cfg(feature = "server")]
            replaced_host: None,
            history: History::default(),
        }
    }

    /// The list: newest `ts` first, ties in the order the rows were made, self touched first (SPEC 1.6).
    pub fn list(&mut self, now: Now) -> Vec<PresenceEntry> {
        self.settle(now);
        self.self_row.written_ms = now.age_ms;
        let mut entries = Vec::with_capacity(self.len());
        entries.push(self.self_row.entry(self.clock, None).clone());
        for &id in &*self.order() {
            let row = &mut self.store[id];
            let shared = self.people.shared(row);
            entries.push(row.entry(self.clock, shared).clone());
        }
        entries
    }

    /// The number of changes that readers can see; starts at 1 (SPEC 2, "Presence version").
    #[must_use]
    pub fn version(&self) -> u64 {
        self.log.version()
    }

    /// Number of rows, self included.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a roster is never empty")]
    pub fn len(&self) -> usize {
        self.store.len() + 1
    }

    /// The key of a row; `None` if the row is gone.
    #[must_use]
    pub fn key(&self, row: RowId) -> Option<&RowKey> {
        self.store.get(row).map(|row| &row.key)
    }

    /// Whether the row still exists.
    #[must_use]
    pub fn contains(&self, row: RowId) -> bool {
        self.store.contains(row)
    }

    /// The clock that `ts` is on: ms since the Unix epoch.
    #[must_use]
    pub fn wall_ms(&self, now: Now) -> u64 {
        self.clock.wall_ms(now.age_ms)
    }

    /// Counts of its work so far.
    #[must_use]
    pub fn work(&self) -> Work {
        self.work
    }

    /// The number of evicted rows so far.
    #[must_use]
    pub fn evictions(&self) -> Evictions {
        self.evictions
    }

    /// The number of changes of texts' contents.
    pub(crate) fn revision(&self) -> u64 {
        self.log.revision()
    }

    /// Its bounds.
    pub(crate) fn config(&self) -> RosterConfig {
        self.config
    }

    /// The key of the gateway's own instance.
    pub(crate) fn self_instance(&self) -> Option<&PresenceKey> {
        self.self_key.as_ref()
    }

    /// The number of removed rows so far, for any reason.
    pub(crate) fn removals(&self) -> u64 {
        self.removals
    }

    /// Number of proofs of life so far, for [`unlists_after`](Self::unlists_after).
    pub(crate) fn proofs(&self) -> u64 {
        self.store.proofs()
    }
}
