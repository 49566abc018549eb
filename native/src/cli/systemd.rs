//! The service manager, if there is one: the sockets that it passes, and notifications to it.

use std::net::TcpListener;

use super::Failure;
use super::options::ServeOptions;

/// The sockets that the service manager opened (socket activation); empty if it opened none.
///
/// # Errors
/// [`Failure::Usage`] if an option names another address, [`Failure::Other`] if one of them is no TCP socket that listens.
#[cfg(unix)]
pub(super) fn sockets(options: &ServeOptions) -> Result<Vec<TcpListener>, Failure> {
    let mut files = listenfd::ListenFd::from_env();
    if files.len() == 0 {
        return Ok(Vec::new());
    }
    let named = [("bind", options.bind.is_some()), ("port", options.port.is_some())];
    if let Some((name, _)) = named.iter().find(|(_, is_named)| *is_named) {
        return Err(Failure::Usage(format!(
            "--{name} has no meaning with the socket that the service manager opened (LISTEN_FDS): remove it, or set the \
             address in the .socket unit"
        )));
    }
    (0..files.len())
        .map(|at| {
            let why = match files.take_tcp_listener(at) {
                Ok(Some(listener)) => return Ok(listener),
                Ok(None) => "it was passed twice".to_owned(),
                Err(error) => error.to_string(),
            };
            Err(Failure::Other(format!(
                "socket {at} of the service manager is not a TCP socket that listens: {why}; see ListenStream= in the .socket unit"
            )))
        })
        .collect()
}

/// Other systems have no socket activation.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as where there are such sockets")]
pub(super) fn sockets(_: &ServeOptions) -> Result<Vec<TcpListener>, Failure> {
    Ok(Vec::new())
}

/// Notifies the service manager that the gateway serves, and then feeds its watchdog. Must be called on the thread that
/// the gateway runs on: a gateway that hangs is then restarted.
#[cfg(target_os = "linux")]
pub(super) fn ready() {
    use sd_notify::NotifyState;

    notify(&[NotifyState::Ready]);
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return;
    };
    tracing::info!(
        limit_ms = limit.as_millis(),
        "the service manager's watchdog is on"
    );
    // Half of the limit, as systemd recommends.
    let mut beats = tokio::time::interval(limit.max(std::time::Duration::from_millis(2)) / 2);
    tokio::spawn(async move {
        loop {
            beats.tick().await;
            notify(&[NotifyState::Watchdog]);
        }
    });
}

/// Notifies the service manager that the gateway stops.
#[cfg(target_os = "linux")]
pub(super) fn stopping() {
    notify(&[sd_notify::NotifyState::Stopping]);
}

#[cfg(target_os = "linux")]
fn notify(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "cannot notify the service manager (NOTIFY_SOCKET)");
    }
}

/// Other systems have no such manager.
#[cfg(not(target_os = "linux"))]
pub(super) fn ready() {}

/// Other systems have no such manager.
#[cfg(not(target_os = "linux"))]
pub(super) fn stopping() {}
