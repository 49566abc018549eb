//! The log: to stderr, as text or JSON. Lines that stderr does not accept are dropped and
//! counted: see [`super::stderr`].

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::options::LogFormat;
use super::stderr::stderr;

/// What is not logged: each lost connection, as an error. The gateway's own line says what it means, and what to do.
const MUTED: &str = "async_nats";

/// Starts logging. A second call does nothing.
pub(crate) fn start(level: LevelFilter, format: LogFormat) {
    let lines = tracing_subscriber::fmt::layer()
        // Reporting that the log failed would go to stderr too, and end the program if that is gone.
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
