//! Idle connections: their memory, and the cost of pings and ticks.

use std::time::{Duration, Instant};

use super::Scenario;
use crate::bench::Bench;
use crate::error::BenchError;
use crate::fleet::Fleet;
use crate::requests::fill;
use crate::stats::ms;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "idle",
    title: "idle connections whose hello held all rows: memory, processor time with pings",
    run,
};

fn run(bench: &mut Bench) -> Result<(), BenchError> {
    let clients = bench.possible(bench.size.idle, 1);
    let gateway = bench.launcher.start(&bench.profiles, &[])?;
    let mut fleet = Fleet::new(gateway.address)?;
    fleet.open(
        vec![bench.profiles.observer(false, false)],
        1,
        Duration::from_secs(30),
    )?;
    fill(&mut fleet, bench.size.rows)?;
    fleet.rest(Duration::from_millis(300))?;
    let before = gateway.memory_kb();
    bench.progress.show(&format!("connecting {clients} clients"));
    let plans = (0..clients)
        .map(|_| bench.profiles.observer(false, false))
        .collect();
    let opened = fleet.open(plans, bench.size.concurrency, Duration::from_secs(120))?;
    if let Some(failure) = opened.failures.first() {
        bench.report.note(format!(
            "idle: {} of {clients} clients did not connect: {failure}",
            opened.failures.len()
        ));
    }
    fleet.rest(Duration::from_millis(500))?;
    let live = (fleet.live() - 1).max(1) as f64;
    let after = gateway.memory_kb();
    bench.report.add("idle.clients", live, "clients");
    bench
        .report
        .add("idle.connects", live / opened.time.as_secs_f64(), "per s");
    bench
        .report
        .add("idle.hello", fleet.clients[1].seen.hello_len as f64, "bytes");
    bench.report.add("idle.per_client", (after - before) / live, "kB");
    bench.report.add("idle.memory", after, "kB");
    bench.progress.show("watching them");
    let pings = |fleet: &Fleet| fleet.clients.iter().map(|client| client.seen.pings).sum::<u64>();
    let (cpu, pinged, begun) = (gateway.cpu_ms(), pings(&fleet), Instant::now());
    fleet.rest(bench.size.idle_time)?;
    bench.report.add(
        "idle.cpu",
        (gateway.cpu_ms() - cpu) / ms(begun.elapsed()) * 100.0,
        "% of a core",
    );
    bench
        .report
        .add("idle.pings", (pings(&fleet) - pinged) as f64 / live, "per client");
    bench.report.add("idle.memory_after", gateway.memory_kb(), "kB");
    Ok(())
}
