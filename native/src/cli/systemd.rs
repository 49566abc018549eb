//! The service manager, if there is one: the sockets that it passes, and notifications to it.

use std::net::TcpListener;

use super::Failure;
use super::options::ServeOptions;
#[cfg(unix)]
use super::printable;

/// Most sockets that the service manager may pass.
#[cfg(unix)]
const MAX_SOCKETS: usize = 64;

/// The sockets that the service manager opened (socket activation); empty if it opened none.
///
/// # Errors
/// [`Failure::Usage`] if an option names another address or `LISTEN_FDS` is wrong, [`Failure::Other`] if one of them is
/// no TCP socket that listens.
#[cfg(unix)]
pub(super) fn sockets(options: &ServeOptions) -> Result<Vec<TcpListener>, Failure> {
    check_environment(|name| std::env::var(name).ok())?;
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
                Ok(Some(listener)) => match is_listening(&listener) {
                    Ok(true) => return Ok(listener),
                    Ok(false) => "it is bound, but does not listen".to_owned(),
                    Err(error) => error.to_string(),
                },
                Ok(None) => "it was passed twice".to_owned(),
                Err(error) => error.to_string(),
            };
            Err(Failure::Other(format!(
                "socket {at} of the service manager is not a TCP socket that listens: {why}; see ListenStream= in the .socket unit"
            )))
        })
        .collect()
}

/// Whether the socket listens. Apple's systems cannot report this; the first accept fails there.
#[cfg(unix)]
fn is_listening(listener: &TcpListener) -> std::io::Result<bool> {
    #[cfg(target_vendor = "apple")]
    {
        let _ = listener;
        Ok(true)
    }
    #[cfg(not(target_vendor = "apple"))]
    Ok(rustix::net::sockopt::socket_acceptconn(listener)?)
}

/// Checks the variables of socket activation. Those for another process are ignored.
#[cfg(unix)]
fn check_environment(variable: impl Fn(&str) -> Option<String>) -> Result<(), Failure> {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    let Some(count) = set("LISTEN_FDS") else {
        return Ok(());
    };
    if let Some(pid) = set("LISTEN_PID") {
        match pid.parse::<u32>() {
            Ok(pid) if std::process::id() == pid => {}
            Ok(_) => return Ok(()),
            Err(_) => {
                return Err(Failure::Usage(format!(
                    "LISTEN_PID: `{}` is not the id of a process: unset it, or start the gateway by its .socket unit",
                    printable(&pid)
                )));
            }
        }
    }
    match count.parse() {
        Ok(1..=MAX_SOCKETS) => Ok(()),
        _ => Err(Failure::Usage(format!(
            "LISTEN_FDS: `{}` is not a number of sockets from 1 to {MAX_SOCKETS}: unset it, or start the gateway by its \
             .socket unit",
            printable(&count)
        ))),
    }
}

/// Other systems have no socket activation.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on systems with such sockets")]
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn wrong_variables_of_socket_activation_are_refused() {
        let check = |count: &str, pid: &str| {
            check_environment(|name| Some(if name == "LISTEN_FDS" { count } else { pid }.to_owned()))
                .map_err(|failure| failure.to_string())
        };
        let own = std::process::id().to_string();
        for (count, pid) in [("1", &*own), ("64", ""), ("", &own), ("x", "1")] {
            assert_eq!(check(count, pid), Ok(()), "{count} {pid}");
        }
        for count in ["0", "-1", "65", "1 ", "two", "99999999999999999999"] {
            let why = check(count, &own).unwrap_err();
            assert!(
                why.contains(&format!("LISTEN_FDS: `{count}` is not a number")),
                "{why}"
            );
        }
        let why = check("1", "x").unwrap_err();
        assert!(why.contains("LISTEN_PID: `x`"), "{why}");
    }
}
