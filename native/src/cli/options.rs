//! Flags, environment and file: the same names everywhere.
//!
//! A setting called `--max-entries` is `OPENCLAW_GATEWAY_MAX_ENTRIES` in the environment and
//! `max-entries` in the file. A flag wins over the environment, the environment over the file, the file over
//! the default. Some options form one setting, which the strongest source decides (`sources`).
#[cfg(feature = "cluster")]
mod cluster;
mod debug;
mod duration;
mod error;
mod file;
#[cfg(feature = "history")]
mod history;
mod observe;
mod paths;
mod resolve;
mod serve;
mod sources;
mod target;
mod tokens;
#[cfg(feature = "webhook")]
mod webhook;

use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use presence_core::client::BeaconPolicy;
use presence_core::findings::FindingKind;
use presence_core::model::setting::MAX_SPAN_MS;

use crate::config::DEFAULT_PORT;
use crate::tls::Fingerprint;

use duration::duration_text;
use error::invalid;
pub(super) use error::{OptionsError, refused};
pub(super) use observe::Observed;
pub(super) use resolve::{Recording, Resolved};
pub(super) use serve::ServeOptions;
pub(super) use target::Target;
pub(super) use tokens::TokensFile;

const AFTER_HELP: &str = "\
Without a command, `serve` runs, with the options of `presence-gateway serve --help`.

Examples:
  presence-gateway                                  serve on 127.0.0.1:18789, print a URL to click
  presence-gateway serve --bind lan --token SECRET  serve the local network
  presence-gateway list                             print the connected clients
  presence-gateway list --json | jq '.[].host'      print them as JSON
  presence-gateway watch                            show them live
  presence-gateway doctor                           say what is wrong in the list, and what to change
  presence-gateway explain studio                   say why the row of studio is listed as it is
  presence-gateway history --since 12h              print the sessions of the last 12 hours
  presence-gateway replay FILE --at 5m              show the rows of a recording 5 minutes after its start
  presence-gateway beacon                           report this machine to the gateway once
  presence-gateway beacon --every 60s               report it every 60 s

Exit codes:
  0 done   1 failed   2 wrong usage   3 cannot connect   4 refused   5 timeout
  `doctor`: 6 warnings   7 errors";

const DOCTOR_HELP: &str = "\
Exit codes: 0 no finding or infos only, 6 warnings, 7 errors, others as of all commands.

A gateway of this project also answers from what it remembers. Of any other gateway, and of a FILE, the
list alone is checked, and the report says which checks were skipped.";

const SERVE_HELP: &str = "\
Every option can also be set in the environment (--max-entries: OPENCLAW_GATEWAY_MAX_ENTRIES; lists
are separated by commas) and in a TOML file named by --config (max-entries = 500). Flags win over
the environment, and the environment wins over the file. --auth, --token and --password are one
setting: the strongest source that names one of them decides.

Secrets given as arguments can be seen by other users of this machine; prefer the environment.";

const INSTALL_HELP: &str = "\
Examples:
  presence-gateway install-service --dry-run             show the files and the commands
  presence-gateway install-service                       install it for this user
  presence-gateway install-service -- --max-entries 500  with options of `serve`

The secret is in a file of its own, which only its owner can read: a new random token, unless the file is there already.
Options with a secret, and URLs that may hold one, are refused: set them in that file, such as
OPENCLAW_GATEWAY_WEBHOOK=URL. A unit from another source is not replaced.";

/// A gateway for OpenClaw presence: which clients are connected, and when each was last seen
#[derive(Debug, Parser)]
#[command(name = "presence-gateway", version, after_help = AFTER_HELP)]
pub(super) struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the gateway until Ctrl-C or SIGTERM; without TLS and tokens, SIGHUP stops it too
    #[command(after_help = SERVE_HELP)]
    Serve(Box<ServeOptions>),
    /// Print the connected clients
    List(ListOptions),
    /// Show the connected clients live, until Ctrl-C
    Watch(WatchOptions),
    /// Report what is wrong in the list of connected clients, and what to change in which client
    #[command(after_help = DOCTOR_HELP)]
    Doctor(DoctorOptions),
    /// Explain why a row is listed as it is: its key, who wrote each member, its connections, and when it expires
    Explain(ExplainOptions),
    /// Print sessions (who was connected, and when) from a gateway that runs with `serve --history`, or from its file
    History(HistoryCommand),
    /// Show the rows of a recording of `serve --record` at a moment, the findings in them, and the changes before it
    Replay(ReplayOptions),
    /// Send a beacon, a report about this machine, once or at an interval (--every)
    Beacon(BeaconOptions),
    /// Install and start the gateway as a service of systemd: of this user, or with --system of this machine
    #[command(after_help = INSTALL_HELP)]
    InstallService(InstallOptions),
    /// Print the completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write manual pages, one for each command
    Man {
        /// The folder for them; it is created
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
    },
}

/// Options of every command that is a client.
#[derive(Args, Clone)]
pub(super) struct ClientOptions {
    /// URL of the gateway, ws:// or wss://; the http:// or https:// URL that `serve` prints works too
    #[arg(long, env = "OPENCLAW_GATEWAY_URL")]
    pub url: Option<String>,
    /// Port on this machine, when no URL is given
    #[arg(long, env = "OPENCLAW_GATEWAY_PORT", default_value_t = DEFAULT_PORT)]
    pub port: u16,
    /// Token of the gateway
    #[arg(long, env = "OPENCLAW_GATEWAY_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Password of the gateway
    #[arg(long, env = "OPENCLAW_GATEWAY_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
    /// Certificates, in PEM, of the authorities to trust for a wss:// URL [default: those of this system]. For a ws://
    /// URL, the environment variables of this option and of --tls-fingerprint are ignored
    #[arg(long, env = "OPENCLAW_GATEWAY_TLS_CA", value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
    /// SHA-256 of the gateway's certificate, which the gateway logs at its start; any other certificate is refused.
    /// Without --tls-ca, the issuer and the name are not checked
    #[arg(long, env = "OPENCLAW_GATEWAY_TLS_FINGERPRINT", value_name = "sha256:HEX")]
    pub tls_fingerprint: Option<Fingerprint>,
    /// Whether one of the TLS options is an argument, not a variable of the environment
    #[arg(skip)]
    pub has_tls_argument: bool,
    /// Time limit, in ms; `watch` and `beacon --every` retry after it
    #[arg(long, value_name = "MS", default_value_t = 10_000, value_parser = value_parser!(u64).range(1..=MAX_SPAN_MS))]
    pub timeout: u64,
}

/// Options of `list`.
#[derive(Args, Clone, Debug)]
pub(super) struct ListOptions {
    /// Where the gateway is.
    #[command(flatten)]
    pub client: ClientOptions,
    /// Print the list exactly as the gateway sent it, as JSON
    #[arg(long)]
    pub json: bool,
    /// Also print the clients that are gone, and when they were last seen (the latest first), of a gateway with
    /// `serve --history`
    #[arg(long, conflicts_with = "json")]
    pub seen: bool,
}

/// Options of `watch`.
#[derive(Args, Clone, Debug)]
pub(super) struct WatchOptions {
    /// Where the gateway is.
    #[command(flatten)]
    pub client: ClientOptions,
    /// Text instead of an interface with keys
    #[arg(long)]
    pub plain: bool,
}

/// Options of `doctor`.
#[derive(Args, Clone, Debug)]
pub(super) struct DoctorOptions {
    /// File with a presence list of any gateway, instead of a gateway: a list, a `presence` event, hello-ok, or a
    /// response with one of them; - is stdin
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Where the gateway is.
    #[command(flatten)]
    pub client: ClientOptions,
    /// Print a report as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `explain`.
#[derive(Args, Clone, Debug)]
pub(super) struct ExplainOptions {
    /// Key of the row, or its instanceId, deviceId, host or the start of one of them, if no other row has it
    #[arg(value_name = "ROW")]
    pub row: String,
    /// Where the gateway is.
    #[command(flatten)]
    pub client: ClientOptions,
    /// Print the explanation as JSON
    #[arg(long)]
    pub json: bool,
}

/// Most sessions that a command requests.
pub(super) const MAX_SESSIONS: u64 = 100_000;

/// Options of `history`.
#[derive(Args, Clone, Debug)]
pub(super) struct HistoryCommand {
    /// File of `serve --history`, also while the gateway writes it [default: ask the gateway]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Where the gateway is.
    #[command(flatten)]
    pub client: ClientOptions,
    /// Only this instance: its key, instanceId, deviceId or host
    #[arg(long, value_name = "ID")]
    pub instance: Option<String>,
    /// Only sessions within this time, such as 90m, 12h or 7d [default: all]
    #[arg(long, value_name = "TIME", value_parser = duration::long_duration_ms)]
    pub since: Option<u64>,
    /// Most sessions: the newest
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u64).range(1..=MAX_SESSIONS))]
    pub limit: u64,
    /// Print them as JSON, with the last known entry of each instance
    #[arg(long)]
    pub json: bool,
    /// Print them as CSV
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
}

/// Options of `replay`.
#[derive(Args, Clone, Debug)]
pub(super) struct ReplayOptions {
    /// The recording
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Moment, counted from the start of the recording, such as 90s or 5m (a number alone counts seconds) [default: its
    /// end]
    #[arg(long, value_name = "TIME", value_parser = duration::duration_ms)]
    pub at: Option<u64>,
    /// What if: lifetime of a row, as of `serve --ttl`: 90s, 5m, 300000ms; a number alone counts seconds [default: as
    /// recorded]
    #[arg(long, value_name = "TIME", value_parser = duration::duration_ms)]
    pub ttl: Option<u64>,
    /// What if: maximum number of rows, including the gateway's own [default: as recorded]
    #[arg(long, value_name = "ROWS")]
    pub max_entries: Option<usize>,
    /// Also print the changes from this moment on, with their causes; counted like --at
    #[arg(long, value_name = "TIME", value_parser = duration::duration_ms)]
    pub since: Option<u64>,
    /// Explain this row instead: its key, instanceId, deviceId, host or the start of one of them, as `explain` does
    #[arg(long, value_name = "ROW", conflicts_with = "since")]
    pub explain: Option<String>,
    /// Print a report, or with --explain the explanation, as JSON
    #[arg(long)]
    pub json: bool,
    /// Print, as a recording, the fewest inputs that still give this finding, such as ID_SPELLING, and the finding
    #[arg(long, value_name = "FINDING", conflicts_with_all = ["json", "since", "explain"], ignore_case = true, value_parser = PossibleValuesParser::new(FindingKind::all().map(FindingKind::code)))]
    pub shrink: Option<String>,
}

/// Options of `install-service`.
#[derive(Args, Clone)]
pub(super) struct InstallOptions {
    /// Install it for this machine, as root, with a user of its own that exists only while it runs
    #[arg(long)]
    pub system: bool,
    /// Print the steps without carrying them out
    #[arg(long)]
    pub dry_run: bool,
    /// Options of `serve`, after `--`
    #[arg(last = true, value_name = "SERVE OPTIONS")]
    pub serve: Vec<String>,
}

/// Bounds of `beacon --every`, in ms.
pub(super) const EVERY_MS: RangeInclusive<u64> = BeaconPolicy::MIN_GAP_MS..=24 * 3_600_000;

fn every_help() -> String {
    let (least, most) = (duration_text(*EVERY_MS.start()), duration_text(*EVERY_MS.end()));
    format!(
        "Interval of beacons, from {least} to {most}, such as 60s or 5m (a number alone counts seconds); stay connected \
         until Ctrl-C, and send one after every reconnect"
    )
}

/// Options of `beacon`.
#[derive(Args, Clone, Debug)]
pub(super) struct BeaconOptions {
    /// Where the gateway is.
    #[command(flatten)]
    pub client: ClientOptions,
    #[arg(long, value_name = "TIME", value_parser = duration::duration_ms, help = every_help())]
    pub every: Option<u64>,
    /// Identity of this instance [default: created once and kept in your configuration folder]
    #[arg(long, value_name = "ID", env = "OPENCLAW_PRESENCE_INSTANCE_ID")]
    pub instance_id: Option<String>,
    /// Host name to report [default: this machine's name]
    #[arg(long)]
    pub host: Option<String>,
    /// Mode of this instance
    #[arg(long, default_value = "cli")]
    pub mode: String,
    /// Reason of the beacon; --every sets it to launch, connect or periodic
    #[arg(long, default_value = "periodic", conflicts_with = "every")]
    pub reason: String,
    /// Report the time since the last keyboard or mouse input of this user, where the system knows it
    #[arg(long)]
    pub last_input: bool,
    /// Do not report the last input (the default), and hide the hint about it
    #[arg(long, conflicts_with = "last_input")]
    pub no_last_input: bool,
}

/// Authentication mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum AuthWord {
    /// Clients present a token
    Token,
    /// Clients present a password
    Password,
    /// No secret: every program on this machine may connect
    None,
}

/// Log format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// Text for people
    #[default]
    Text,
    /// One JSON object per line
    Json,
}

#[cfg(test)]
mod tests;
