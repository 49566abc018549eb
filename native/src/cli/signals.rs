//! Signals that stop the program.

use tracing::info;

use super::Failure;

/// SIGTERM and Ctrl-C. Registered before anything starts, so that none is lost.
pub(super) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

/// Watches for a signal.
#[cfg(unix)]
fn register(kind: tokio::signal::unix::SignalKind) -> Result<tokio::signal::unix::Signal, Failure> {
    tokio::signal::unix::signal(kind)
        .map_err(|error| Failure::Other(format!("cannot watch for signals: {error}")))
}

/// SIGHUP, which ends the process unless this is called.
#[cfg(unix)]
pub(super) fn hangups() -> Result<tokio::signal::unix::Signal, Failure> {
    register(tokio::signal::unix::SignalKind::hangup())
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn new() -> Result<Self, Failure> {
        use tokio::signal::unix::SignalKind;

        Ok(Self {
            terminate: register(SignalKind::terminate())?,
            interrupt: register(SignalKind::interrupt())?,
        })
    }

    /// Waits for the first signal. A second one ends the process immediately.
    #[cfg(unix)]
    pub(super) async fn wait(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => info!("SIGTERM: stopping"),
            _ = self.interrupt.recv() => info!("SIGINT: stopping; press Ctrl-C again to stop at once"),
        }
        tokio::spawn(async move {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
            std::process::exit(130);
        });
    }

    #[cfg(not(unix))]
    pub(super) fn new() -> Result<Self, Failure> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    pub(super) async fn wait(self) {
        let _ = tokio::signal::ctrl_c().await;
        info!("stopping");
    }
}
