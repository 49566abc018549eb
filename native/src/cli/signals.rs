//! Signals that stop the program, and SIGHUP.

use tracing::info;

use super::Failure;
use crate::recording::Requests;

/// SIGTERM, Ctrl-C and SIGHUP. Registered before anything starts, so that none is lost.
#[cfg(unix)]
pub(super) struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hangup: Option<tokio::signal::unix::Signal>,
}

/// Ctrl-C.
#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(unix)]
impl Signals {
    /// With `reloads`, SIGHUP does not stop the program: [`hangups`](Self::hangups) reports it.
    pub(super) fn new(reloads: bool) -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};

        let register =
            |kind| signal(kind).map_err(|error| Failure::Other(format!("cannot watch for signals: {error}")));
        // A program under `nohup` survives its terminal.
        let hangup = (reloads || !ignores_hangups()).then(|| register(SignalKind::hangup()));
        Ok(Self {
            terminate: register(SignalKind::terminate())?,
            interrupt: register(SignalKind::interrupt())?,
            hangup: hangup.transpose()?,
        })
    }

    /// SIGHUP, which then no longer ends [`wait`](Self::wait).
    pub(super) fn hangups(&mut self) -> Option<tokio::signal::unix::Signal> {
        self.hangup.take()
    }

    /// Waits for the first signal. A second SIGTERM or Ctrl-C ends the process immediately; a second SIGHUP does not,
    /// because a terminal that is closed sends two.
    pub(super) async fn wait(mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => info!("SIGTERM: stopping"),
            _ = self.interrupt.recv() => info!("SIGINT: stopping; press Ctrl-C again to stop at once"),
            _ = hangup => info!("SIGHUP: stopping"),
        }
        tokio::spawn(async move {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
            std::process::exit(130);
        });
    }
}

/// Writes the recorded inputs in memory at each SIGUSR1. Without a recording in memory a line says so: by default the
/// signal would end the process.
#[cfg(unix)]
pub(super) fn on_user_signal(requests: Option<Requests>) -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut signals = signal(SignalKind::user_defined1())
        .map_err(|error| Failure::Other(format!("cannot watch for signals: {error}")))?;
    tokio::spawn(async move {
        while signals.recv().await.is_some() {
            match &requests {
                Some(requests) => requests.request(),
                None => info!("SIGUSR1: nothing is recorded in memory; start with --record-last"),
            }
        }
    });
    Ok(())
}

/// This system has no such signal; the option is refused before.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on systems with signals")]
pub(super) fn on_user_signal(_: Option<Requests>) -> Result<(), Failure> {
    Ok(())
}

/// Whether this process was started with SIGHUP ignored.
#[cfg(target_os = "linux")]
fn ignores_hangups() -> bool {
    /// The first signal is the lowest bit.
    const HANGUP: u64 = 1 << (rustix::process::Signal::HUP.as_raw() - 1);

    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored
        .and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok())
        .is_some_and(|signals| signals & HANGUP != 0)
}

/// Other systems do not expose ignored signals to safe code, but `nohup` redirects stderr when that is a terminal.
#[cfg(all(unix, not(target_os = "linux")))]
fn ignores_hangups() -> bool {
    use std::io::IsTerminal;

    !std::io::stderr().is_terminal()
}

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "as on systems with signals")]
    pub(super) fn new(_: bool) -> Result<Self, Failure> {
        Ok(Self)
    }

    pub(super) async fn wait(self) {
        let _ = tokio::signal::ctrl_c().await;
        info!("stopping");
    }
}
