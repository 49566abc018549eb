//! A gateway that was built for another system, started on this one.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::failure::Failure;

/// Not secret: the gateway listens on loopback only, for a second.
const TOKEN: &str = "smoke";

/// Starts the gateway, and lists its rows with the same program. `words` is the program, preceded by an emulator if it
/// needs one. With `page`, the gateway must answer with this page, which it includes.
///
/// # Errors
/// When the gateway does not start, the list lacks the gateway's own row, or the page differs.
pub(super) fn start_and_list(words: &[String], page: Option<&Path>) -> Result<(), Failure> {
    let shown = words.join(" ");
    let failed = |why: &dyn std::fmt::Display| Failure::missing(format!("`{shown}`: {why}"));
    let mut gateway = command(words)
        .args(["serve", "--port", "0", "--token", TOKEN, "--log-level", "warn"])
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(&error))?;
    let address = address(&mut gateway);
    let listed = address.as_ref().map(|address| {
        command(words)
            .args(["list", "--url", &format!("ws://{address}"), "--token", TOKEN])
            .output()
    });
    let served = address.zip(page).map(|(address, page)| has_page(&address, page));
    // The gateway may have ended by itself; then the missing list is the error.
    let _ = gateway.kill();
    gateway.wait().map_err(|error| failed(&error))?;
    let listed = listed
        .ok_or_else(|| failed(&"it ended without an address"))?
        .map_err(|error| failed(&error))?;
    let table = String::from_utf8_lossy(&listed.stdout);
    if table.lines().any(|line| line.contains(" gateway ")) {
        return match served {
            None | Some(Ok(true)) => Ok(()),
            Some(Ok(false)) => Err(failed(&"it serves another page")),
            Some(Err(error)) => Err(failed(&error)),
        };
    }
    let errors = String::from_utf8_lossy(&listed.stderr);
    Err(failed(&format!("`list` printed:\n{table}{errors}")))
}

/// Whether the gateway answers with the page in this file.
fn has_page(address: &str, page: &Path) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "GET / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.1 200") && answer.ends_with(&fs::read_to_string(page)?))
}

fn command(words: &[String]) -> Command {
    let (program, arguments) = words
        .split_first()
        .map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    command
}

/// The first address that the gateway prints for clients.
fn address(gateway: &mut Child) -> Option<String> {
    BufReader::new(gateway.stdout.take()?)
        .lines()
        .map_while(Result::ok)
        .find_map(|line| Some(line.split_once(" ws://")?.1.to_owned()))
        .and_then(|rest| Some(rest.split_whitespace().next()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_a_gateway_fails() {
        assert!(start_and_list(&["true".to_owned()], None).is_err());
        assert!(start_and_list(&["no-such-program".to_owned()], None).is_err());
    }
}
