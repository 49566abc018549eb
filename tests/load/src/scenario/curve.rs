//! Fan-out over the number of connections: cost should grow no faster than the work.

use std::time::Duration;

use super::Scenario;
use super::fanout::{Sender, pause, readers_of};
use crate::bench::Bench;
use crate::error::BenchError;
use crate::stats::median;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "curve",
    title: "memory and fan-out over the number of connections",
    run,
};

/// Rounds per point.
const ROUNDS: usize = 5;

fn run(bench: &mut Bench) -> Result<(), BenchError> {
    for &wanted in bench.size.curve {
        let clients = bench.possible(wanted, 1);
        for (deltas, kind) in [(false, "full"), (true, "delta")] {
            bench.progress.show(&format!("{clients} connections, {kind}"));
            let gateway = bench.launcher.start(&bench.profiles, &[])?;
            let empty = gateway.memory_kb();
            let mut fleet = readers_of(bench, bench.launcher.fleet(gateway.address)?, clients, deltas)?;
            fleet.rest(Duration::from_millis(300))?;
            let name = format!("curve.{clients}.{kind}");
            bench
                .report
                .add(format!("{name}.memory"), gateway.memory_kb(), "kB");
            bench.report.add(
                format!("{name}.per_client"),
                (gateway.memory_kb() - empty) / clients as f64,
                "kB",
            );
            let mut sender = Sender::new(bench.size.rows);
            sender.warm_up(&mut fleet)?;
            let mut times = Vec::new();
            for _ in 0..ROUNDS {
                let took = sender.round(&mut fleet)?;
                times.push(took);
                fleet.rest(pause(took))?;
            }
            let last = median(&times);
            bench.report.add(format!("{name}.last"), last, "ms");
            bench.report.add(
                format!("{name}.each"),
                last * 1_000.0 / clients as f64,
                "us per reader",
            );
        }
    }
    Ok(())
}
