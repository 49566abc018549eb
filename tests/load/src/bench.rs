//! The state that all measurements of a run share.

use std::time::Duration;

use crate::launcher::Launcher;
use crate::profiles::Profiles;
use crate::progress::Progress;
use crate::report::Report;
use crate::size::Size;
use crate::system::Cores;

/// Limit for an operation that should take no time.
pub(crate) const WAIT: Duration = Duration::from_secs(30);
/// Open files below which the largest measurements have fewer connections.
const WANTED_FILES: usize = 12_000;

/// The state of a run, for every scenario.
pub(crate) struct Bench {
    pub(crate) report: Report,
    pub(crate) launcher: Launcher,
    pub(crate) profiles: Profiles,
    pub(crate) size: Size,
    pub(crate) progress: Progress,
    /// Limit of open files.
    pub(crate) files: usize,
}

impl Bench {
    /// Notes what a reader of the figures has to know about the machine.
    pub(crate) fn describe(&mut self, is_pinned: bool) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        match self.launcher.cores {
            Some(Cores { gateway, generator }) => self.report.note(format!(
                "gateway pinned to core {gateway}, generator to core {generator}"
            )),
            None if is_pinned => self.report.note(format!(
                "{cores} cores; gateway and generator could not be pinned to one each"
            )),
            None => self
                .report
                .note(format!("{cores} cores; gateway and generator not pinned")),
        }
        if self.files < WANTED_FILES {
            self.report.note(format!(
                "only {} files may be open (`ulimit -n`): fewer connections than wanted",
                self.files
            ));
        }
    }

    /// Returns `clients`, or fewer if the limit of open files requires it.
    pub(crate) fn possible(&self, clients: usize, files_per_client: usize) -> usize {
        clients.min(self.files.saturating_sub(128) / files_per_client.max(1))
    }
}
