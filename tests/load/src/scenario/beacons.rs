//! Beacons from many connections, which also receive all changes.

use std::time::Duration;

use super::Scenario;
use crate::bench::{Bench, WAIT};
use crate::error::BenchError;
use crate::fleet::Goal;
use crate::requests::{beacon, fill};
use crate::stats::ms;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "beacons",
    title: "beacons from many connections: rate accepted, time to convergence",
    run,
};

/// Beacons in flight per connection, and the names of the figures.
const DEPTHS: [(usize, &str); 2] = [(1, "one"), (16, "pipelined")];

fn run(bench: &mut Bench) -> Result<(), BenchError> {
    let clients = bench.size.beacons;
    // The gateway's own row is one of them.
    let rows = bench.size.rows - 1;
    for (depth, name) in DEPTHS {
        bench
            .progress
            .show(&format!("{clients} connections, {depth} at a time"));
        let gateway = bench.launcher.start(&bench.profiles, &[])?;
        let mut fleet = bench.launcher.fleet(gateway.address)?;
        let plans = (0..clients)
            .map(|_| bench.profiles.observer(false, false))
            .collect();
        fleet
            .open(plans, bench.size.concurrency, Duration::from_secs(60))?
            .complete()?;
        fill(&mut fleet, bench.size.rows)?;
        fleet.rest(Duration::from_millis(300))?;
        let version = fleet.newest_version();
        let next = Box::new(
            move |client: &mut crate::client::LoadClient, number: usize, sent: u64| {
                client.push(&beacon(sent, number % rows, sent));
            },
        );
        let cpu = gateway.cpu_ms();
        let refused_before = fleet.refused();
        let (accepted, time, last) = fleet.load(0..clients, depth, bench.size.load_time, next)?;
        // Every accepted beacon is one presence version.
        fleet.aim(Goal::Version(version + accepted));
        let converged = fleet.reach(WAIT)?;
        bench.report.add(
            format!("beacons.{name}.rate"),
            accepted as f64 / time.as_secs_f64(),
            "per s",
        );
        bench.report.add(
            format!("beacons.{name}.cpu"),
            (gateway.cpu_ms() - cpu) * 1_000.0 / accepted.max(1) as f64,
            "us of the gateway's core each",
        );
        match converged {
            Some(at) => bench.report.add(
                format!("beacons.{name}.converged"),
                ms(at.saturating_duration_since(last)),
                "ms after the last",
            ),
            None => bench.report.note(format!(
                "beacons.{name}: not all clients received the last version"
            )),
        }
        let refused = fleet.refused() - refused_before;
        if refused > 0 {
            bench.report.note(format!("beacons.{name}: {refused} refused"));
        }
    }
    Ok(())
}
