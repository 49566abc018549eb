//! Stdout: what a command was asked for.

use std::io::{self, ErrorKind, Write};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::Failure;

/// How long a service waits for somebody to take its greeting.
const GREETING_TIME: Duration = Duration::from_secs(1);

/// Writes the result of a command. A reader that went away (`| head`) is not an error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    match write(text) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Other(format!("cannot write the output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes what a service says of itself at its start. It serves, whoever reads that or not.
///
/// # Errors
/// What stdout fails with, or that nobody took it within a second.
pub(super) fn greet(text: String) -> io::Result<()> {
    let (done, outcome) = mpsc::channel();
    thread::Builder::new()
        .name("greeting".to_owned())
        .spawn(move || {
            // Whoever asked may have stopped waiting.
            let _ = done.send(write(&text));
        })?;
    outcome
        .recv_timeout(GREETING_TIME)
        .unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

fn write(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
