//! The rows that readers are sent: those of this gateway, and of the gateways that it observes (SPEC 7).

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::Hub;
use crate::fleet::{Fleet, NameError, SourceId, SourceInfo, SourceUpdate, validate_names};
use crate::model::SharedText;
use crate::model::raw_entry::RawEntry;
use crate::model::time::Now;
use crate::roster::RowId;

/// A row as readers get it.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) key: String,
    /// The key that the reader sees in its place.
    pub(super) shown: Option<String>,
    pub(super) entry: RawEntry,
    /// The row, if it is this gateway's own.
    pub(super) id: Option<RowId>,
}

impl Listed {
    pub(super) fn shown(&self) -> &str {
        self.shown.as_deref().unwrap_or(&self.key)
    }
}

impl Hub {
    /// Lists the rows of these gateways too, from now on; [`apply`](Self::apply) takes their rows. Their
    /// [`SourceId`]s are their places in `names`. Call it once, before the first join.
    ///
    /// # Errors
    /// [`NameError`] for names that [`validate_names`] refuses.
    pub fn observe(&mut self, names: Vec<Box<str>>, now: Now) -> Result<(), NameError> {
        validate_names(&names)?;
        if !names.is_empty() {
            self.start_fleet(names, now);
        }
        Ok(())
    }

    pub(super) fn start_fleet(&mut self, names: Vec<Box<str>>, now: Now) {
        let mut fleet = Fleet::new(names, &self.roster, now);
        fleet.track_changes(self.delta_members > 0, &mut self.roster, now);
        self.fleet = Some(Box::new(fleet));
    }

    /// Applies an update of an observed gateway: its rows, its loss or its return.
    pub fn apply(&mut self, source: SourceId, update: SourceUpdate, now: Now) {
        self.advance(now);
        if let Some(fleet) = &mut self.fleet {
            fleet.apply(source, update, now);
        }
        self.announce(now);
    }

    /// The state of each observed gateway and each peer.
    pub fn sources(&self) -> impl Iterator<Item = SourceInfo<'_>> {
        self.fleet.iter().flat_map(|fleet| fleet.sources())
    }

    /// The presence version: the number of changes that readers are sent.
    #[must_use]
    pub fn version(&self) -> u64 {
        let of_sources = self.fleet.as_ref().map_or(0, |fleet| fleet.version());
        self.roster.version().saturating_add(of_sources)
    }

    /// Updates the merged rows; [`version`](Self::version) then includes all changes.
    pub(super) fn sync(&mut self, now: Now) {
        if let Some(fleet) = &mut self.fleet {
            fleet.sync(&mut self.roster, now);
        }
    }

    /// This gateway's own rows with their keys, newest first.
    #[cfg(feature = "recording")]
    pub(crate) fn own_entries(&mut self, now: Now) -> Vec<(Box<str>, RawEntry)> {
        let rows = self.roster.entries(usize::MAX, now);
        rows.into_iter()
            .map(|(key, entry, _)| (key.into(), entry))
            .collect()
    }

    /// The rows that readers are sent, at most this many.
    pub(super) fn listed(&mut self, most: usize, now: Now) -> Vec<Listed> {
        self.sync(now);
        let own = self.roster.entries(most, now);
        let Some(fleet) = &self.fleet else {
            let listed = |(key, entry, id)| Listed {
                key,
                shown: None,
                entry,
                id,
            };
            return own.into_iter().map(listed).collect();
        };
        let ids: BTreeMap<String, Option<RowId>> = own.into_iter().map(|(key, _, id)| (key, id)).collect();
        let listed = |(key, entry): (&str, &RawEntry)| Listed {
            key: key.into(),
            shown: None,
            entry: entry.clone(),
            id: ids.get(key).copied().flatten(),
        };
        fleet.entries().take(most).map(listed).collect()
    }

    /// The list as standard clients get it.
    pub(super) fn encode_list(&mut self, now: Now) -> SharedText {
        self.sync(now);
        match &mut self.fleet {
            None => self.roster.encode_list(now),
            Some(fleet) => fleet.encode_list(now),
        }
    }

    /// The list with keys, version and digest, for delta clients.
    pub(super) fn encode_snapshot(&mut self, now: Now) -> SharedText {
        self.sync(now);
        let version = self.version();
        match &mut self.fleet {
            None => self.roster.encode_snapshot(now),
            Some(fleet) => fleet.encode_snapshot(version, now),
        }
    }

    /// The payload of `presence.delta`: all changes since the last one.
    pub(super) fn encode_delta(&mut self, from: u64, now: Now) -> String {
        let to = self.version();
        match &mut self.fleet {
            None => self.roster.encode_delta(from, now),
            Some(fleet) => fleet.encode_delta(from, to, now),
        }
    }

    /// Starts or ends the tracking of changes for deltas.
    pub(super) fn track_changes(&mut self, is_on: bool, now: Now) {
        match &mut self.fleet {
            None => self.roster.track_changes(is_on, now),
            Some(fleet) => fleet.track_changes(is_on, &mut self.roster, now),
        }
    }

    /// Whether so many keys were removed since the last delta that a snapshot has to replace the next one.
    pub(super) fn is_beyond_deltas(&self) -> bool {
        match &self.fleet {
            None => self.roster.is_beyond_deltas(),
            Some(fleet) => fleet.is_beyond_deltas(),
        }
    }

    /// A lower bound of the list's size, in bytes.
    pub(super) fn min_list_bytes(&self) -> usize {
        match &self.fleet {
            None => self.roster.min_list_bytes(),
            Some(fleet) => fleet.list_bytes(),
        }
    }
}
