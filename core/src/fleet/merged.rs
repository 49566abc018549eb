//! The rows of all sources, grouped by instance and merged.

use alloc::borrow::Cow;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::devices::{Devices, device_of_group, device_of_instance, group_of_device};
use super::origin::Origin;
use crate::digest::of_raw;
use crate::instance::{self, Raw, SELF_KEY};
use crate::model::RawEntry;
use crate::model::json::json_text;
use crate::model::raw_entry::Draft;

/// Position of a row among rows with equal `ts`: rows of this gateway in order of creation, then those of the other
/// sources by source and key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// `None`: this gateway.
    source: Option<Origin>,
    number: u64,
    key: Arc<str>,
}

impl Place {
    /// Of the row of this gateway with that number and wire key.
    pub(super) fn of_own(number: u64, key: Arc<str>) -> Self {
        let source = None;
        Self { source, number, key }
    }

    /// Of the row with that key of another gateway.
    pub(super) fn of_source(source: Origin, key: Arc<str>) -> Self {
        Self {
            source: Some(source),
            number: 0,
            key,
        }
    }
}

/// Two last inputs that were rounded to seconds are considered equal if they differ by less than this, in ms.
const SAME_INPUT_MS: u64 = 2_000;

/// All rows, by instance.
#[derive(Clone, Debug, Default)]
pub(super) struct Merged {
    groups: BTreeMap<Arc<str>, Group>,
    /// The group of each row of a source.
    group_of: BTreeMap<Place, Arc<str>>,
    devices: Devices,
    /// The groups to which the ids of other gateways' own rows lead, with the number of these rows, which are grouped
    /// alone.
    gateways: BTreeMap<Arc<str>, usize>,
    /// Groups that changed since [`merge`](Self::merge).
    changed: BTreeSet<Arc<str>>,
    /// Number of changes of merged rows.
    revision: u64,
}

/// The rows of one instance.
#[derive(Clone, Debug, Default)]
struct Group {
    parts: BTreeMap<Place, Arc<Raw>>,
    row: Option<Row>,
}

/// A merged instance, as sent to readers.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Its key on the wire.
    pub(super) key: Arc<str>,
    /// The entry for standard clients.
    pub(super) entry: RawEntry,
    /// The entry for clients that take deltas: with `gateway`, unless the row is this gateway's own.
    pub(super) keyed: RawEntry,
    pub(super) ts: u64,
    /// Its summand of the digest.
    pub(super) digest: u64,
    /// Its last input when a change of it last incremented the version, so that many small steps add up.
    counted_input_ms: Option<u64>,
    place: Place,
    is_self: bool,
}

impl Merged {
    /// Replaces a row of a source; `None` removes it.
    pub(super) fn set(&mut self, place: Place, raw: Option<Arc<Raw>>) {
        let old = match &raw {
            Some(raw) => self.group_of.insert(place.clone(), raw.group.clone()),
            None => self.group_of.remove(&place),
        };
        let part = |group: &Group| group.parts.get(&place).cloned();
        if let Some(old) = old.and_then(|old| self.groups.get(&old).and_then(part)) {
            self.note(&old, |devices, device| devices.remove(device, &old.group));
            self.note_gateway(&old, false);
            if let Some(group) = self.groups.get_mut(&old.group) {
                group.parts.remove(&place);
            }
        }
        if let Some(raw) = raw {
            self.note(&raw, |devices, device| devices.add(device, &raw.group));
            self.note_gateway(&raw, true);
            let group = self.groups.entry(raw.group.clone()).or_default();
            group.parts.insert(place, raw);
        }
    }

    /// Records that a row is added or removed: marks the affected groups, and applies `change` to the devices
    /// of its instance.
    fn note(&mut self, raw: &Raw, change: impl FnOnce(&mut Devices, &str)) {
        self.changed.insert(raw.group.clone());
        if let Some(device) = device_of_group(&raw.group) {
            return self.note_device(device);
        }
        // Rows of a device may also join or leave the instance when another gateway lists it for the first or
        // last time.
        for device in self.devices_of(&raw.group) {
            self.note_device(&device);
        }
        if let Some(device) = device_of_instance(raw) {
            change(&mut self.devices, &device);
            self.note_device(&device);
        }
    }

    /// Records that the own row of another gateway is added or removed: no other row is shown with its ids.
    fn note_gateway(&mut self, raw: &Raw, is_added: bool) {
        let Some(group) = group_of_gateway(raw) else {
            return;
        };
        let rows = self.gateways.entry(group.clone()).or_default();
        *rows = rows.saturating_add_signed(if is_added { 1 } else { -1 });
        if *rows == 0 {
            self.gateways.remove(&group);
        }
        self.changed.insert(group);
    }

    /// Returns the devices in the rows of an instance.
    fn devices_of(&self, key: &str) -> BTreeSet<String> {
        let parts = self
            .groups
            .get(key)
            .into_iter()
            .flat_map(|group| group.parts.values());
        parts.filter_map(|raw| device_of_instance(raw)).collect()
    }

    fn note_device(&mut self, device: &str) {
        self.changed.extend(self.devices.few_instances(device).cloned());
        self.changed.insert(group_of_device(device).into());
    }

    /// Merges the changed groups; returns whether any row has changes other than a newer proof of life.
    pub(super) fn merge(&mut self) -> bool {
        let mut is_news = false;
        for key in core::mem::take(&mut self.changed) {
            self.revision += 1;
            let mut row = merged(&key, &self.parts(&key), self.gateways.contains_key(&key));
            let Some(group) = self.groups.get_mut(&key) else {
                continue;
            };
            is_news |= match (&group.row, &mut row) {
                (Some(old), Some(new)) => {
                    let is_other = old.key != new.key
                        || new.has_changes_since(&old.keyed, old.ts)
                        || !is_same_input(old.counted_input_ms, new.counted_input_ms);
                    if !is_other {
                        new.counted_input_ms = old.counted_input_ms;
                    }
                    is_other
                }
                (old, new) => old.is_some() || new.is_some(),
            };
            group.row = row;
            if group.parts.is_empty() {
                self.groups.remove(&key);
            }
        }
        is_news
    }

    /// Returns the rows that are merged into a group, by place. A row with only a device belongs to the only
    /// instance of that device, unless its own gateway also lists that instance: then they are two.
    fn parts(&self, key: &str) -> Vec<(&Place, Arc<Raw>)> {
        let parts_of = |key: &str| self.groups.get(key).into_iter().flat_map(|group| &group.parts);
        let sources_of = |key: &str| -> BTreeSet<Option<&Origin>> {
            parts_of(key).map(|(place, _)| place.source.as_ref()).collect()
        };
        let own = parts_of(key).map(|(place, raw)| (place, raw.clone()));
        if let Some(device) = device_of_group(key) {
            let only = self.devices.only_instance(device);
            let kept = only.map(|instance| sources_of(instance));
            let stays = |place: &Place| {
                kept.as_ref()
                    .is_none_or(|kept| kept.contains(&place.source.as_ref()))
            };
            return own.filter(|(place, _)| stays(place)).collect();
        }
        let devices = self.devices_of(key);
        let mut parts: Vec<_> = own.collect();
        if devices.is_empty() {
            return parts;
        }
        let sources = sources_of(key);
        for device in devices {
            if self
                .devices
                .only_instance(&device)
                .is_some_and(|only| **only == *key)
            {
                let others = parts_of(&group_of_device(&device))
                    .filter(|(place, _)| !sources.contains(&place.source.as_ref()));
                parts.extend(others.map(|(place, raw)| (place, Arc::new(without_instance(raw)))));
            }
        }
        parts.sort_by(|a, b| a.0.cmp(b.0));
        parts
    }

    /// Whether nothing changed since the last [`merge`](Self::merge).
    pub(super) fn is_settled(&self) -> bool {
        self.changed.is_empty()
    }

    /// Number of changes, as of the last [`merge`](Self::merge).
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns the rows, in an order that depends on the rows only.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.groups.values().filter_map(|group| group.row.as_ref())
    }

    /// Returns the rows in list order: this gateway first, then by descending `ts`, ties by place.
    pub(super) fn list(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rows().collect();
        rows.sort_by(|a, b| {
            let order = |row: &Row| (!row.is_self, u64::MAX - row.ts);
            order(a).cmp(&order(b)).then_with(|| a.place.cmp(&b.place))
        });
        rows
    }
}

impl Row {
    /// Returns whether the entry has changes other than a newer proof of life, compared with the entry
    /// `before` and its `ts`.
    pub(super) fn has_changes_since(&self, before: &RawEntry, ts: u64) -> bool {
        let is_back = self.ts < ts;
        is_back
            || *before != self.keyed
                && (!is_same_input(input_ms(before), input_ms(&self.keyed))
                    || !before.eq_without(&self.keyed, &["ts", "lastInputSeconds"]))
    }
}

/// Returns the time of the last input, if the entry reports one.
fn input_ms(entry: &RawEntry) -> Option<u64> {
    let seconds = entry.integer("lastInputSeconds")?;
    Some(entry.ts()?.saturating_sub(seconds.saturating_mul(1_000)))
}

fn is_same_input(a: Option<u64>, b: Option<u64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.abs_diff(b) < SAME_INPUT_MS,
        (a, b) => a == b,
    }
}

/// Returns the row without an `instanceId` that only repeats its device, as on gateways of protocol 3.
fn without_instance(raw: &Raw) -> Raw {
    let mut draft = Draft::new(&raw.entry);
    draft.remove("instanceId");
    let entry = draft.finish();
    let mut raw = raw.clone();
    raw.entry = entry;
    raw
}

/// Returns the group that the own row of another gateway would be in by its ids; `None` for other rows: those that are
/// grouped alone have no ids.
fn group_of_gateway(raw: &Raw) -> Option<Arc<str>> {
    if !raw.group.starts_with("row:") {
        return None;
    }
    instance::identified(&raw.entry).map(Arc::from)
}

fn without_ids(entry: &RawEntry) -> RawEntry {
    let mut draft = Draft::new(entry);
    draft.remove("instanceId");
    draft.remove("deviceId");
    draft.finish()
}

/// Merges the parts of a group, given by place. `is_of_gateway`: the group's id is that of another gateway's own row,
/// with which clients would merge this row.
fn merged(group: &str, parts: &[(&Place, Arc<Raw>)], is_of_gateway: bool) -> Option<Row> {
    let (place, _) = parts.first()?;
    let raws: Vec<Arc<Raw>> = parts.iter().map(|(_, raw)| raw.clone()).collect();
    let merged = instance::merge(&raws);
    let entry = if is_of_gateway {
        without_ids(&merged.entry)
    } else {
        merged.entry
    };
    let (key, keyed) = match &place.source {
        None => (place.key.clone(), entry.clone()),
        Some(first) => {
            // Not the freshest one: with two live rows each proof of life would be a change.
            let live = parts.iter().find(|(_, raw)| !raw.entry.is_disconnect());
            let via = live.and_then(|(place, _)| place.source.as_ref()).unwrap_or(first);
            let mut draft = Draft::new(&entry);
            draft.set("gateway", Cow::Owned(json_text(&*via.name)));
            let key = super::wire_key(&first.name, &place.key);
            (key.into(), draft.finish())
        }
    };
    Some(Row {
        digest: of_raw(&key, &keyed),
        counted_input_ms: input_ms(&keyed),
        key,
        entry,
        keyed,
        ts: merged.ts,
        place: (*place).clone(),
        is_self: group == SELF_KEY,
    })
}
