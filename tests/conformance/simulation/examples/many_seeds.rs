//! Runs many seeds of a world on all cores: `cargo xtask simulate --world fleet --from 1000 --seeds 5000`.
//!
//! Prints the progress, and for each failed seed the command that runs it alone.

use std::io::Write as _;
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use presence_simulation::fleet::{Observers, Shared};
use presence_simulation::{fleet_seeded, seeded};

/// How many seeds are run between two lines about the progress.
const STEP: u64 = 100;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [world, from, count] = &*arguments else {
        return usage();
    };
    let run = match &**world {
        "pair" => seeded::run,
        "fleet" => fleet_seeded::run::<Observers>,
        "cluster" => fleet_seeded::run::<Shared>,
        _ => return usage(),
    };
    let (Ok(from), Ok(count)) = (from.parse::<u64>(), count.parse::<u64>()) else {
        return usage();
    };
    let end = from.saturating_add(count);
    let (next, failed, started) = (AtomicU64::new(from), Mutex::new(Vec::new()), Instant::now());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    if catch_unwind(|| run(seed)).is_err()
                        && let Ok(mut failed) = failed.lock()
                    {
                        failed.push(seed);
                        say(&format!(
                            "seed {seed} failed; run it again: cargo xtask simulate --world {world} --from {seed} --seeds 1"
                        ));
                    }
                    let done = seed - from + 1;
                    if done.is_multiple_of(STEP) {
                        say(&format!(
                            "{done} of {count} seeds, {} s",
                            started.elapsed().as_secs()
                        ));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_default();
    say(&format!(
        "{count} seeds of the world {world} from {from} on, {} failed",
        failed.len()
    ));
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn usage() -> ExitCode {
    eprintln!("seeds pair|fleet|cluster FROM COUNT");
    ExitCode::from(2)
}

/// The reader may have closed the pipe, which is not an error.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
