//! Flags, environment and file: the same names everywhere.
//!
//! A setting called `--max-entries` is `OPENCLAW_GATEWAY_MAX_ENTRIES` in the environment and
//! `max-entries` in the file. A flag wins over the environment, that over the file, that over the
//! default.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;
use serde::Deserialize;

use crate::auth::{AuthMode, InvalidSecret, Secret};
use crate::config::{Bind, DEFAULT_PORT, GatewayConfig};
use crate::origin::AllowedOrigins;
use crate::web::WebRoot;

const AFTER_HELP: &str = "\
Without a command, `serve` is meant.

Examples:
  presence-gateway                                  serve on 127.0.0.1:18789, print a URL to click
  presence-gateway serve --bind lan --token SECRET  serve the local network
  presence-gateway list                             who is connected
  presence-gateway list --json | jq '.[].host'      the same, for programs
  presence-gateway beacon                           tell the gateway that this machine is alive

Exit codes:
  0 done   1 failed   2 wrong usage   3 cannot connect   4 refused   5 timeout";

const SERVE_HELP: &str = "\
Every option can also be set in the environment (--max-entries: OPENCLAW_GATEWAY_MAX_ENTRIES; lists
are separated by commas) and in a TOML file named by --config (max-entries = 500). An option given
here wins over the environment, the environment over the file.

Secrets given as arguments can be seen by other users of this machine; prefer the environment.";

/// The presence gateway: who is connected to OpenClaw, and since when.
#[derive(Debug, Parser)]
#[command(name = "presence-gateway", version, after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do; `serve` when absent.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of `serve`, for when the word is left out.
    #[command(flatten)]
    pub serve: ServeOptions,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the gateway until it is told to stop (Ctrl-C, SIGTERM)
    #[command(after_help = SERVE_HELP)]
    Serve(Box<ServeOptions>),
    /// Print who is connected
    List(ListOptions),
    /// Tell a gateway that this machine is alive, once
    Beacon(BeaconOptions),
}

/// Options of `serve`; also the shape of the file.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ServeOptions {
    /// Read settings from this TOML file
    #[arg(long, value_name = "FILE", env = "OPENCLAW_GATEWAY_CONFIG")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Where to listen: `loopback` (this machine only), `lan` (everywhere) or an IP address
    /// [default: loopback]
    #[arg(long, value_name = "WHERE", env = "OPENCLAW_GATEWAY_BIND")]
    pub bind: Option<Bind>,
    /// On which port; 0 takes a free one and prints it [default: 18789]
    #[arg(long, env = "OPENCLAW_GATEWAY_PORT")]
    pub port: Option<u16>,
    /// What clients must know [default: password if one is set, else token]
    #[arg(long, value_name = "MODE", env = "OPENCLAW_GATEWAY_AUTH")]
    pub auth: Option<AuthWord>,
    /// The token. Without any secret a random one is made and printed, on this machine only
    #[arg(long, env = "OPENCLAW_GATEWAY_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// The password
    #[arg(long, env = "OPENCLAW_GATEWAY_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
    /// How long a row lives without a sign of life: 300s, 5m, 300000ms [default: 5m]
    #[arg(long, value_name = "TIME", env = "OPENCLAW_GATEWAY_TTL")]
    pub ttl: Option<Span>,
    /// Most rows, the gateway's own included [default: 200]
    #[arg(long, value_name = "ROWS", env = "OPENCLAW_GATEWAY_MAX_ENTRIES")]
    pub max_entries: Option<usize>,
    /// Changes within this time are told together; 0 tells each at once [default: 50]
    #[arg(long, value_name = "MS", env = "OPENCLAW_GATEWAY_WINDOW_MS")]
    pub window_ms: Option<u64>,
    /// Clients of this mode make no row (may be repeated; replaces the default, so name `cli` too)
    /// [default: cli]
    #[arg(
        long,
        value_name = "MODE",
        env = "OPENCLAW_GATEWAY_EPHEMERAL_MODE",
        value_delimiter = ','
    )]
    pub ephemeral_mode: Option<Vec<String>>,
    /// A web page that may connect: `https://dash.example.org`, or `*` for all (may be repeated)
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "OPENCLAW_GATEWAY_ALLOWED_ORIGIN",
        value_delimiter = ','
    )]
    pub allowed_origin: Option<Vec<String>>,
    /// A reverse proxy whose X-Forwarded-For is believed: address or network (may be repeated)
    #[arg(
        long,
        value_name = "CIDR",
        env = "OPENCLAW_GATEWAY_TRUSTED_PROXY",
        value_delimiter = ','
    )]
    pub trusted_proxy: Option<Vec<String>>,
    /// Serve the files of this folder as the gateway's page; read at the start
    #[arg(long, value_name = "DIR", env = "OPENCLAW_GATEWAY_WEB_ROOT")]
    pub web_root: Option<PathBuf>,
    /// How much to log: error, warn, info, debug, trace or off [default: info]
    #[arg(long, value_name = "LEVEL", env = "OPENCLAW_GATEWAY_LOG_LEVEL")]
    pub log_level: Option<LogLevel>,
    /// How to log [default: text]
    #[arg(long, value_name = "FORMAT", env = "OPENCLAW_GATEWAY_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,

    /// Most connections [default: what `ulimit -n` allows]
    #[arg(long, value_name = "N", env = "OPENCLAW_GATEWAY_MAX_CONNECTIONS", help_heading = LIMITS)]
    pub max_connections: Option<usize>,
    /// Most connections that have not authenticated yet [default: 2048]
    #[arg(long, value_name = "N", env = "OPENCLAW_GATEWAY_MAX_UNAUTHENTICATED", help_heading = LIMITS)]
    pub max_unauthenticated: Option<usize>,
    /// The same per client address, other machines only [default: 32]
    #[arg(long, value_name = "N", env = "OPENCLAW_GATEWAY_MAX_UNAUTHENTICATED_PER_ADDRESS", help_heading = LIMITS)]
    pub max_unauthenticated_per_address: Option<usize>,
    /// Largest frame before authentication [default: 65536]
    #[arg(long, value_name = "BYTES", env = "OPENCLAW_GATEWAY_PREAUTH_FRAME_BYTES", help_heading = LIMITS)]
    pub preauth_frame_bytes: Option<usize>,
    /// Largest frame after it [default: 1048576]
    #[arg(long, value_name = "BYTES", env = "OPENCLAW_GATEWAY_PAYLOAD_BYTES", help_heading = LIMITS)]
    pub payload_bytes: Option<usize>,
    /// Most bytes of responses a client may leave unread [default: 1048576]
    #[arg(long, value_name = "BYTES", env = "OPENCLAW_GATEWAY_BUFFERED_BYTES", help_heading = LIMITS)]
    pub buffered_bytes: Option<usize>,
    /// Time to authenticate [default: 15000]
    #[arg(long, value_name = "MS", env = "OPENCLAW_GATEWAY_HANDSHAKE_MS", help_heading = LIMITS)]
    pub handshake_ms: Option<u64>,
    /// Interval of `tick` events [default: 30000]
    #[arg(long, value_name = "MS", env = "OPENCLAW_GATEWAY_TICK_INTERVAL_MS", help_heading = LIMITS)]
    pub tick_interval_ms: Option<u64>,
    /// Longest interval of pings; a quarter of the TTL if that is less [default: 25000]
    #[arg(long, value_name = "MS", env = "OPENCLAW_GATEWAY_PING_INTERVAL_MS", help_heading = LIMITS)]
    pub ping_interval_ms: Option<u64>,
    /// How long a client may accept nothing of what it is sent [default: 20000]
    #[arg(long, value_name = "MS", env = "OPENCLAW_GATEWAY_STALL_MS", help_heading = LIMITS)]
    pub stall_ms: Option<u64>,
    /// How long connections may take to end when the gateway stops [default: 5000]
    #[arg(long, value_name = "MS", env = "OPENCLAW_GATEWAY_DRAIN_MS", help_heading = LIMITS)]
    pub drain_ms: Option<u64>,
    /// Wrong secrets within --auth-window-ms that lock an address out [default: 10]
    #[arg(long, value_name = "N", env = "OPENCLAW_GATEWAY_AUTH_FAILURES", help_heading = LIMITS)]
    pub auth_failures: Option<u32>,
    /// See --auth-failures [default: 60000]
    #[arg(long, value_name = "MS", env = "OPENCLAW_GATEWAY_AUTH_WINDOW_MS", help_heading = LIMITS)]
    pub auth_window_ms: Option<u64>,
    /// How long an address stays locked out [default: 300000]
    #[arg(long, value_name = "MS", env = "OPENCLAW_GATEWAY_AUTH_LOCKOUT_MS", help_heading = LIMITS)]
    pub auth_lockout_ms: Option<u64>,
    /// First delay after a wrong secret from this machine; doubles up to 5 s, 0 disables it
    /// [default: 250]
    #[arg(long, value_name = "MS", env = "OPENCLAW_GATEWAY_AUTH_DELAY_MS", help_heading = LIMITS)]
    pub auth_delay_ms: Option<u64>,
}

const LIMITS: &str = "Limits";

/// Options of every command that is a client.
#[derive(Args, Clone, Debug)]
pub struct ClientOptions {
    /// The gateway; the http:// URL that `serve` prints works too
    #[arg(long, env = "OPENCLAW_GATEWAY_URL")]
    pub url: Option<String>,
    /// The port on this machine, when no URL is given
    #[arg(long, env = "OPENCLAW_GATEWAY_PORT", default_value_t = DEFAULT_PORT)]
    pub port: u16,
    /// The gateway's token
    #[arg(long, env = "OPENCLAW_GATEWAY_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// The gateway's password
    #[arg(long, env = "OPENCLAW_GATEWAY_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
    /// Give up after this many milliseconds
    #[arg(long, value_name = "MS", default_value_t = 10_000)]
    pub timeout: u64,
}

/// Options of `list`.
#[derive(Args, Clone, Debug)]
pub struct ListOptions {
    /// Where the gateway is.
    #[command(flatten)]
    pub client: ClientOptions,
    /// Print the list exactly as the gateway sent it, as JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `beacon`.
#[derive(Args, Clone, Debug)]
pub struct BeaconOptions {
    /// Where the gateway is.
    #[command(flatten)]
    pub client: ClientOptions,
    /// The identity of this instance [default: one made once and kept in your configuration folder]
    #[arg(long, value_name = "ID", env = "OPENCLAW_PRESENCE_INSTANCE_ID")]
    pub instance_id: Option<String>,
    /// The name to show [default: this machine's]
    #[arg(long)]
    pub host: Option<String>,
    /// What this instance is
    #[arg(long, default_value = "cli")]
    pub mode: String,
    /// Why the beacon is sent
    #[arg(long, default_value = "periodic")]
    pub reason: String,
    /// Do not say how long ago the last keyboard input was
    #[arg(long)]
    pub no_last_input: bool,
}

/// What clients must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthWord {
    /// The token
    Token,
    /// The password
    Password,
    /// Nothing: anybody on this machine may connect
    None,
}

/// How much to log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words are the documentation")]
pub enum LogLevel {
    Off,
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

/// How to log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object per line
    Json,
}

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "SpanText")]
pub struct Span {
    /// In ms.
    pub ms: u64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SpanText {
    Seconds(u64),
    Text(String),
}

/// The text is no length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no length of time: write 300s, 5m, 1h or 300000ms")]
pub struct InvalidSpan(String);

impl FromStr for Span {
    type Err = InvalidSpan;

    fn from_str(text: &str) -> Result<Self, InvalidSpan> {
        let digits_end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(digits_end);
        let unit_ms = match unit.trim() {
            "ms" => 1,
            "s" | "" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(InvalidSpan(text.to_owned())),
        };
        let number: u64 = digits.parse().map_err(|_| InvalidSpan(text.to_owned()))?;
        Ok(Self {
            ms: number.saturating_mul(unit_ms),
        })
    }
}

impl TryFrom<SpanText> for Span {
    type Error = InvalidSpan;

    fn try_from(text: SpanText) -> Result<Self, InvalidSpan> {
        match text {
            SpanText::Seconds(seconds) => Ok(Self {
                ms: seconds.saturating_mul(1_000),
            }),
            SpanText::Text(text) => text.parse(),
        }
    }
}

/// Why the settings make no gateway.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// The file cannot be read or understood.
    #[error("the configuration file {0}: {1}")]
    File(PathBuf, String),
    /// A secret that is none.
    #[error("--{0}: {1}")]
    Secret(&'static str, InvalidSecret),
    /// A mode without its secret.
    #[error("--auth {0} needs --{0} (or OPENCLAW_GATEWAY_{1})")]
    SecretMissing(&'static str, &'static str),
    /// A value that cannot be.
    #[error("--{0}: {1}")]
    Value(&'static str, String),
}

/// What the settings come to.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The gateway's configuration. Mode `token` without a token is left to the caller: see
    /// [`needs_token`](Self::needs_token).
    pub config: GatewayConfig,
    /// No secret is set: one has to be made, or the gateway must not be reachable.
    pub needs_token: bool,
    /// The bound on connections was given, and is not to be derived.
    pub has_max_connections: bool,
    /// How much to log.
    pub log_level: LogLevel,
    /// How to log.
    pub log_format: LogFormat,
}

impl ServeOptions {
    /// Adds the file, if one is named, and makes a configuration.
    ///
    /// # Errors
    /// [`OptionsError`] names the setting that is wrong.
    pub fn resolve(self) -> Result<Resolved, OptionsError> {
        let options = match self.config.clone() {
            Some(path) => {
                let file = read_file(&path)?;
                self.or(file)
            }
            None => self,
        };
        options.to_config()
    }

    /// These settings where they are set, else the others.
    fn or(self, other: Self) -> Self {
        Self {
            config: self.config,
            bind: self.bind.or(other.bind),
            port: self.port.or(other.port),
            auth: self.auth.or(other.auth),
            token: self.token.or(other.token),
            password: self.password.or(other.password),
            ttl: self.ttl.or(other.ttl),
            max_entries: self.max_entries.or(other.max_entries),
            window_ms: self.window_ms.or(other.window_ms),
            ephemeral_mode: self.ephemeral_mode.or(other.ephemeral_mode),
            allowed_origin: self.allowed_origin.or(other.allowed_origin),
            trusted_proxy: self.trusted_proxy.or(other.trusted_proxy),
            web_root: self.web_root.or(other.web_root),
            log_level: self.log_level.or(other.log_level),
            log_format: self.log_format.or(other.log_format),
            max_connections: self.max_connections.or(other.max_connections),
            max_unauthenticated: self.max_unauthenticated.or(other.max_unauthenticated),
            max_unauthenticated_per_address: self
                .max_unauthenticated_per_address
                .or(other.max_unauthenticated_per_address),
            preauth_frame_bytes: self.preauth_frame_bytes.or(other.preauth_frame_bytes),
            payload_bytes: self.payload_bytes.or(other.payload_bytes),
            buffered_bytes: self.buffered_bytes.or(other.buffered_bytes),
            handshake_ms: self.handshake_ms.or(other.handshake_ms),
            tick_interval_ms: self.tick_interval_ms.or(other.tick_interval_ms),
            ping_interval_ms: self.ping_interval_ms.or(other.ping_interval_ms),
            stall_ms: self.stall_ms.or(other.stall_ms),
            drain_ms: self.drain_ms.or(other.drain_ms),
            auth_failures: self.auth_failures.or(other.auth_failures),
            auth_window_ms: self.auth_window_ms.or(other.auth_window_ms),
            auth_lockout_ms: self.auth_lockout_ms.or(other.auth_lockout_ms),
            auth_delay_ms: self.auth_delay_ms.or(other.auth_delay_ms),
        }
    }

    fn to_config(&self) -> Result<Resolved, OptionsError> {
        let mut config = GatewayConfig::default();
        let (auth, needs_token) = self.auth_mode()?;
        config.auth = auth;
        set(&mut config.bind, self.bind);
        set(&mut config.port, self.port);
        set_within(&mut config.ttl_ms, "ttl", self.ttl.map(|ttl| ttl.ms), 1_000)?;
        set_within(&mut config.max_entries, "max-entries", self.max_entries, 2)?;
        set_within(&mut config.drain_ms, "drain-ms", self.drain_ms, 0)?;
        if let Some(modes) = &self.ephemeral_mode {
            config.ephemeral_modes = modes
                .iter()
                .filter(|mode| !mode.trim().is_empty())
                .map(|mode| mode.as_str().into())
                .collect();
        }
        if let Some(origins) = &self.allowed_origin {
            config.allowed_origins = AllowedOrigins::parse(origins)
                .map_err(|error| OptionsError::Value("allowed-origin", error.to_string()))?;
        }
        if let Some(proxies) = &self.trusted_proxy {
            config.trusted_proxies = proxies
                .iter()
                .map(|text| parse_network(text))
                .collect::<Result<_, _>>()?;
        }

        if let Some(folder) = &self.web_root {
            let root =
                WebRoot::read(folder).map_err(|error| OptionsError::Value("web-root", error.to_string()))?;
            config.web_root = Some(Arc::new(root));
        }

        let limits = &mut config.limits;
        set_within(&mut limits.window_ms, "window-ms", self.window_ms, 0)?;
        set_within(
            &mut limits.preauth_frame_bytes,
            "preauth-frame-bytes",
            self.preauth_frame_bytes,
            1_024,
        )?;
        set_within(
            &mut limits.payload_bytes,
            "payload-bytes",
            self.payload_bytes,
            1_024,
        )?;
        set_within(
            &mut limits.buffered_bytes,
            "buffered-bytes",
            self.buffered_bytes,
            1_024,
        )?;
        set_within(&mut limits.handshake_ms, "handshake-ms", self.handshake_ms, 100)?;
        set_within(
            &mut limits.tick_interval_ms,
            "tick-interval-ms",
            self.tick_interval_ms,
            100,
        )?;
        set_within(
            &mut limits.ping_interval_ms,
            "ping-interval-ms",
            self.ping_interval_ms,
            100,
        )?;
        set_within(&mut limits.stall_ms, "stall-ms", self.stall_ms, 100)?;

        let slots = &mut config.slots;
        set_within(&mut slots.connections, "max-connections", self.max_connections, 1)?;
        set_within(
            &mut slots.unauthenticated,
            "max-unauthenticated",
            self.max_unauthenticated,
            1,
        )?;
        let per_address = self.max_unauthenticated_per_address;
        set_within(
            &mut slots.unauthenticated_per_address,
            "max-unauthenticated-per-address",
            per_address,
            1,
        )?;

        let rate = &mut config.rate_limits;
        set_within(&mut rate.max_failures, "auth-failures", self.auth_failures, 1)?;
        set_within(&mut rate.window_ms, "auth-window-ms", self.auth_window_ms, 1)?;
        set_within(&mut rate.lockout_ms, "auth-lockout-ms", self.auth_lockout_ms, 0)?;
        set_within(&mut rate.local_delay_ms, "auth-delay-ms", self.auth_delay_ms, 0)?;
        Ok(Resolved {
            config,
            needs_token,
            has_max_connections: self.max_connections.is_some(),
            log_level: self.log_level.unwrap_or_default(),
            log_format: self.log_format.unwrap_or_default(),
        })
    }

    /// The mode, and whether a token has to be made for it.
    fn auth_mode(&self) -> Result<(AuthMode, bool), OptionsError> {
        let word = self.auth.unwrap_or(match self.password {
            Some(_) => AuthWord::Password,
            None => AuthWord::Token,
        });
        let secret = |name, text: &str| Secret::new(text).map_err(|error| OptionsError::Secret(name, error));
        match (word, &self.token, &self.password) {
            (AuthWord::None, ..) => Ok((AuthMode::None, false)),
            (AuthWord::Token, Some(token), _) => Ok((AuthMode::Token(secret("token", token)?), false)),
            (AuthWord::Token, None, _) => Ok((AuthMode::None, true)),
            (AuthWord::Password, _, Some(password)) => {
                Ok((AuthMode::Password(secret("password", password)?), false))
            }
            (AuthWord::Password, _, None) => Err(OptionsError::SecretMissing("password", "PASSWORD")),
        }
    }
}

fn read_file(path: &Path) -> Result<ServeOptions, OptionsError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| OptionsError::File(path.to_owned(), error.to_string()))?;
    toml::from_str(&text).map_err(|error| {
        // The error shows the line it found wrong, and that line may hold a secret.
        let line = error
            .span()
            .map_or(1, |span| 1 + text[..span.start].matches('\n').count());
        OptionsError::File(path.to_owned(), format!("line {line}: {}", error.message()))
    })
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn set_within<T: Copy + PartialOrd + std::fmt::Display>(
    place: &mut T,
    name: &'static str,
    value: Option<T>,
    least: T,
) -> Result<(), OptionsError> {
    match value {
        Some(value) if value < least => {
            Err(OptionsError::Value(name, format!("{value} is less than {least}")))
        }
        value => {
            set(place, value);
            Ok(())
        }
    }
}

fn parse_network(text: &str) -> Result<IpNet, OptionsError> {
    let text = text.trim();
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| {
            OptionsError::Value(
                "trusted-proxy",
                format!("`{text}` is neither an address nor a network such as 10.0.0.0/8"),
            )
        })
}

#[cfg(test)]
mod tests;
