//! `bench`: a load generator for any gateway that speaks the protocol, and the limit beside it.
//!
//! ```text
//!   core 0                               core 1
//!   gateway (a process of its own) ◄───► this program: one thread, one `Fleet` of connections
//!   bare server (likewise)         ◄───► another `Fleet`; pairs are measured one after the other
//! ```
//!
//! Handshakes are those of the core's client, device proofs included. After hello frames are looked at
//! where they were read; where mirrors are compared, the frames are kept and given to the core's client
//! when the clock has stopped: the generator shall not be what is measured.

mod attack;
mod bare;
mod crew;
mod fleet;
mod frame;
mod link;
mod machine;
mod report;
mod scenario;
mod signer;
mod size;
mod stats;
mod subject;

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::time::Duration;

pub(crate) use bare::{BareOptions, serve as serve_bare};
use crew::Crew;
use machine::Cores;
use report::Report;
pub(crate) use size::Scale;
use size::Size;
use subject::{Launcher, Source};

/// How long to wait for what should take no time at all.
const WAIT: Duration = Duration::from_secs(30);

/// Why a measurement came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// The system refuses something.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The gateway does not do what a gateway does.
    #[error("{0}")]
    Gateway(String),
}

/// What to measure.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    /// What the report calls the gateway.
    pub(crate) label: String,
    /// A running gateway, with its process where that is known.
    pub(crate) running: Option<(SocketAddr, Option<u32>)>,
    /// The command line of another gateway.
    pub(crate) command: Vec<String>,
    /// The gateway's token; one is made if this is `None`.
    pub(crate) token: Option<String>,
    /// `client.id` and `client.mode` of clients that make no row, and of those that do.
    pub(crate) observer: (String, String),
    pub(crate) tracked: (String, String),
    /// Whether those who make a row prove a device key, where a scenario has one for them.
    pub(crate) is_signed: bool,
    /// The scenarios; all when empty.
    pub(crate) only: Vec<String>,
    pub(crate) scale: Scale,
    /// Whether to bind the gateway and this program to a core each.
    pub(crate) is_pinned: bool,
}

/// One run.
struct Bench {
    report: Report,
    launcher: Launcher,
    crew: Crew,
    size: Size,
    /// Files that may be open.
    files: usize,
    progress: Progress,
}

/// The scenarios and what they measure.
pub(crate) fn scenarios() -> impl Iterator<Item = (&'static str, &'static str)> {
    scenario::ALL
        .iter()
        .map(|scenario| (scenario.name, scenario.title))
}

/// Measures. Tables go to stdout as they are done; the JSON report is returned.
///
/// # Errors
/// [`BenchError`] when nothing can be measured at all. A single scenario that fails is a note.
pub(crate) fn run(wish: Wish) -> Result<String, BenchError> {
    let cores = if wish.is_pinned { machine::cores() } else { None };
    let files = machine::raise_open_files();
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).map_err(io::Error::from)?;
    let run = u64::from_ne_bytes(seed);
    let token = wish.token.unwrap_or_else(|| format!("{run:016x}{run:016x}x"));
    let source = match wish.running {
        Some((address, pid)) => Source::Running(address, pid),
        None if wish.command.is_empty() => Source::Own,
        None => Source::Command(wish.command),
    };
    let mut bench = Bench {
        report: Report {
            label: wish.label,
            ..Report::default()
        },
        launcher: Launcher {
            source,
            token: token.clone(),
            cores,
        },
        crew: Crew {
            token,
            observer: wish.observer,
            tracked: wish.tracked,
            is_signed: wish.is_signed,
            run,
        },
        size: wish.scale.size(),
        files,
        progress: Progress {
            is_shown: io::stderr().is_terminal(),
        },
    };
    bench.describe(wish.is_pinned);
    let chosen: Vec<_> = scenario::ALL
        .iter()
        .filter(|scenario| wish.only.is_empty() || wish.only.iter().any(|name| name == scenario.name))
        .collect();
    let mut failures = 0;
    for (index, scenario) in chosen.iter().enumerate() {
        print(&format!(
            "[{}/{}] {}: {}\n",
            index + 1,
            chosen.len(),
            scenario.name,
            scenario.title
        ));
        let first = bench.report.figures.len();
        if let Err(error) = (scenario.run)(&mut bench) {
            failures += 1;
            bench.report.note(format!("{}: {error}", scenario.name));
            print(&format!("  failed: {error}\n"));
        }
        bench.progress.clear();
        print(&bench.report.table(first));
    }
    for note in &bench.report.notes {
        print(&format!("note: {note}\n"));
    }
    if failures == chosen.len() {
        return Err(BenchError::Gateway("nothing could be measured".to_owned()));
    }
    Ok(bench.report.to_json())
}

impl Bench {
    /// What has to be known of the machine to read the figures.
    fn describe(&mut self, is_pinned: bool) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        match self.launcher.cores {
            Some(Cores { gateway, generator }) => self.report.note(format!(
                "gateway on core {gateway}, generator on core {generator}, one each"
            )),
            None if is_pinned => self.report.note(format!(
                "{cores} cores; gateway and generator could not be given one each"
            )),
            None => self
                .report
                .note(format!("{cores} cores; gateway and generator not pinned")),
        }
        if self.files < 12_000 {
            self.report.note(format!(
                "only {} files may be open (`ulimit -n`): fewer connections than wanted",
                self.files
            ));
        }
    }

    /// As many connections as wanted, or as the system allows.
    fn possible(&self, clients: usize, per_client: usize) -> usize {
        clients.min(self.files.saturating_sub(128) / per_client.max(1))
    }
}

/// The figures go to the file too: whoever has read enough (`| head`) does not end the run.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

/// Says on a terminal what goes on.
struct Progress {
    is_shown: bool,
}

impl Progress {
    fn show(&self, text: &str) {
        if self.is_shown {
            // Nothing depends on it.
            let _ = write!(io::stderr(), "\r\x1b[K  {text}");
        }
    }

    fn clear(&self) {
        if self.is_shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
