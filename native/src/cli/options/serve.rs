//! The settings of the gateway.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{BoolishValueParser, PossibleValuesParser, TypedValueParser};
use tracing::level_filters::LevelFilter;

use super::duration::duration_ms;
use super::file::Lines;
use super::observe::ObserveOptions;
use super::{AuthWord, LogFormat};
use crate::config::Bind;

/// The log levels.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
/// Help heading of the limits.
const LIMITS: &str = "Limits";

/// Options of `serve`; the file has the same names.
#[derive(Args, Clone, Default)]
pub(crate) struct ServeOptions {
    /// Read settings from this TOML file
    #[arg(long, env = "OPENCLAW_GATEWAY_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The lines of the settings that the file decides.
    #[arg(skip)]
    pub lines: Lines,
    /// Address to listen on: `loopback` (this machine only), `lan` (all networks) or an IP address
    /// [default: loopback]
    #[arg(long, env = "OPENCLAW_GATEWAY_BIND", value_name = "ADDRESS")]
    pub bind: Option<Bind>,
    /// Port to listen on; 0 selects a free port and prints it [default: 18789]
    #[arg(long, env = "OPENCLAW_GATEWAY_PORT")]
    pub port: Option<u16>,
    /// Authentication mode: token, password or none [default: password if one is set, else token]
    #[arg(long, env = "OPENCLAW_GATEWAY_AUTH", value_name = "MODE")]
    pub auth: Option<AuthWord>,
    /// Token that clients present; on loopback without any secret, a random token is created and printed
    #[arg(long, env = "OPENCLAW_GATEWAY_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Password that clients present
    #[arg(long, env = "OPENCLAW_GATEWAY_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
    /// File of named tokens, each with scopes and, optionally, roles and an end; SIGHUP reads it again. Without it, the
    /// tables `[tokens.NAME]` of the file of --config are used
    #[arg(long, env = "OPENCLAW_GATEWAY_TOKENS", value_name = "FILE")]
    pub tokens: Option<PathBuf>,
    /// Lifetime of a row after its last write or pong: 300s, 5m, 300000ms; a number alone counts seconds [default: 5m]
    #[arg(long, env = "OPENCLAW_GATEWAY_TTL", value_name = "TIME", value_parser = duration_ms)]
    pub ttl: Option<u64>,
    /// Maximum number of rows, including the gateway's own [default: 200]
    #[arg(long, env = "OPENCLAW_GATEWAY_MAX_ENTRIES", value_name = "ROWS")]
    pub max_entries: Option<usize>,
    /// Coalescing window for broadcasts, in ms; 0 disables coalescing [default: 50]
    #[arg(long, env = "OPENCLAW_GATEWAY_WINDOW_MS", value_name = "MS")]
    pub window_ms: Option<u64>,
    /// Mode of clients that get no row (may be repeated; replaces the default, so include `cli`)
    /// [default: cli]
    #[arg(
        long,
        env = "OPENCLAW_GATEWAY_EPHEMERAL_MODE",
        value_name = "MODE",
        value_delimiter = ','
    )]
    pub ephemeral_mode: Option<Vec<String>>,
    /// Origin of web pages that may connect: `https://dash.example.org`, or `*` for all (may be repeated)
    #[arg(
        long,
        env = "OPENCLAW_GATEWAY_ALLOWED_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    pub allowed_origin: Option<Vec<String>>,
    /// Reverse proxy whose X-Forwarded-For is trusted: address or network (may be repeated)
    #[arg(
        long,
        env = "OPENCLAW_GATEWAY_TRUSTED_PROXY",
        value_name = "CIDR",
        value_delimiter = ','
    )]
    pub trusted_proxy: Option<Vec<String>>,
    /// Header in which a trusted proxy states the signed-in user; shown as `user.id` to every reader
    #[arg(long, env = "OPENCLAW_GATEWAY_USER_HEADER", value_name = "NAME")]
    pub user_header: Option<String>,
    /// Certificate in PEM, followed by those of its issuers: with it the port speaks HTTPS and wss:// only.
    /// SIGHUP reads it and its key again; without a certificate and named tokens, SIGHUP stops the gateway
    #[arg(long, env = "OPENCLAW_GATEWAY_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate, in PEM
    #[arg(long, env = "OPENCLAW_GATEWAY_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Time for which browsers use HTTPS only for this host, in seconds (Strict-Transport-Security) [default: not sent]
    #[arg(long, env = "OPENCLAW_GATEWAY_HSTS", value_name = "SECONDS")]
    pub hsts: Option<u64>,
    /// Folder with the files of the gateway's page; read at the start
    #[arg(long, env = "OPENCLAW_GATEWAY_WEB_ROOT", value_name = "DIR")]
    pub web_root: Option<PathBuf>,
    /// File to record to for `replay`, with pseudonyms instead of names and addresses; what was recorded before is kept
    /// as FILE.1
    #[arg(long, env = "OPENCLAW_GATEWAY_RECORD", value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Most bytes of FILE and FILE.1 together, or of memory with --record-last, at most 260046848, because `replay` reads
    /// no larger files; the oldest go first [default: 67108864]
    #[arg(long, env = "OPENCLAW_GATEWAY_RECORD_BYTES", value_name = "BYTES")]
    pub record_bytes: Option<u64>,
    /// Time after which nothing recorded is kept, such as 12h [default: as long as --record-bytes allows]
    #[arg(long, env = "OPENCLAW_GATEWAY_RECORD_AGE", value_name = "TIME", value_parser = duration_ms)]
    pub record_age: Option<u64>,
    /// Record to memory, as much as this time needs or more, and write it to FILE on SIGUSR1
    #[arg(long, env = "OPENCLAW_GATEWAY_RECORD_LAST", value_name = "TIME", value_parser = duration_ms)]
    pub record_last: Option<u64>,
    /// Answer metrics at /metrics to clients that present the secret (`Authorization: Bearer`)
    #[arg(long, env = "OPENCLAW_GATEWAY_METRICS", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub metrics: Option<bool>,
    /// Address and port where metrics are answered without a secret, from a thread of their own, such as 127.0.0.1:9464
    #[arg(long, env = "OPENCLAW_GATEWAY_METRICS_BIND", value_name = "ADDRESS:PORT")]
    pub metrics_bind: Option<SocketAddr>,
    /// Log level: error, warn, info, debug, trace or off [default: info]
    #[arg(
        long,
        env = "OPENCLAW_GATEWAY_LOG_LEVEL",
        value_name = "LEVEL",
        value_parser = PossibleValuesParser::new(LEVELS).try_map(|level| level.parse::<LevelFilter>())
    )]
    pub log_level: Option<LevelFilter>,
    /// Log format: text, or json for one object per line [default: text]
    #[arg(long, env = "OPENCLAW_GATEWAY_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Other gateways. Options that follow must state their heading: clap gives them this one.
    #[command(flatten)]
    pub others: ObserveOptions,
    /// The fleet.
    #[cfg(feature = "cluster")]
    #[command(flatten)]
    pub fleet: super::cluster::ClusterOptions,
    /// The history.
    #[cfg(feature = "history")]
    #[command(flatten)]
    pub past: super::history::HistoryOptions,
    /// The webhook.
    #[cfg(feature = "webhook")]
    #[command(flatten)]
    pub hook: super::webhook::WebhookOptions,

    /// Maximum number of connections; refused if above the hard limit of open files (`ulimit -Hn`)
    /// [default: as many as that limit allows, at most 100000]
    #[arg(long, env = "OPENCLAW_GATEWAY_MAX_CONNECTIONS", value_name = "N", help_heading = LIMITS)]
    pub max_connections: Option<usize>,
    /// Maximum number of connections that are not authenticated yet [default: 2048]
    #[arg(long, env = "OPENCLAW_GATEWAY_MAX_UNAUTHENTICATED", value_name = "N", help_heading = LIMITS)]
    pub max_unauthenticated: Option<usize>,
    /// Maximum number of unauthenticated connections per client address; applies to loopback and trusted
    /// proxies only while at least half of --max-unauthenticated are in use [default: 32]
    #[arg(long, env = "OPENCLAW_GATEWAY_MAX_UNAUTHENTICATED_PER_ADDRESS", value_name = "N", help_heading = LIMITS)]
    pub max_unauthenticated_per_address: Option<usize>,
    /// Largest frame before authentication [default: 65536]
    #[arg(long, env = "OPENCLAW_GATEWAY_PREAUTH_FRAME_BYTES", value_name = "BYTES", help_heading = LIMITS)]
    pub preauth_frame_bytes: Option<usize>,
    /// Largest frame after authentication [default: 1048576]
    #[arg(long, env = "OPENCLAW_GATEWAY_PAYLOAD_BYTES", value_name = "BYTES", help_heading = LIMITS)]
    pub payload_bytes: Option<usize>,
    /// Maximum size of the unread responses of one client [default: 1048576]
    #[arg(long, env = "OPENCLAW_GATEWAY_BUFFERED_BYTES", value_name = "BYTES", help_heading = LIMITS)]
    pub buffered_bytes: Option<usize>,
    /// Time limit for the handshake [default: 15000]
    #[arg(long, env = "OPENCLAW_GATEWAY_HANDSHAKE_MS", value_name = "MS", help_heading = LIMITS)]
    pub handshake_ms: Option<u64>,
    /// Interval of `tick` events [default: 30000]
    #[arg(long, env = "OPENCLAW_GATEWAY_TICK_INTERVAL_MS", value_name = "MS", help_heading = LIMITS)]
    pub tick_interval_ms: Option<u64>,
    /// Interval of pings, or a quarter of the TTL if that is shorter [default: 25000]
    #[arg(long, env = "OPENCLAW_GATEWAY_PING_INTERVAL_MS", value_name = "MS", help_heading = LIMITS)]
    pub ping_interval_ms: Option<u64>,
    /// Time after which a client that accepts no byte of pending output, or leaves a message of more than 8 KiB
    /// incomplete, is closed [default: 20000]
    #[arg(long, env = "OPENCLAW_GATEWAY_STALL_MS", value_name = "MS", help_heading = LIMITS)]
    pub stall_ms: Option<u64>,
    /// Time limit for closing the connections and sending to the webhook when the gateway stops [default: 5000]
    #[arg(long, env = "OPENCLAW_GATEWAY_DRAIN_MS", value_name = "MS", help_heading = LIMITS)]
    pub drain_ms: Option<u64>,
}
