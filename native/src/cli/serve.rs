//! `serve`: runs the gateway.

use std::net::{IpAddr, SocketAddr, TcpListener};

use tracing::level_filters::LevelFilter;
use tracing::{info, warn};

use super::observe::Observer;
use super::options::{Resolved, ServeOptions};
use super::output::print_banner;
use super::reload::Reloads;
use super::signals::Signals;
use super::version::stated_version;
use super::{
    Failure, block_on, file_limit, logging, observe, port_holder, recording, sandbox, signals, stderr,
    systemd,
};
use crate::auth::secret::{AuthMode, Secret};
use crate::clock::Clock;
use crate::config::GatewayConfig;
use crate::gateway::{Gateway, StartError};
use crate::identity;
use crate::net::listen::{ListenError, only_loopback};
use crate::recording::Keep;

pub(super) fn serve(options: &ServeOptions) -> Result<(), Failure> {
    sandbox::forbid_core_dumps();
    let mut resolved = options
        .resolve()
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let level = options.log_level.unwrap_or(LevelFilter::INFO);
    logging::start(level, options.log_format.unwrap_or_default());
    // First, because the runtime needs files, too.
    file_limit::limit_connections(&mut resolved.config, options.max_connections.is_some())?;
    let sockets = systemd::sockets(options)?;
    block_on(run(resolved, sockets))
}

/// Serves on `sockets`, or on the configured address if there are none.
async fn run(resolved: Resolved, sockets: Vec<TcpListener>) -> Result<(), Failure> {
    let mut config = resolved.config;
    let mut made_token = None;
    let is_local = if sockets.is_empty() {
        config.bind.is_loopback()
    } else {
        only_loopback(&sockets)
    };
    if resolved.needs_token && (is_local || resolved.tokens.is_some()) {
        let token = Secret::random().map_err(|error| Failure::Other(error.to_string()))?;
        config.auth = AuthMode::Token(token.clone());
        config.tokens = resolved.tokens.as_ref().map(|file| file.tokens.clone());
        // On other addresses it is not printed: clients have the named tokens only.
        made_token = Some(token).filter(|_| is_local);
    }
    let reloads = Reloads {
        tls: config.tls.clone(),
        tokens: resolved.tokens,
    };
    let mut signals = Signals::new(!reloads.is_empty())?;
    config.version = stated_version().into();
    let (auth, version) = (config.auth.as_str(), config.version.clone());
    let observers = observe::observers(resolved.observed)?;
    let in_memory = resolved
        .record
        .as_ref()
        .and_then(|recorded| match &recorded.keep {
            Keep::Last(_, requests) => Some(requests.clone()),
            _ => None,
        });
    signals::on_user_signal(in_memory)?;
    #[cfg(feature = "history")]
    let history = match &mut config.history {
        Some(history) => Some(super::history_file::create(history)?),
        None => None,
    };
    #[cfg(feature = "history")]
    let written = history.as_ref().map(|file| &*file.folder);
    #[cfg(not(feature = "history"))]
    let written: Option<&std::path::Path> = None;
    config.self_entry = Some(identity::self_entry(&config.version));
    let tls = config.tls.clone();
    let fleet = Fleet::of(&config);
    let hook = hook_address(&config);
    let metrics = config.metrics_bind;
    let gateway = if sockets.is_empty() {
        Gateway::bind(config)
    } else {
        Gateway::adopt(config, sockets)
    };
    let mut gateway = gateway.map_err(|error| explain(error, metrics))?;
    // A gateway that cannot start moves no recording. From the sandbox on no file can be opened.
    if let Some(recorded) = &resolved.record {
        gateway.record_to(recording::create(recorded)?);
    }
    let address = gateway
        .addresses()
        .first()
        .copied()
        .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
    let (shown, own) = (
        shown(address),
        reachable(gateway.addresses(), interface_addresses),
    );
    let sandbox = sandbox::enter(&sandbox::Needs {
        files: reloads.files(),
        written: written.into_iter().collect(),
        ports: observers
            .iter()
            .map(Observer::port)
            .chain(fleet.ports)
            .chain(hook.map(|(port, _)| port))
            .collect(),
        looks_up_names: fleet.has_names
            || hook.is_some_and(|(_, has_name)| has_name)
            || observers.iter().any(Observer::has_name),
        reads_authorities: fleet.is_there,
    });
    stderr::start_writing();
    info!(%version, addresses = ?gateway.addresses(), auth, %sandbox, "listening");
    if let Some(address) = gateway.metrics_address() {
        info!(%address, "metrics are answered without a secret");
    }
    if let Some(name) = resolved.unused_secret {
        warn!(
            auth,
            "--{name} is set, but this authentication mode does not use it"
        );
    }
    if auth == "none" {
        warn!("no secret: every program and every user of this machine may connect");
    }
    print_banner(banner(
        env!("CARGO_PKG_VERSION"),
        tls.is_some(),
        shown,
        &own,
        made_token.as_ref(),
    ));
    if tls.is_none() && !is_local {
        info!(
            "reachable from other machines; connections are not encrypted: set --tls-cert and --tls-key, or put a TLS \
             proxy in front"
        );
    }
    reloads.on_hangup(&mut signals, sandbox, gateway.reload_failures());
    let observers = observe::observe(observers, gateway.feeds(), gateway.boot_id());
    systemd::ready();
    let stopped = async {
        signals.wait().await;
        systemd::stopping();
    };
    gateway.run(Clock::system(), stopped).await;
    drop(observers);
    Ok(())
}

/// The port of the webhook, and whether its host is a name.
#[cfg(feature = "webhook")]
fn hook_address(config: &GatewayConfig) -> Option<(u16, bool)> {
    let hook = config.webhook.as_ref()?;
    Some((hook.address().1, hook.has_name()))
}

#[cfg(not(feature = "webhook"))]
fn hook_address(_: &GatewayConfig) -> Option<(u16, bool)> {
    None
}

/// The exceptions of the sandbox for the fleet.
#[derive(Debug, Default)]
struct Fleet {
    is_there: bool,
    ports: Vec<u16>,
    has_names: bool,
}

impl Fleet {
    #[cfg(feature = "cluster")]
    fn of(config: &GatewayConfig) -> Self {
        let Some(fleet) = &config.cluster else {
            return Self::default();
        };
        Self {
            is_there: true,
            ports: fleet.ports().collect(),
            has_names: fleet.has_names(),
        }
    }

    #[cfg(not(feature = "cluster"))]
    fn of(_: &GatewayConfig) -> Self {
        Self::default()
    }
}

/// The text that is printed at the start.
fn banner(
    version: &str,
    is_encrypted: bool,
    shown: SocketAddr,
    addresses: &[SocketAddr],
    token: Option<&Secret>,
) -> String {
    let s = if is_encrypted { "s" } else { "" };
    let fragment = token
        .map(|token| format!("#token={}", token.reveal()))
        .unwrap_or_default();
    let clients: Vec<String> = addresses
        .iter()
        .map(|address| format!("ws{s}://{address}"))
        .collect();
    let mut text = format!("openclaw-presence {version}\n  open     http{s}://{shown}/{fragment}\n");
    text.push_str(&format!("  clients  {}\n", clients.join("  ")));
    if let Some(token) = token {
        text.push_str(&format!(
            "  token    {}  (new at every start; set your own with --token)\n",
            token.reveal()
        ));
    }
    text.push_str("  stop     Ctrl-C\n");
    text
}

/// The addresses of this machine, loopback first.
fn interface_addresses() -> Vec<IpAddr> {
    let mut addresses: Vec<IpAddr> = if_addrs::get_if_addrs()
        .unwrap_or_default()
        .iter()
        .map(if_addrs::Interface::ip)
        .collect();
    addresses.sort_by_key(|ip| !ip.is_loopback());
    addresses
}

/// The addresses that clients can connect to; for 0.0.0.0 and :: those of this machine (`own` reads them from the
/// system). Link-local ones are left out: they need a zone that only the client has.
fn reachable(bound: &[SocketAddr], own: impl Fn() -> Vec<IpAddr>) -> Vec<SocketAddr> {
    let mut addresses = Vec::new();
    for address in bound {
        let before = addresses.len();
        if address.ip().is_unspecified() {
            let fits = |ip: &IpAddr| {
                ip.is_ipv4() == address.is_ipv4()
                    && !matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local())
            };
            let fitting = own().into_iter().filter(fits);
            addresses.extend(fitting.map(|ip| SocketAddr::new(ip, address.port())));
        }
        if addresses.len() == before {
            addresses.push(shown(*address));
        }
    }
    addresses
}

/// The address in a form that works in a browser: not 0.0.0.0.
fn shown(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => identity::lan_ipv4().map_or_else(|| IpAddr::from([127, 0, 0, 1]), IpAddr::V4),
        IpAddr::V6(_) => IpAddr::from(std::net::Ipv6Addr::LOCALHOST),
    };
    SocketAddr::new(ip, address.port())
}

fn explain(error: StartError, metrics: Option<SocketAddr>) -> Failure {
    match error {
        StartError::Listen(ListenError::InUse(address)) => {
            Failure::Other(port_holder::explain(address, metrics == Some(address)))
        }
        StartError::NoSecret => {
            Failure::Usage(format!("{error} (--token or --password), or use --bind loopback"))
        }
        StartError::Listen(ListenError::Io(address, error)) => {
            let hint = match error.kind() {
                std::io::ErrorKind::PermissionDenied => {
                    "; ports below 1024 need privileges: choose another one with --port"
                }
                std::io::ErrorKind::AddrNotAvailable => "; this machine has no such address: see --bind",
                _ => "",
            };
            Failure::Other(format!("cannot listen on {address}: {error}{hint}"))
        }
        error => Failure::Other(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banner_has_a_url_to_click() {
        let address = SocketAddr::from(([127, 0, 0, 1], 4711));
        let token = Secret::new("t0ken").unwrap();
        let text = banner("1.0", false, address, &[address], Some(&token));
        assert!(text.contains("  http://127.0.0.1:4711/#token=t0ken\n"), "{text}");
        assert!(text.contains("ws://127.0.0.1:4711"), "{text}");
        let text = banner("1.0", true, address, &[address], None);
        assert!(!text.contains("token"), "{text}");
        assert!(
            text.contains("https://127") && text.contains("wss://127"),
            "{text}"
        );
    }

    #[test]
    fn printed_addresses_are_those_that_clients_can_connect_to() {
        let own: Vec<IpAddr> = ["127.0.0.1", "192.0.2.7", "fe80::1", "2001:db8::7"]
            .iter()
            .map(|ip| ip.parse().unwrap())
            .collect();
        let bound: Vec<SocketAddr> = ["0.0.0.0:1", "[::]:1"]
            .iter()
            .map(|address| address.parse().unwrap())
            .collect();
        let told: Vec<String> = reachable(&bound, || own.clone())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(told, ["127.0.0.1:1", "192.0.2.7:1", "[2001:db8::7]:1"]);
        assert_eq!(reachable(&bound[..1], Vec::new), [shown(bound[0])]);
        let one: SocketAddr = "192.0.2.7:1".parse().unwrap();
        assert_eq!(reachable(&[one], || unreachable!()), [one]);
    }

    #[test]
    fn everywhere_is_shown_as_an_address_that_can_be_opened() {
        assert!(!shown("0.0.0.0:1".parse().unwrap()).ip().is_unspecified());
        assert_eq!(shown("[::]:1".parse().unwrap()), "[::1]:1".parse().unwrap());
    }
}
