//! A row's `deviceId`.

use crate::model::key::PresenceKey;

/// A row's `deviceId`, as it is indexed: proofs and claims of one id are apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::roster) struct Device {
    pub(in crate::roster) key: PresenceKey,
    /// Whether a connection proved it. Then it owns the row.
    pub(in crate::roster) is_proven: bool,
}

impl Device {
    pub(in crate::roster) fn proven(key: PresenceKey) -> Self {
        Self { key, is_proven: true }
    }

    pub(in crate::roster) fn claimed(key: PresenceKey) -> Self {
        Self {
            key,
            is_proven: false,
        }
    }
}
