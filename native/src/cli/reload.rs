//! SIGHUP: reads the certificate and the named tokens again.

use std::path::Path;

use prometheus_client::metrics::counter::Counter;
use tracing::info;

use super::options::TokensFile;
use super::sandbox::Sandbox;
use super::signals::Signals;
use crate::tls::Tls;

/// The files that SIGHUP reads again.
#[derive(Clone, Debug)]
pub(super) struct Reloads {
    /// The certificate and its key.
    pub(super) tls: Option<Tls>,
    /// The named tokens.
    pub(super) tokens: Option<TokensFile>,
}

impl Reloads {
    /// Whether there are no such files; SIGHUP then stops the program.
    pub(super) fn is_empty(&self) -> bool {
        self.tls.is_none() && self.tokens.is_none()
    }

    /// The files.
    pub(super) fn files(&self) -> Vec<&Path> {
        let mut files = self.tls.as_ref().map_or_else(Vec::new, Tls::files);
        files.extend(self.tokens.as_ref().map(TokensFile::path));
        files
    }

    /// Reads the files at each SIGHUP. `failures` counts the files that cannot be used.
    #[cfg(unix)]
    pub(super) fn on_hangup(self, signals: &mut Signals, sandbox: Sandbox, failures: Counter) {
        if let Some(tls) = &self.tls {
            info!(fingerprint = %tls.fingerprint(), "connections are encrypted; SIGHUP reads the certificate again");
        }
        if self.is_empty() {
            return;
        }
        let Some(mut hangups) = signals.hangups() else {
            return;
        };
        tokio::spawn(async move {
            while hangups.recv().await.is_some() {
                self.reload(sandbox, &failures);
            }
        });
    }

    #[cfg(not(unix))]
    #[expect(clippy::needless_pass_by_value, reason = "as where there are signals")]
    pub(super) fn on_hangup(self, _: &mut Signals, _: Sandbox, _: Counter) {
        if let Some(tls) = &self.tls {
            info!(fingerprint = %tls.fingerprint(), "connections are encrypted");
        }
    }

    /// Reads the files. The earlier contents of those that cannot be used stay in use.
    #[cfg(unix)]
    fn reload(&self, sandbox: Sandbox, failures: &Counter) {
        const UNKNOWN: &str = " (Landlock allows the files and folders of the start only: if this one is new, restart the gateway)";

        use tracing::warn;

        let is_sandboxed = sandbox != Sandbox::Absent;
        let hint = |is_denied: bool| if is_sandboxed && is_denied { UNKNOWN } else { "" };
        // The number of failures, with a new one.
        let count = || failures.inc() + 1;
        match self.tls.as_ref().map(|tls| tls.reload()) {
            None => {}
            Some(Ok(fingerprint)) => info!(%fingerprint, "SIGHUP: the certificate is read"),
            Some(Err(error)) => {
                let option = error.option();
                let hint = hint(error.is_denied());
                warn!(
                    failures = count(),
                    "SIGHUP: --{option}: {error}{hint}; the old certificate stays"
                );
            }
        }
        match self.tokens.as_ref().map(|file| (file, file.reload())) {
            None => {}
            Some((_, Ok(closed))) => info!(closed, "SIGHUP: the named tokens are read"),
            Some((file, Err(why))) => {
                let (option, path, hint) = (file.option(), file.path().display(), hint(why.is_denied()));
                warn!(
                    failures = count(),
                    "SIGHUP: --{option}: {path}: {why}{hint}; the old tokens stay"
                );
            }
        }
    }
}
