//! The rosters of several gateways as one (SPEC 7).
//!
//! A *source* is this gateway, whose rows are in the [`Roster`], an observed gateway, or a *peer*: a gateway
//! of the same fleet (`cluster`). Each source has its own rows, which no other source changes. Readers are
//! sent the merged rows of all sources: rows of one instance become one row, by the rules that clients use
//! for one gateway (SPEC 3).
//!
//! | part | contents |
//! |---|---|
//! | `row`, `origin` | rows of other gateways; which gateway |
//! | `source` | the rows of one other gateway: bounds, lease, expiry |
//! | `peers` | peers that come and go, their leases, the digest of the fleet |
//! | `merged`, `devices` | the rows of all sources, grouped by instance and merged |
//! | `encoding`, `sent` | lists, snapshots and deltas as JSON text |

mod devices;
mod encoding;
mod merged;
mod origin;
#[cfg(feature = "cluster")]
mod peers;
mod row;
mod sent;
mod source;
#[cfg(test)]
#[cfg(feature = "client")]
mod tests;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

#[cfg(feature = "cluster")]
pub use self::peers::{MAX_PEERS, PeerError};
pub use self::row::{SourceInfo, SourceRow, SourceUpdate};

use self::encoding::Texts;
use self::merged::{Merged, Place};
use self::origin::Origin;
use self::sent::Sent;
use self::source::{Source, SourceBounds};
use crate::instance::{Raw, keyed_group};
use crate::model::RawEntry;
use crate::model::key::PresenceKey;
use crate::model::time::Now;
use crate::roster::{Removal, Roster, max_list_bytes};

/// Maximum number of gateways that one gateway observes.
pub const MAX_SOURCES: usize = 8;
/// Time after which the rows of an unreachable gateway become `disconnect`, in ms. It covers a restart.
pub const LEASE_MS: u64 = 15_000;
/// Longest name of an observed gateway, in bytes.
pub const MAX_NAME_BYTES: usize = 32;
/// The prefix of wire keys of rows that only other gateways have.
const WIRE_PREFIX: &str = "GATEWAY:";
/// Maximum number of rows of all sources together.
const MAX_ROWS: usize = 10_000;
/// Smallest share of [`MAX_ROWS`] that a source gets.
const MIN_SOURCE_ROWS: usize = 200;

/// The index of an observed gateway in the list of names, or the number of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceId(pub u8);

/// The reason why names of observed gateways are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// More than [`MAX_SOURCES`].
    #[error("at most {MAX_SOURCES} gateways can be observed")]
    TooMany,
    /// Empty, too long, or with other characters.
    #[error("'{0}' is not a name: use 1 to {MAX_NAME_BYTES} lower-case letters, digits and hyphens")]
    Invalid(Box<str>),
    /// Used twice.
    #[error("two observed gateways are called '{0}'")]
    Repeated(Box<str>),
}

/// Checks the names of observed gateways: at most [`MAX_SOURCES`] different ones, each of 1 to
/// [`MAX_NAME_BYTES`] lower-case letters, digits and hyphens.
///
/// # Errors
/// [`NameError`] names the first invalid one.
pub fn validate_names(names: &[Box<str>]) -> Result<(), NameError> {
    if names.len() > MAX_SOURCES {
        return Err(NameError::TooMany);
    }
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    for (index, name) in names.iter().enumerate() {
        if !(1..=MAX_NAME_BYTES).contains(&name.len()) || !name.bytes().all(is_plain) {
            return Err(NameError::Invalid(name.clone()));
        }
        if names[..index].contains(name) {
            return Err(NameError::Repeated(name.clone()));
        }
    }
    Ok(())
}

/// The rows of this gateway and of the gateways that it observes.
#[derive(Clone, Debug)]
pub(crate) struct Fleet {
    ttl_ms: u64,
    /// Wall clock of `ts` minus age clock, in ms.
    offset_ms: i64,
    /// The instance of this gateway, which no other row may claim.
    own_instance: Option<PresenceKey>,
    /// The rows of this gateway by wire key, as of the last [`sync`](Self::sync).
    local: BTreeMap<Arc<str>, Local>,
    /// Number of walks of [`sync`](Self::sync).
    syncs: u64,
    /// The roster's revision and the moment of the last one.
    synced: Option<(u64, u64)>,
    sources: BTreeMap<SourceId, Source>,
    /// Bounds of a peer, which may have as many rows as this gateway.
    #[cfg(feature = "cluster")]
    peer_bounds: SourceBounds,
    #[cfg(feature = "cluster")]
    max_peers: usize,
    merged: Merged,
    /// Reasons for the removals of this gateway's rows since the last delta, by wire key.
    removals: BTreeMap<Box<str>, Removal>,
    /// The state of clients that take deltas; `None` without such clients.
    sent: Option<Sent>,
    texts: Texts,
    /// Number of changes in the sources that are sent to readers.
    version: u64,
    /// Time of the next end of a lease or expiry of a row, on the age clock.
    due_ms: Option<u64>,
}

/// A row of this gateway.
#[derive(Clone, Debug)]
struct Local {
    number: u64,
    raw: Arc<Raw>,
    /// Number of the last sync in which the row existed.
    sync: u64,
}

impl Fleet {
    /// Creates a fleet of this gateway and of the observed gateways `names`, none of which has answered yet.
    pub(crate) fn new(names: Vec<Box<str>>, roster: &Roster, now: Now) -> Self {
        let config = roster.config();
        let observed = names.len();
        let spare = MAX_ROWS.saturating_sub(config.max_entries) / observed.max(1);
        let bounds = SourceBounds {
            ttl_ms: config.ttl_ms,
            rows: config.max_entries.min(spare.max(MIN_SOURCE_ROWS)),
            bytes: max_list_bytes(config.max_entries),
        };
        let sources = (0..=u8::MAX).zip(names).map(|(place, name)| {
            let origin = Origin::observed(place, &name);
            (SourceId(place), Source::observed(origin, bounds, now))
        });
        let mut fleet = Self {
            ttl_ms: config.ttl_ms,
            offset_ms: 0,
            own_instance: roster.self_instance().cloned(),
            local: BTreeMap::new(),
            syncs: 0,
            synced: None,
            sources: sources.collect(),
            #[cfg(feature = "cluster")]
            peer_bounds: SourceBounds {
                rows: config.max_entries,
                ..bounds
            },
            #[cfg(feature = "cluster")]
            max_peers: peers::max_peers(config.max_entries, observed),
            merged: Merged::default(),
            removals: BTreeMap::new(),
            sent: None,
            texts: Texts::default(),
            version: 0,
            due_ms: None,
        };
        fleet.follow_clock(offset_ms(roster, now));
        fleet
    }

    /// Returns the number of changes in the sources that are sent to readers.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// State of each source: observed gateways in the order of their options, then peers by name.
    pub(crate) fn sources(&self) -> impl Iterator<Item = SourceInfo<'_>> {
        let mut sources: Vec<&Source> = self.sources.values().collect();
        sources.sort_by_key(|source| source.origin());
        sources.into_iter().map(Source::info)
    }

    /// When [`settle`](Self::settle) is due, on the age clock.
    pub(crate) fn poll_timeout(&self) -> Option<u64> {
        self.due_ms
    }

    /// Applies an update of a source.
    pub(crate) fn apply(&mut self, id: SourceId, update: SourceUpdate, now: Now) {
        let Some(source) = self.sources.get_mut(&id) else {
            return;
        };
        let own_instance = self.own_instance.as_ref();
        let is_news = source.apply(update, own_instance, now);
        self.version += u64::from(is_news);
        self.publish(id);
        self.find_due();
    }

    /// Ends leases and removes expired rows. Early or repeated calls do nothing.
    pub(crate) fn settle(&mut self, now: Now) {
        if self.due_ms.is_none_or(|due_ms| due_ms > now.age_ms) {
            return;
        }
        for id in self.ids() {
            if self.sources.get_mut(&id).is_some_and(|source| source.settle(now)) {
                self.version += 1;
            }
            self.publish(id);
        }
        self.find_due();
    }

    /// Extends leases and expiries after a suspension of this machine, until frames of the sources can arrive
    /// again.
    pub(crate) fn wake_up(&mut self, now: Now) {
        for source in self.sources.values_mut() {
            source.wake_up(now);
        }
        self.find_due();
    }

    fn find_due(&mut self) {
        self.due_ms = self.sources.values().filter_map(Source::due_ms).min();
    }

    /// Passes the changed rows of a source to the merged rows.
    fn publish(&mut self, id: SourceId) {
        let Some(source) = self.sources.get_mut(&id) else {
            return;
        };
        let changed = source.take_changed(self.offset_ms);
        let origin = source.origin();
        for (key, raw) in changed {
            self.merged.set(Place::of_source(origin.clone(), key), raw);
        }
    }

    fn ids(&self) -> Vec<SourceId> {
        self.sources.keys().copied().collect()
    }

    /// Reads the changed rows of this gateway, and updates the merged rows.
    pub(crate) fn sync(&mut self, roster: &mut Roster, now: Now) {
        let offset_ms = offset_ms(roster, now);
        if offset_ms != self.offset_ms {
            self.follow_clock(offset_ms);
        }
        // Hellos of one moment share a list, so that they do not cost a walk each.
        let is_synced = self.synced == Some((roster.revision(), now.age_ms));
        if is_synced && self.merged.is_settled() {
            return;
        }
        self.syncs += 1;
        let (syncs, local, merged) = (self.syncs, &mut self.local, &mut self.merged);
        roster.each_text(now, |key, number, text| {
            if let Some(kept) = local.get_mut(key).filter(|kept| kept.number == number) {
                kept.sync = syncs;
                if kept.raw.entry.as_str() == text {
                    return;
                }
            }
            // Our own text is an object.
            let Some(entry) = RawEntry::read(text) else { return };
            let raw = Arc::new(Raw::new(keyed_group(&entry, key), 0, entry, None, now.wall_ms));
            let key: Arc<str> = key.into();
            if let Some(old) = local.get(&key).filter(|old| old.number != number) {
                merged.set(Place::of_own(old.number, key.clone()), None);
            }
            merged.set(Place::of_own(number, key.clone()), Some(raw.clone()));
            let kept = Local {
                number,
                raw,
                sync: syncs,
            };
            local.insert(key, kept);
        });
        local.retain(|key, kept| {
            let is_there = kept.sync == syncs;
            if !is_there {
                merged.set(Place::of_own(kept.number, key.clone()), None);
            }
            is_there
        });
        if self.sent.is_some() {
            let removals = roster.take_removals(now).into_iter();
            self.removals
                .extend(removals.map(|(key, why)| (key.to_wire().into(), why)));
        }
        // A proof of life can change a merged row too: the fresher of two rows has precedence.
        self.version += u64::from(self.merged.merge());
        self.synced = Some((roster.revision(), now.age_ms));
    }

    /// Recalculates all moments of the sources after a step of the wall clock.
    fn follow_clock(&mut self, offset_ms: i64) {
        self.offset_ms = offset_ms;
        for id in self.ids() {
            if let Some(source) = self.sources.get_mut(&id) {
                source.touch_all();
            }
            self.publish(id);
        }
        self.find_due();
    }
}

/// Returns the wire key of a row that only other gateways have. It never equals an own row's key: those are
/// lower-case, or start with `SELF` or `CONN:`.
fn wire_key(name: &str, key: &str) -> String {
    format!("{WIRE_PREFIX}{name}/{key}")
}

/// Returns whether the wire key of a row is `name`, or contains it as the row's key at another gateway: the wire key
/// there for a peer, the key of the instance for an observed gateway (`row:<name>` or `row:<name>#<number>` if the row
/// has no ids, see `instance::group`).
#[cfg(feature = "server")]
pub(crate) fn is_keyed_by(wire: &str, name: &str) -> bool {
    let Some((_, key)) = wire
        .strip_prefix(WIRE_PREFIX)
        .and_then(|named| named.split_once('/'))
    else {
        return wire == name;
    };
    let row = key.strip_prefix("row:").unwrap_or(key);
    let numbered = row.strip_prefix(name).and_then(|rest| rest.strip_prefix('#'));
    key == name
        || row == name
        || numbered.is_some_and(|number| number.bytes().all(|digit| digit.is_ascii_digit()))
}

fn offset_ms(roster: &Roster, now: Now) -> i64 {
    let wall = i64::try_from(roster.wall_ms(now)).unwrap_or(i64::MAX);
    wall.saturating_sub(i64::try_from(now.age_ms).unwrap_or(i64::MAX))
}
