//! The log: to stderr, as text or JSON. Lines that stderr does not accept are dropped and
//! counted: see [`super::stderr`].

use tracing::level_filters::LevelFilter;

use super::options::LogFormat;
use super::stderr::stderr;

/// Starts logging. A second call does nothing.
pub(crate) fn start(level: LevelFilter, format: LogFormat) {
    let builder = tracing_subscriber::fmt()
        .with_max_level(level)
        // Reporting that the log failed would go to stderr too, and end the program if that is gone.
        .log_internal_errors(false)
        .with_writer(stderr);
    let _ = match format {
        LogFormat::Text => builder.with_target(false).with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}
