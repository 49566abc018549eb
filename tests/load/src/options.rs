//! The command line.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use presence_gateway::Fingerprint;

use crate::bare::BareOptions;
use crate::scenario;
use crate::size::Scale;

const AFTER_HELP: &str = "\
The gateway that is measured is the one at --url, else the one that COMMAND starts, else the program
at --gateway, which is started once per measurement.

Examples:
  presence-load --scale quick                   measure the gateway beside this program
  presence-load --gateway OLD --json old.json   measure another build and save its figures
  presence-load --url ws://127.0.0.1:18789 --token SECRET --only fanout
  presence-load --scale peer -- openclaw gateway run --port {port} --token {token}

Exit codes:
  0 done   1 failed   2 wrong usage";

/// Measures a gateway: start, memory, connects, fan-out, beacons, requests, scrapes, slow readers, attacks.
#[derive(Debug, Parser)]
#[command(name = "presence-load", version, after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// The commands besides measuring.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the bare server that gateways are compared with
    #[command(hide = true)]
    Bare(BareOptions),
}

/// Options of a measurement.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Program of the gateway [default: presence-gateway in the folder of this program]
    #[arg(long, value_name = "PATH", env = "PRESENCE_GATEWAY_BIN")]
    pub(crate) gateway: Option<PathBuf>,
    /// URL of a running gateway; the http:// URL that `serve` prints works too
    #[arg(long, value_parser = gateway_url)]
    pub(crate) url: Option<GatewayUrl>,
    /// Token of the gateway [default: of the URL, else random]
    #[arg(long, env = "OPENCLAW_GATEWAY_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Certificates in PEM to trust, for a wss:// URL; the gateway's is valid for its address
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(crate) tls_ca: Option<PathBuf>,
    /// SHA-256 of the gateway's certificate, for a wss:// URL; without --tls-ca the only check
    #[arg(long, value_name = "SHA256", requires = "url")]
    pub(crate) tls_fingerprint: Option<Fingerprint>,
    /// Process id of the running gateway, for memory and processor time
    #[arg(long, requires = "url")]
    pub(crate) pid: Option<u32>,
    /// Only this measurement (may be repeated; see --list)
    #[arg(long, value_name = "NAME", value_parser = scenario_name)]
    pub(crate) only: Vec<String>,
    /// List the measurements and exit
    #[arg(long)]
    pub(crate) list: bool,
    /// Extent of the measurements
    #[arg(long, value_enum, default_value_t)]
    pub(crate) scale: Scale,
    /// Write all figures to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Name of the gateway in the report
    #[arg(long, default_value = "presence-gateway")]
    pub(crate) label: String,
    /// `client.id/client.mode` of clients without a row
    #[arg(long, value_name = "ID/MODE", default_value = "cli/cli", value_parser = id_and_mode)]
    pub(crate) observer: (String, String),
    /// `client.id/client.mode` of clients with a row
    #[arg(long, value_name = "ID/MODE", default_value = "test/test", value_parser = id_and_mode)]
    pub(crate) tracked: (String, String),
    /// Connect clients with a row without a device key: measures storms without signature verification
    #[arg(long)]
    pub(crate) unsigned: bool,
    /// Let the system schedule gateway and generator, instead of one core for each
    #[arg(long)]
    pub(crate) no_pin: bool,
    /// Command line that starts the gateway; {port} and {token} are replaced
    #[arg(last = true, value_name = "COMMAND", conflicts_with = "url")]
    pub(crate) command: Vec<String>,
}

/// Address and token of a running gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GatewayUrl {
    pub(crate) address: SocketAddr,
    /// Whether the connection uses TLS.
    pub(crate) is_encrypted: bool,
    /// Token in the fragment, as in the URL that `serve` prints.
    pub(crate) token: Option<String>,
}

fn gateway_url(text: &str) -> Result<GatewayUrl, String> {
    let schemes = [
        ("ws://", false),
        ("http://", false),
        ("wss://", true),
        ("https://", true),
    ];
    let (rest, is_encrypted) = schemes
        .iter()
        .find_map(|(scheme, is_encrypted)| Some((text.strip_prefix(scheme)?, *is_encrypted)))
        .ok_or("use ws://host:port or wss://host:port")?;
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let address = authority
        .to_socket_addrs()
        .map_err(|error| error.to_string())?
        .next()
        .ok_or("the host has no address")?;
    Ok(GatewayUrl {
        address,
        is_encrypted,
        token: fragment.strip_prefix("token=").map(str::to_owned),
    })
}

fn scenario_name(name: &str) -> Result<String, String> {
    if scenario::ALL.iter().any(|scenario| scenario.name == name) {
        Ok(name.to_owned())
    } else {
        Err("no such measurement: see --list".to_owned())
    }
}

fn id_and_mode(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((id, mode)) if !id.is_empty() && !mode.is_empty() => Ok((id.to_owned(), mode.to_owned())),
        _ => Err("use client.id/client.mode, as cli/cli".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let words = format!("presence-load {line}");
        match Cli::try_parse_from(words.split_whitespace()) {
            Ok(cli) => Ok(cli.options),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn the_command_line_of_another_gateway_is_kept_verbatim() {
        let options =
            parse("--only start --only storm --scale peer -- node x.mjs --port {port} --only y").unwrap();
        assert_eq!(options.only, ["start", "storm"]);
        assert_eq!(options.scale, Scale::Peer);
        assert_eq!(
            options.command,
            ["node", "x.mjs", "--port", "{port}", "--only", "y"]
        );
    }

    #[test]
    fn a_running_gateway_is_named_by_its_url() {
        let url = parse("--url ws://127.0.0.1:4711/path?x=1").unwrap().url.unwrap();
        assert_eq!(url.address, "127.0.0.1:4711".parse().unwrap());
        assert_eq!(url.token, None);
        assert!(!url.is_encrypted);
        let url = parse("--url wss://127.0.0.1:4711 --tls-ca ca.pem").unwrap().url;
        assert!(url.unwrap().is_encrypted);
        let pin = format!("sha256:{}", "ab".repeat(32));
        let options = parse(&format!("--url wss://127.0.0.1:4711 --tls-fingerprint {pin}")).unwrap();
        assert_eq!(options.tls_fingerprint.unwrap().to_string(), pin);
        let url = parse("--url http://[::1]:4711/#token=abc").unwrap().url.unwrap();
        assert_eq!(url.address, "[::1]:4711".parse().unwrap());
        assert_eq!(url.token.as_deref(), Some("abc"));
    }

    #[test]
    fn clients_are_named_by_id_and_mode() {
        let options = parse("--observer gateway-client/backend").unwrap();
        assert_eq!(
            options.observer,
            ("gateway-client".to_owned(), "backend".to_owned())
        );
    }

    #[test]
    fn wrong_options_are_refused() {
        for wrong in [
            "--observer cli",
            "--tracked /x",
            "--only nonsense",
            "--pid 3",
            "--url 127.0.0.1:4711",
            "--tls-ca ca.pem",
            "--url wss://127.0.0.1:1 --tls-fingerprint sha256:00",
            "--url ws://127.0.0.1",
            "--url ws://127.0.0.1:1 -- node",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
