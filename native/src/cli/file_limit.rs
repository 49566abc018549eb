//! The limit of open files, and the number of connections that it allows.

use tracing::{info, warn};

use super::Failure;
use crate::config::GatewayConfig;
use crate::conn::parting::MAX_PARTING;

/// Open files besides the connections: listeners, the runtime, the log, /proc, refused sockets.
const OWN_FILES: usize = 64 + MAX_PARTING;
/// The fewest open files with which the gateway works.
const MIN_FILES: usize = 16;
/// Upper bound of the derived number of connections.
const MAX_DERIVED_CONNECTIONS: usize = 100_000;

/// Raises the limit of open files to the hard limit, and bounds the connections by it.
///
/// # Errors
/// [`Failure::Usage`] when `--max-connections` exceeds what the limit allows, [`Failure::Other`] when it allows
/// nothing.
pub(super) fn limit_connections(config: &mut GatewayConfig, is_given: bool) -> Result<(), Failure> {
    let Some(files) = raise_file_limit() else {
        return Ok(());
    };
    if files < MIN_FILES {
        return Err(Failure::Other(format!(
            "the hard limit of open files is {files}, and at least {MIN_FILES} are needed; raise it (ulimit -Hn)"
        )));
    }
    let possible = files.saturating_sub(OWN_FILES).max(1);
    let connections = &mut config.slots.max_connections;
    if is_given {
        if *connections > possible {
            return Err(Failure::Usage(format!(
                "--max-connections {connections}: the hard limit of open files is {files}, which allows {possible}; \
                 raise it (ulimit -Hn) or ask for fewer"
            )));
        }
        return Ok(());
    }
    let is_little = possible < *connections;
    *connections = possible.min(MAX_DERIVED_CONNECTIONS);
    if is_little {
        warn!(
            max_connections = connections,
            open_files = files,
            "the hard limit of open files allows few connections; raise it (ulimit -Hn)"
        );
    } else {
        info!(
            max_connections = connections,
            open_files = files,
            "maximum number of connections, derived from the hard limit of open files (ulimit -Hn)"
        );
    }
    Ok(())
}

#[cfg(unix)]
fn raise_file_limit() -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let limit = if setrlimit(Resource::Nofile, raised).is_ok() {
        raised
    } else {
        limit
    };
    Some(
        limit
            .current
            .and_then(|files| usize::try_from(files).ok())
            .unwrap_or(usize::MAX),
    )
}

#[cfg(not(unix))]
fn raise_file_limit() -> Option<usize> {
    None
}
