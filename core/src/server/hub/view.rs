//! What readers are sent: the rows of this gateway, and of those that it observes (SPEC 7).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::Hub;
use crate::fleet::{Fleet, NameError, SourceId, SourceInfo, SourceUpdate, validate_names};
use crate::model::SharedText;
use crate::model::time::Now;

impl Hub {
    /// Lists the rows of these gateways too, from now on; [`apply`](Self::apply) says which rows they have. Their
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

    /// An observed gateway said something, or is gone, or is back.
    pub fn apply(&mut self, source: SourceId, update: SourceUpdate, now: Now) {
        self.advance(now);
        if let Some(fleet) = &mut self.fleet {
            fleet.apply(source, update, now);
        }
        self.announce(now);
    }

    /// What is known of each observed gateway and each peer.
    pub fn sources(&self) -> impl Iterator<Item = SourceInfo<'_>> {
        self.fleet.iter().flat_map(|fleet| fleet.sources())
    }

    /// The presence version: counts the changes that readers are sent.
    #[must_use]
    pub fn version(&self) -> u64 {
        let of_sources = self.fleet.as_ref().map_or(0, |fleet| fleet.version());
        self.roster.version().saturating_add(of_sources)
    }

    /// Brings the merged rows up to date: [`version`](Self::version) then counts all of it.
    pub(super) fn sync(&mut self, now: Now) {
        if let Some(fleet) = &mut self.fleet {
            fleet.sync(&mut self.roster, now);
        }
    }

    /// The list as standard clients get it.
    pub(super) fn encode_list(&mut self, now: Now) -> SharedText {
        self.sync(now);
        match &mut self.fleet {
            None => self.roster.encode_list(now),
            Some(fleet) => fleet.encode_list(now),
        }
    }

    /// The list with keys, version and digest, as those who take deltas get it.
    pub(super) fn encode_snapshot(&mut self, now: Now) -> SharedText {
        self.sync(now);
        let version = self.version();
        match &mut self.fleet {
            None => self.roster.encode_snapshot(now),
            Some(fleet) => fleet.encode_snapshot(version, now),
        }
    }

    /// The payload of `presence.delta`: everything since the last one.
    pub(super) fn encode_delta(&mut self, from: u64, now: Now) -> String {
        let to = self.version();
        match &mut self.fleet {
            None => self.roster.encode_delta(from, now),
            Some(fleet) => fleet.encode_delta(from, to, now),
        }
    }

    /// Starts or ends keeping what deltas say.
    pub(super) fn track_changes(&mut self, is_on: bool, now: Now) {
        match &mut self.fleet {
            None => self.roster.track_changes(is_on, now),
            Some(fleet) => fleet.track_changes(is_on, &mut self.roster, now),
        }
    }

    /// Whether more changed since the last delta than one says.
    pub(super) fn is_beyond_deltas(&self) -> bool {
        self.fleet.is_none() && self.roster.is_beyond_deltas()
    }

    /// What a list takes at least, in bytes.
    pub(super) fn min_list_bytes(&self) -> usize {
        match &self.fleet {
            None => self.roster.min_list_bytes(),
            Some(fleet) => fleet.list_bytes(),
        }
    }
}
