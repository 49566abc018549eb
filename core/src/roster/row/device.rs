//! A row's `deviceId`.

use crate::model::key::PresenceKey;

/// A row's `deviceId` in the index, which separates proofs and claims of one id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    pub(crate) key: PresenceKey,
    /// Whether a connection proved it; then the device owns the row.
    pub(crate) is_proven: bool,
}

impl Device {
    pub(crate) fn proven(key: PresenceKey) -> Self {
        Self { key, is_proven: true }
    }

    pub(crate) fn claimed(key: PresenceKey) -> Self {
        Self {
            key,
            is_proven: false,
        }
    }
}
