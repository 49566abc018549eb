//! Stdout: the results of commands.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::thread;

use serde::Serialize;
use tracing::warn;

use super::{Failure, misleads};

/// Writes the result of a command. A closed pipe (`| head`) is not an error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    match write(text) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Other(format!("cannot write the output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a value as indented JSON. On a terminal, control characters are escaped.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let json = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::Other(format!("cannot write the output: {error}")))?;
    print_json_text(&format!("{json}\n"))
}

/// Writes JSON texts. On a terminal, control characters are escaped.
pub(super) fn print_json_text(json: &str) -> Result<(), Failure> {
    if io::stdout().is_terminal() {
        print(&escaped(json))
    } else {
        print(json)
    }
}

/// The same JSON with control characters escaped, which can only be in its strings.
pub(super) fn escaped(json: &str) -> String {
    json.chars()
        .map(|c| {
            if (c.is_control() && !c.is_ascii_whitespace()) || misleads(c) {
                format!("\\u{:04x}", u32::from(c))
            } else {
                c.to_string()
            }
        })
        .collect()
}

/// Most bytes that a pipe takes at once when it takes any: `PIPE_BUF` of Linux.
const PIPE_BYTES: usize = 4096;

/// Writes the banner of a service. If stdout blocks, a thread writes it: the service must start.
pub(super) fn print_banner(text: String) {
    if text.len() <= PIPE_BYTES && takes_some() {
        return write_or_warn(&text);
    }
    let started = thread::Builder::new()
        .name("banner".to_owned())
        .spawn(move || write_or_warn(&text));
    if let Err(error) = started {
        warn!(%error, "cannot write the URL to stdout");
    }
}

fn write_or_warn(text: &str) {
    if let Err(error) = write(text) {
        warn!(%error, "cannot write the URL to stdout");
    }
}

/// Whether stdout accepts bytes without blocking.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_on_a_terminal_is_escaped_and_equal() {
        let json = "[{\"host\":\"a\u{9b}31m\u{202e}\u{7f}\u{e9}\"}]\n";
        let shown = escaped(json);
        assert_eq!(shown, "[{\"host\":\"a\\u009b31m\\u202e\\u007f\u{e9}\"}]\n");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&shown), read(json));
    }
}
