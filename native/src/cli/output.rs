//! Stdout: the results of commands.

use std::io::{self, ErrorKind, Write};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::Failure;

/// Time limit for printing the greeting.
const GREETING_TIME: Duration = Duration::from_secs(1);

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
///
/// # Errors
/// The error of stdout, or a timeout after [`GREETING_TIME`].
pub(super) fn greet(text: String) -> io::Result<()> {
    let (done, outcome) = mpsc::channel();
    thread::Builder::new()
        .name("greeting".to_owned())
        .spawn(move || {
            // The receiver may be gone.
            let _ = done.send(write(&text));
        })?;
    outcome
        .recv_timeout(GREETING_TIME)
        .unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

/// Writes all of the text now.
pub(super) fn write(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
