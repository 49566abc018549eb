//! A history of sessions, in an SQLite database. A separate thread writes; the driver never waits for it.

#[cfg(feature = "history")]
mod handle;
#[cfg(feature = "history")]
mod op;
pub(crate) mod page;
#[cfg(feature = "history")]
pub(crate) mod query;
#[cfg(feature = "history")]
mod reader;
#[cfg(feature = "history")]
mod store;
#[cfg(all(test, feature = "history"))]
mod tests;
#[cfg(feature = "history")]
mod tracker;
#[cfg(feature = "history")]
mod writer;

#[cfg(feature = "history")]
use std::path::PathBuf;

#[cfg(feature = "history")]
use presence_core::model::setting::{InvalidSetting, within};

#[cfg(feature = "history")]
use self::handle::Message;
#[cfg(feature = "history")]
pub(crate) use self::handle::WriterHandle;
#[cfg(feature = "history")]
pub(crate) use self::reader::{NO_READER, ReaderHandle, Reply, unavailable};
#[cfg(feature = "history")]
pub(crate) use self::writer::Degraded;

/// How long sessions are kept, in ms, unless configured: 30 days.
#[cfg(feature = "history")]
pub const DEFAULT_AGE_MS: u64 = 30 * 24 * 3_600_000;
/// Most bytes of a history, unless configured.
#[cfg(feature = "history")]
pub const DEFAULT_BYTES: u64 = 256 * 1024 * 1024;

/// Shortest time that sessions can be kept, in ms.
#[cfg(feature = "history")]
const MIN_AGE_MS: u64 = 60_000;
/// Fewest bytes of a history: an empty one takes some of them.
#[cfg(feature = "history")]
const MIN_HISTORY_BYTES: u64 = 1024 * 1024;

/// A history of sessions: who was connected, and when.
#[cfg(feature = "history")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryConfig {
    /// The SQLite database. Its folder also holds the two files of its write-ahead log.
    pub path: PathBuf,
    /// How long a session is kept after its end, in ms.
    pub max_age_ms: u64,
    /// Most bytes of the database, without its write-ahead log; the oldest sessions are deleted first.
    pub max_bytes: u64,
}

#[cfg(feature = "history")]
impl HistoryConfig {
    /// Checks the bounds: sessions are kept for at least a minute, in at least 1 MiB.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the one that is out of bounds.
    pub fn validate(&self) -> Result<(), InvalidSetting> {
        within("history.max_age_ms", self.max_age_ms, MIN_AGE_MS..=u64::MAX)?;
        within("history.max_bytes", self.max_bytes, MIN_HISTORY_BYTES..=u64::MAX)
    }
}
