//! The log: to stderr, as text or JSON. Lines that stderr does not accept are dropped and
//! counted: see [`super::stderr`].

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::options::LogFormat;
use super::stderr::stderr;

/// A crate that logs each lost connection as an error. It is muted, because the gateway logs the cause and the remedy.
const MUTED: &str = "async_nats";

/// Starts logging. A second call does nothing.
pub(crate) fn start(level: LevelFilter, format: LogFormat) {
    let lines = tracing_subscriber::fmt::layer()
        // A report about a failed log would go to stderr too, and end the program if stderr is closed.
        .log_internal_errors(false)
        .with_writer(stderr);
    let shown = Targets::new()
        .with_default(level)
        .with_target(MUTED, LevelFilter::OFF);
    let log = tracing_subscriber::registry().with(shown);
    let _ = match format {
        LogFormat::Text => log.with(lines.with_target(false).with_ansi(false)).try_init(),
        LogFormat::Json => log.with(lines.json().flatten_event(true)).try_init(),
    };
}
