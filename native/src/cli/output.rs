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

/// Most bytes that a pipe takes at once when it takes any: `PIPE_BUF` of Linux.
const PIPE_BYTES: usize = 4096;

/// Writes the greeting of a service. If stdout blocks, a thread writes it: the service must start.
pub(super) fn greet(text: String) {
    if text.len() <= PIPE_BYTES && takes_some() {
        return say(&text);
    }
    let started = thread::Builder::new()
        .name("greeting".to_owned())
        .spawn(move || say(&text));
    if let Err(error) = started {
        warn!(%error, "cannot write the URL to stdout");
    }
}

fn say(text: &str) {
    if let Err(error) = write(text) {
        warn!(%error, "cannot write the URL to stdout");
    }
}

/// Whether stdout does not block now.
#[cfg(unix)]
fn takes_some() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let stdout = io::stdout();
    let mut files = [PollFd::new(&stdout, PollFlags::OUT)];
    poll(&mut files, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
}

#[cfg(not(unix))]
fn takes_some() -> bool {
    false
}

/// Writes all of the text now.
pub(super) fn write(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
