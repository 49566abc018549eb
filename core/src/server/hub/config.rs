//! The hub's configuration.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::model::entry::PresenceEntry;
use crate::model::setting::InvalidSetting;
use crate::roster::RosterConfig;
use crate::wire::Limits;

/// The gateway's configuration of the hub.
#[derive(Clone, Debug)]
pub struct HubConfig {
    /// Bounds and intervals.
    pub limits: Limits,
    /// How long a row lives after its last proof of life, in ms.
    pub ttl_ms: u64,
    /// Most rows, self included; less than 2 counts as 2.
    pub max_entries: usize,
    /// Modes (trimmed, lower-case) whose connections make no row.
    pub ephemeral_modes: Vec<Box<str>>,
    /// Unguessable seed of the roster's hash table, whose order reaches no output, and of pseudonyms where addresses
    /// are hidden.
    pub hash_seed: u64,
    /// The version the gateway states in hello.
    pub server_version: Box<str>,
    /// Unique per process.
    pub boot_id: Box<str>,
    /// The self row: fields as reference 1.6 (SEP column); `ts` is ignored.
    pub self_entry: PresenceEntry,
    /// "token", "password" or "none": shown to admins in hello.
    pub auth_mode: &'static str,
}

impl HubConfig {
    /// Checks every number, those of [`Limits::validate`] included.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the first that is out of bounds.
    pub fn validate(&self) -> Result<(), InvalidSetting> {
        self.roster().validate()?;
        self.limits.validate()
    }

    pub(super) fn roster(&self) -> RosterConfig {
        RosterConfig {
            ttl_ms: self.ttl_ms,
            max_entries: self.max_entries,
            hash_seed: self.hash_seed,
        }
    }
}
