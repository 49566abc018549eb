//! Time from a change at an observed gateway until a reader of the observing one has it, and the cost of observing.

use std::time::{Duration, Instant};

use super::Scenario;
use crate::bench::{Bench, WAIT};
use crate::error::BenchError;
use crate::fleet::Goal;
use crate::requests::{beacon, fill_with};
use crate::stats::{median, ms, percentile};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "observe",
    title: "a change at an observed gateway until a reader of the observing one has it",
    run,
};

/// Numbers of observed gateways.
const GATEWAYS: [usize; 4] = [1, 2, 4, 8];
/// Longer than the coalescing windows of both gateways.
const PAUSE: Duration = Duration::from_millis(120);
/// Rounds that are not measured.
const WARM_UP: usize = 2;

fn run(bench: &mut Bench) -> Result<(), BenchError> {
    if !bench.launcher.is_own() {
        bench
            .report
            .note("observe: this gateway observes no others".to_owned());
        return Ok(());
    }
    for count in GATEWAYS {
        measure(bench, count)?;
    }
    Ok(())
}

fn measure(bench: &mut Bench, count: usize) -> Result<(), BenchError> {
    let mut observed = Vec::new();
    let mut options = Vec::new();
    for number in 0..count {
        let gateway = bench.launcher.start(&bench.profiles, &[])?;
        let mut writers = bench.launcher.fleet(gateway.address)?;
        let plans = vec![bench.profiles.observer(false, false)];
        writers.open(plans, 1, WAIT)?.complete()?;
        let first = number * bench.size.rows;
        fill_with(&mut writers, first..first + bench.size.rows - 1)?;
        let token = &bench.launcher.token;
        options.extend([
            "--observe".to_owned(),
            format!("g{number}=ws://{}", gateway.address),
        ]);
        options.extend(["--observe-token".to_owned(), format!("g{number}={token}")]);
        observed.push((gateway, writers));
    }
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let observer = bench.launcher.start(&bench.profiles, &options)?;
    let mut readers = bench.launcher.fleet(observer.address)?;
    let plans = vec![bench.profiles.observer(true, false)];
    readers.open(plans, 1, WAIT)?.complete()?;
    readers.rest(Duration::from_millis(1_000))?;

    let mut times = Vec::new();
    for round in 0..WARM_UP + 5 * bench.size.pairs {
        bench
            .progress
            .show(&format!("{count} observed gateways, round {round}"));
        let (_, writers) = &mut observed[round % count];
        let (row, mark) = (round % count * bench.size.rows, round as u64 + 1);
        readers.aim(Goal::Version(readers.newest_version() + 1));
        let begun = Instant::now();
        writers.send(0, &beacon(mark, row, mark));
        let Some(last) = readers.reach(WAIT)? else {
            return Err(BenchError::Gateway("a change did not get through".to_owned()));
        };
        if round >= WARM_UP {
            times.push(ms(last.saturating_duration_since(begun)));
        }
        writers.rest(PAUSE)?;
    }
    let name = |what: &str| format!("observe.{count}.{what}");
    bench.report.add(name("p50"), median(&times), "ms");
    bench.report.add(name("p99"), percentile(&times, 99.0), "ms");
    bench.report.add(
        name("memory"),
        observer.memory_kb(),
        "kB of the observing gateway",
    );
    Ok(())
}
