//! Runs many seeds on all cores: `cargo xtask simulate --from 1000 --seeds 5000`.
//!
//! Says how far it is, and how a seed that failed can be run again, alone.

use std::io::Write as _;
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use presence_simulation::seeded::run;

/// How many seeds are run between two lines about the progress.
const STEP: u64 = 500;

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let (Some(Ok(from)), Some(Ok(count)), None) = (numbers.next(), numbers.next(), numbers.next()) else {
        eprintln!("seeds FROM COUNT");
        return ExitCode::from(2);
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
                            "seed {seed} failed; run it again: cargo xtask simulate --from {seed} --seeds 1"
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
    say(&format!("{count} seeds from {from} on, {} failed", failed.len()));
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Nobody may listen any more: then there is nothing to do about it.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
