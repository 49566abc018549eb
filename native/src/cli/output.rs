//! Stdout: the results of commands.

use std::io::{self, ErrorKind, Write};
use std::thread;

use tracing::warn;

use super::Failure;

/// Writes the result of a command. A reader that is gone (`| head`) is not an error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    match write(text) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Other(format!("cannot write the output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes the greeting of a service, which must start even if stdout blocks.
pub(super) fn greet(text: String) {
    let started = thread::Builder::new().name("greeting".to_owned()).spawn(move || {
        if let Err(error) = write(&text) {
            warn!(%error, "cannot write the URL to stdout");
        }
    });
    if let Err(error) = started {
        warn!(%error, "cannot write the URL to stdout");
    }
}

/// Writes all of the text now.
pub(super) fn write(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
