//! Which row a key or an id leads to (SPEC 1.2).

use presence_core::PresenceEntry;

use super::Model;
use super::row::ModelRow;
use super::text::{self, Key, normalise};

impl Model {
    pub(super) fn row_by_id(&self, id: u64) -> Option<usize> {
        self.rows.iter().position(|row| row.id == id)
    }

    pub(super) fn row_by_key(&self, key: &Key) -> Option<usize> {
        self.rows.iter().position(|row| row.key == *key)
    }

    /// SPEC 1.2: the row of the instanceId; else the deviceId join, or the takeover.
    pub(super) fn row_by_ids(&self, instance: &Option<String>, device: &Option<String>) -> Option<usize> {
        let of_device = |at: usize| device.is_some() && id_of(&self.rows[at].fields.device_id) == *device;
        let proven_first = |is_wanted: &dyn Fn(usize) -> bool| {
            let is_owned = |at: usize| self.rows[at].owner.is_some();
            self.freshest_at(|at| is_wanted(at) && is_owned(at))
                .or_else(|| self.freshest_at(is_wanted))
        };
        let Some(instance) = instance else {
            return proven_first(&of_device);
        };
        self.row_by_key(&Key::Named(instance.clone())).or_else(|| {
            proven_first(&|at| of_device(at) && id_of(&self.rows[at].fields.instance_id).is_none())
        })
    }

    pub(super) fn freshest_at(&self, is_wanted: impl Fn(usize) -> bool) -> Option<usize> {
        (0..self.rows.len())
            .filter(|&at| is_wanted(at))
            .max_by_key(|&at| self.rows[at].freshness())
    }

    pub(super) fn make_row(&mut self, key: Key) -> usize {
        self.rows_made += 1;
        self.rows.push(ModelRow {
            id: self.rows_made,
            key,
            spared_until: None,
            fields: PresenceEntry::default(),
            written: 0,
            proof: 0,
            proof_number: 0,
            input_at: None,
            input_by: None,
            live: Vec::new(),
            stay_began: 0,
            was_connected: false,
            set_of_last_live: Default::default(),
            from_beacons: Default::default(),
            written_by: Default::default(),
            owner: None,
            holder: None,
        });
        self.rows.len() - 1
    }
}

pub(super) fn id_of(value: &Option<Box<str>>) -> Option<String> {
    value
        .as_deref()
        .filter(|id| !text::is_placeholder("id", id))
        .and_then(normalise)
}
