//! Connections that do nothing but stay: their memory, and what pings and ticks cost.

use std::time::{Duration, Instant};

use super::Scenario;
use crate::bench::Bench;
use crate::crew::fill;
use crate::error::BenchError;
use crate::fleet::Fleet;
use crate::stats::ms;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "idle",
    title: "idle connections whose hello held all rows: memory, processor time with pings",
    run,
};

fn run(bench: &mut Bench) -> Result<(), BenchError> {
    let clients = bench.possible(bench.size.idle, 1);
    let subject = bench.launcher.start(&bench.crew, &[])?;
    let mut fleet = Fleet::new(subject.address)?;
    fleet.open(
        vec![bench.crew.observer(false, false)],
        1,
        Duration::from_secs(30),
    )?;
    fill(&mut fleet, bench.size.rows)?;
    fleet.rest(Duration::from_millis(300))?;
    let before = subject.memory_kb();
    bench.progress.show(&format!("connecting {clients} clients"));
    let plans = (0..clients).map(|_| bench.crew.observer(false, false)).collect();
    let opened = fleet.open(plans, bench.size.concurrency, Duration::from_secs(120))?;
    if let Some(failure) = opened.failures.first() {
        bench.report.note(format!(
            "idle: {} of {clients} clients did not connect: {failure}",
            opened.failures.len()
        ));
    }
    fleet.rest(Duration::from_millis(500))?;
    let live = (fleet.live() - 1).max(1) as f64;
    let after = subject.memory_kb();
    bench.report.add("idle.clients", live, "clients");
    bench
        .report
        .add("idle.connects", live / opened.time.as_secs_f64(), "per s");
    bench
        .report
        .add("idle.hello", fleet.links[1].seen.hello_len as f64, "bytes");
    bench.report.add("idle.per_client", (after - before) / live, "kB");
    bench.report.add("idle.memory", after, "kB");
    bench.progress.show("watching them");
    let pings = |fleet: &Fleet| fleet.links.iter().map(|link| link.seen.pings).sum::<u64>();
    let (cpu, pinged, begun) = (subject.cpu_ms(), pings(&fleet), Instant::now());
    fleet.rest(bench.size.idle_time)?;
    bench.report.add(
        "idle.cpu",
        (subject.cpu_ms() - cpu) / ms(begun.elapsed()) * 100.0,
        "% of a core",
    );
    bench
        .report
        .add("idle.pings", (pings(&fleet) - pinged) as f64 / live, "per client");
    bench.report.add("idle.memory_after", subject.memory_kb(), "kB");
    Ok(())
}
