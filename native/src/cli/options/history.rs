//! The history that `serve` writes.

use std::path::PathBuf;

use clap::Args;

use super::duration::long_duration_ms;
use super::{OptionsError, invalid};
use crate::history::{DEFAULT_AGE_MS, DEFAULT_BYTES, HistoryConfig};

/// Help heading of these options.
const HISTORY: &str = "History";

/// Where the history is, and how much of it is kept.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = HISTORY)]
pub(crate) struct HistoryOptions {
    /// SQLite database for sessions (who was connected, and when), which `history` prints. It holds names and
    /// addresses, and only this user can read it
    #[arg(long, env = "OPENCLAW_GATEWAY_HISTORY", value_name = "FILE")]
    pub history: Option<PathBuf>,
    /// Time after which a session that ended is deleted, such as 12h or 7d [default: 30d]
    #[arg(long, env = "OPENCLAW_GATEWAY_HISTORY_AGE", value_name = "TIME", value_parser = long_duration_ms)]
    pub history_age: Option<u64>,
    /// Most bytes of the database; the oldest sessions are deleted first [default: 268435456]
    #[arg(long, env = "OPENCLAW_GATEWAY_HISTORY_BYTES", value_name = "BYTES")]
    pub history_bytes: Option<u64>,
}

impl HistoryOptions {
    /// Checks the options.
    ///
    /// # Errors
    /// [`OptionsError::Value`] names the option that is wrong.
    pub(super) fn resolve(&self) -> Result<Option<HistoryConfig>, OptionsError> {
        let Some(path) = &self.history else {
            let unused = [
                ("history-age", self.history_age),
                ("history-bytes", self.history_bytes),
            ];
            return match unused.iter().find(|(_, value)| value.is_some()) {
                Some((option, _)) => Err(invalid(option, &"there is no file: add --history FILE")),
                None => Ok(None),
            };
        };
        Ok(Some(HistoryConfig {
            path: path.clone(),
            max_age_ms: self.history_age.unwrap_or(DEFAULT_AGE_MS),
            max_bytes: self.history_bytes.unwrap_or(DEFAULT_BYTES),
        }))
    }
}
