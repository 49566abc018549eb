//! The gateway is killed and restarted, and all clients reconnect at once.

use std::time::{Duration, Instant};

use super::Scenario;
use crate::bench::Bench;
use crate::error::BenchError;
use crate::stats::{median, ms};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "reconnect",
    title: "all clients reconnect at once after the gateway was killed",
    run,
};

/// Measured restarts.
const RESTARTS: usize = 3;
const LIMIT: Duration = Duration::from_secs(120);

fn run(bench: &mut Bench) -> Result<(), BenchError> {
    if !bench.launcher.can_start() {
        bench
            .report
            .note("reconnect: skipped, because the gateway was not started here");
        return Ok(());
    }
    let clients = bench.possible(bench.size.big_storm, 1);
    let cap = (clients * 2).to_string();
    let options = ["--max-entries", cap.as_str()];
    let plans = |bench: &Bench| {
        (0..clients)
            .map(|number| bench.profiles.tracked(number, None, true, false))
            .collect::<Vec<_>>()
    };
    let mut gateway = bench.launcher.start(&bench.profiles, &options)?;
    let mut fleet = bench.launcher.fleet(gateway.address)?;
    fleet.open(plans(bench), bench.size.concurrency, LIMIT)?;
    let mut times = Vec::new();
    let restarts = bench.size.storms.min(RESTARTS);
    for number in 0..restarts {
        bench
            .progress
            .show(&format!("restart {} of {restarts}", number + 1));
        let port = gateway.address.port();
        gateway.kill();
        fleet.rest(Duration::from_millis(200))?;
        let begun = Instant::now();
        gateway = bench.launcher.start_on(port, &bench.profiles, &options)?;
        fleet = bench.launcher.fleet(gateway.address)?;
        let opened = fleet.open(plans(bench), clients, LIMIT)?;
        if let Some(failure) = opened.failures.first() {
            bench.report.note(format!(
                "reconnect: {} of {clients} clients did not reconnect: {failure}",
                opened.failures.len()
            ));
        }
        times.push(ms(begun.elapsed()));
    }
    bench.report.add("reconnect.clients", clients as f64, "clients");
    bench.report.add(
        "reconnect.time",
        median(&times),
        "ms from the start to the last hello",
    );
    Ok(())
}
