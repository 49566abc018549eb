//! The command line.
//!
//! `serve` runs the gateway; `list`, `watch` and `beacon` are clients of any gateway that speaks the
//! protocol.

mod beacon;
mod client;
mod device_key;
mod doctor;
mod explain;
mod explanation;
mod failure;
mod file_limit;
mod finding;
mod generate;
mod history;
#[cfg(feature = "history")]
mod history_file;
mod install;
mod instance;
mod kept;
mod last_input;
mod list;
mod logging;
mod observe;
mod options;
pub(crate) mod output;
mod port_holder;
mod recording;
mod reload;
mod replay;
mod roster;
mod sandbox;
mod saved;
mod screen;
mod serve;
mod signals;
mod socket;
mod stderr;
mod systemd;
mod table;
mod version;
mod watch;

use std::process::ExitCode;

use presence_core::model::text::is_invisible;
use unicode_width::UnicodeWidthChar;

pub use failure::Failure;
use options::{Cli, Command};
use output::print;

/// The program's name.
const PROGRAM: &str = "presence-gateway";

/// Runs the command line. Results go to stdout, everything else to stderr; the exit code is that of [`Failure::code`].
#[must_use]
pub fn main() -> ExitCode {
    let code = match run() {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            stderr::print_note(&failure.to_string());
            ExitCode::from(failure.code())
        }
    };
    stderr::finish();
    code
}

/// Returns the exit code of a command that succeeded.
fn run() -> Result<u8, Failure> {
    let cli = Cli::read().map_err(|error| Failure::Usage(error.to_string()))?;
    if !matches!(cli.command, Command::Serve(_)) {
        stderr::start_writing();
    }
    match cli.command {
        Command::Serve(options) => serve::serve(&options)?,
        Command::List(options) => block_on(list::list(&options))?,
        Command::Watch(options) => block_on(watch::watch(&options))?,
        Command::Doctor(options) => return block_on(doctor::doctor(&options)),
        Command::Explain(options) => block_on(explain::explain(&options))?,
        Command::History(options) => block_on(history::history(&options))?,
        Command::Replay(options) => replay::replay(&options)?,
        Command::Beacon(options) => block_on(beacon::beacon(&options))?,
        Command::InstallService(options) => install::install(&options)?,
        Command::Completions { shell } => generate::completions(shell)?,
        Command::Man { folder } => generate::man(&folder)?,
    }
    Ok(0)
}

/// Runs a command. Lookups of names that have not ended do not delay its end: they cannot be cancelled, and take up to
/// some 30 s.
fn block_on<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = runtime()?;
    let outcome = runtime.block_on(command);
    runtime.shutdown_background();
    outcome
}

/// One thread suffices: one task does the work, and threads cost memory.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Other(format!("cannot start: {error}")))
}

/// Most consecutive characters without a width, such as accents: more would cover adjacent lines.
const MAX_MARKS: usize = 2;

/// Makes a peer's text safe for a terminal and bounds its length.
fn printable(text: &str) -> String {
    let mut marks = 0;
    text.chars()
        .filter(|c| {
            marks = if c.width() == Some(0) { marks + 1 } else { 0 };
            marks <= MAX_MARKS
        })
        .take(500)
        .map(|c| {
            if c.is_control() || misleads(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// Whether a character changes the direction of the text after it, ends a line or a paragraph, or makes two different
/// texts look alike. The two joiners stay: some scripts and many emoji need them.
fn misleads(c: char) -> bool {
    let is_joiner = matches!(c, '\u{200c}' | '\u{200d}');
    let turns_or_breaks = matches!(c, '\u{61c}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns_or_breaks || (is_invisible(c) && !is_joiner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lookup_that_has_not_ended_does_not_delay_the_end() {
        use std::sync::Arc;
        use std::sync::atomic::{AtomicBool, Ordering};
        use std::sync::mpsc;
        use std::time::Duration;

        const LOOKUP: Duration = Duration::from_secs(30);
        let (begin, begun) = tokio::sync::oneshot::channel();
        // Dropped at the end, which ends the lookup.
        let (_hold, held) = mpsc::channel::<()>();
        let has_ended = Arc::new(AtomicBool::new(false));
        let ending = Arc::clone(&has_ended);
        block_on(async {
            tokio::task::spawn_blocking(move || {
                let _ = begin.send(());
                let _ = held.recv_timeout(LOOKUP);
                ending.store(true, Ordering::Release);
            });
            begun.await.map_err(|_| Failure::Other("no lookup".into()))
        })
        .unwrap();
        assert!(!has_ended.load(Ordering::Acquire));
    }

    #[test]
    fn texts_of_others_cannot_control_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
        assert_eq!(
            printable(&format!("a{}b", "\u{301}".repeat(300))),
            "a\u{301}\u{301}b"
        );
        assert_eq!(printable("a\u{202e}b\u{2066}c"), "a\u{fffd}b\u{fffd}c");
        assert_eq!(printable("a\u{2028}b\u{2029}c"), "a\u{fffd}b\u{fffd}c");
        assert_eq!(
            printable("\u{feff}a\u{200b}b\u{ad}"),
            "\u{fffd}a\u{fffd}b\u{fffd}"
        );
        assert_eq!(
            printable("\u{1f469}\u{200d}\u{1f4bb}"),
            "\u{1f469}\u{200d}\u{1f4bb}"
        );
        assert_eq!(printable(&"x".repeat(1_000)).len(), 500);
    }
}
