//! Roles and scopes of a row: those of its live connections in connect order, then those that beacons added
//! (SPEC 1.4).

#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::live::Live;
use crate::model::entry::{MAX_SET, PresenceEntry};
use crate::roster::size;

/// With more live connections than this a row has an index, so that a close does not walk all of them.
const FEW: usize = 4;

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "recording", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "recording", serde(rename_all = "camelCase"))]
pub(crate) struct Sets {
    /// Roles and scopes of the live connections, from the time when there are more than [`FEW`] until the last close.
    #[cfg_attr(feature = "recording", serde(skip))]
    index: Option<Box<Index>>,
    /// The roles that beacons added.
    added_roles: Vec<Box<str>>,
    added_scopes: Vec<Box<str>>,
    /// How many of the shown roles and scopes are from the last connection. They stay after its close.
    kept: (u8, u8),
    /// Whether some did not fit into the entry.
    is_cut: bool,
}

impl Sets {
    /// All but the index.
    #[cfg(feature = "recording")]
    pub(crate) fn saved(&self) -> Self {
        Self {
            index: None,
            added_roles: self.added_roles.clone(),
            added_scopes: self.added_scopes.clone(),
            ..*self
        }
    }

    /// Builds the index. `None` if beacons added more than [`MAX_SET`] roles or scopes.
    #[cfg(feature = "recording")]
    pub(crate) fn restored(mut self, live: &[Live]) -> Option<Self> {
        for at in 0..live.len() {
            self.attach(&live[..=at], at);
        }
        let is_bounded = |set: &[Box<str>]| set.len() <= MAX_SET;
        (is_bounded(&self.added_roles) && is_bounded(&self.added_scopes)).then_some(self)
    }

    /// Adds the connection at `at` of `live`.
    pub(crate) fn attach(&mut self, live: &[Live], at: usize) {
        if let Some(index) = &mut self.index {
            index.add(&live[at]);
        } else if live.len() > FEW {
            let mut index = Box::<Index>::default();
            for live in live {
                index.add(live);
            }
            self.index = Some(index);
        }
    }

    /// Removes `gone`; others are left.
    pub(crate) fn detach(&mut self, gone: &Live) {
        if let Some(index) = &mut self.index {
            index.remove(gone);
        }
    }

    /// Removes `gone`, the last connection; its shown roles and scopes stay.
    pub(crate) fn detach_last(&mut self, gone: &Live, shown: &PresenceEntry) {
        let roles = shown.roles.iter();
        let scopes = shown.scopes.iter();
        self.kept = (
            roles.take_while(|role| ***role == *gone.role.as_str()).count() as u8,
            scopes.take_while(|scope| gone.scopes.contains(scope)).count() as u8,
        );
        self.index = None;
    }

    /// Removes all connections.
    pub(crate) fn detach_all(&mut self) {
        self.kept = (0, 0);
        self.index = None;
    }

    /// Adds those of a beacon; returns whether any is new.
    pub(crate) fn add(&mut self, roles: &[Box<str>], scopes: &[Box<str>]) -> bool {
        union(&mut self.added_roles, roles) | union(&mut self.added_scopes, scopes)
    }

    /// Whether there are more than the entry has room for.
    pub(crate) fn are_cut(&self) -> bool {
        self.is_cut
    }

    /// Drops those of beacons that the row does not show.
    pub(crate) fn retain_shown(&mut self, shown: &PresenceEntry) {
        self.added_roles.retain(|role| shown.roles.contains(role));
        self.added_scopes.retain(|scope| shown.scopes.contains(scope));
    }

    /// Writes the roles and scopes to the entry, as far as the row has room; returns whether they changed.
    pub(crate) fn show(&mut self, entry: &mut PresenceEntry, live: &[Live], max_bytes: usize) -> bool {
        let mut room = Room {
            bytes: max_bytes.saturating_sub(size::without_sets(entry)),
            is_short: false,
        };
        let (roles, scopes) = self.current(entry, live);
        let roles = fitting("roles", roles.chain(texts(&self.added_roles)), &mut room);
        let scopes = fitting("scopes", scopes.chain(texts(&self.added_scopes)), &mut room);
        let has_new_roles = !texts(&entry.roles).eq(roles.iter().copied());
        let has_new_scopes = !texts(&entry.scopes).eq(scopes.iter().copied());
        if has_new_roles || has_new_scopes {
            let owned = |set: Vec<&str>| set.into_iter().map(Into::into).collect();
            (entry.roles, entry.scopes) = (owned(roles), owned(scopes));
        }
        self.is_cut = room.is_short;
        has_new_roles || has_new_scopes
    }

    /// Roles and scopes of the live connections in connect order, with repeats; without a connection, those that
    /// stayed.
    fn current<'a>(&'a self, shown: &'a PresenceEntry, live: &'a [Live]) -> (Items<'a>, Items<'a>) {
        match &self.index {
            Some(index) => (Box::new(index.roles.iter()), Box::new(index.scopes.iter())),
            None if live.is_empty() => (
                Box::new(texts(&shown.roles).take(self.kept.0.into())),
                Box::new(texts(&shown.scopes).take(self.kept.1.into())),
            ),
            None => (
                Box::new(live.iter().map(|live| live.role.as_str())),
                Box::new(live.iter().flat_map(|live| texts(&live.scopes))),
            ),
        }
    }
}

type Items<'a> = Box<dyn Iterator<Item = &'a str> + 'a>;

/// Roles and scopes of many live connections.
#[derive(Clone, Debug, Default, PartialEq)]
struct Index {
    roles: Union,
    scopes: Union,
}

impl Index {
    fn add(&mut self, live: &Live) {
        self.roles.add(live.role.as_str(), (live.conn, 0));
        for (at, scope) in (0..).zip(&live.scopes[..]) {
            self.scopes.add(scope, (live.conn, at));
        }
    }

    fn remove(&mut self, live: &Live) {
        self.roles.remove(live.role.as_str(), (live.conn, 0));
        for (at, scope) in (0..).zip(&live.scopes[..]) {
            self.scopes.remove(scope, (live.conn, at));
        }
    }
}

/// The serial of a connection, and a position in its list.
type Place = (u64, u32);

/// The union of lists of live connections, in the order of the first place of each text.
#[derive(Clone, Debug, Default, PartialEq)]
struct Union {
    places: BTreeMap<Arc<str>, BTreeSet<Place>>,
    /// Each text by the first of its places.
    firsts: BTreeMap<Place, Arc<str>>,
}

impl Union {
    fn iter(&self) -> impl Iterator<Item = &str> {
        self.firsts.values().map(|text| &**text)
    }

    fn add(&mut self, text: &str, place: Place) {
        let Some(places) = self.places.get_mut(text) else {
            let text: Arc<str> = text.into();
            self.places.insert(text.clone(), BTreeSet::from([place]));
            self.firsts.insert(place, text);
            return;
        };
        let first = places.first().copied().filter(|first| place < *first);
        places.insert(place);
        if let Some(text) = first.and_then(|first| self.firsts.remove(&first)) {
            self.firsts.insert(place, text);
        }
    }

    fn remove(&mut self, text: &str, place: Place) {
        let Some(places) = self.places.get_mut(text) else {
            return;
        };
        places.remove(&place);
        let next = places.first().copied();
        if next.is_none() {
            self.places.remove(text);
        }
        // Only the first place of a text is in the order.
        if let Some(text) = self.firsts.remove(&place)
            && let Some(next) = next
        {
            self.firsts.insert(next, text);
        }
    }
}

/// The room in an entry.
struct Room {
    bytes: usize,
    /// Whether an item did not fit.
    is_short: bool,
}

/// The items without repeats, at most [`MAX_SET`], up to the first that has no room.
fn fitting<'a>(name: &str, items: impl Iterator<Item = &'a str>, room: &mut Room) -> Vec<&'a str> {
    let mut set = Vec::new();
    for item in items {
        if set.contains(&item) {
            continue;
        }
        let around = if set.is_empty() {
            size::around_list(name)
        } else {
            0
        };
        let bytes = size::item(item) + around;
        if bytes > room.bytes || set.len() >= MAX_SET {
            room.is_short = true;
            break;
        }
        room.bytes -= bytes;
        set.push(item);
    }
    set
}

fn texts(list: &[Box<str>]) -> impl Iterator<Item = &str> {
    list.iter().map(|text| &**text)
}

/// Appends items that are not in `set`, in order, up to [`MAX_SET`]; returns whether there were any.
fn union(set: &mut Vec<Box<str>>, more: &[Box<str>]) -> bool {
    let before = set.len();
    for item in more {
        if set.len() >= MAX_SET {
            break;
        }
        if !set.contains(item) {
            set.push(item.clone());
        }
    }
    set.len() > before
}
