//! The load generator: measures any gateway that speaks the protocol, and a bare TCP server beside it.
//!
//! ```text
//!   core 0                               core 1
//!   gateway (a process of its own)    ◄─► this program: one thread, one `Fleet` of connections
//!   bare server (a process of its own) ◄─► a second `Fleet`; pairs are measured one after the other
//! ```
//!
//! The core's client does the handshakes, device proofs included. Frames after hello are scanned in the read
//! buffer, not parsed. Where mirrors are compared, frames are kept and replayed through the core's client after
//! the measurement, so that the generator is not what is measured.

mod attack;
mod bare;
mod bench;
mod certificate;
mod client;
mod clock;
mod error;
mod fleet;
mod launcher;
mod line;
mod options;
mod process;
mod profiles;
mod progress;
mod report;
mod requests;
mod run;
mod scenario;
mod signer;
mod size;
mod stats;
mod system;
mod ws_frame;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use error::BenchError;
use options::{Cli, Command, Options};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Some(Command::Bare(options)) => bare::serve(&options).map_err(BenchError::from),
        None if cli.options.list => {
            list();
            Ok(())
        }
        None => measure(&cli.options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("presence-load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn list() {
    for scenario in scenario::ALL {
        print(&format!("{:<14} {}\n", scenario.name, scenario.title));
    }
}

fn measure(options: &Options) -> Result<(), BenchError> {
    let report = run::run(options)?;
    if let Some(path) = &options.json {
        std::fs::write(path, report + "\n").map_err(|source| BenchError::Report {
            path: path.clone(),
            source,
        })?;
    }
    Ok(())
}

/// Writes to stdout. A closed pipe (`| head`) does not end the run: the figures go to the report too.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}
