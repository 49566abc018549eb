//! Idle connections: their memory, and the cost of pings and ticks.

use std::time::{Duration, Instant};

use super::Scenario;
use crate::bench::Bench;
use crate::error::BenchError;
use crate::fleet::Fleet;
use crate::launcher::Launcher;
use crate::requests::fill;
use crate::stats::ms;

pub(super) const PLAIN: Scenario = Scenario {
    name: "idle",
    title: "idle connections whose hello held all rows: memory, processor time with pings",
    run: |bench| {
        let launcher = bench.launcher.clone();
        run(bench, &launcher, "idle")
    },
};

pub(super) const ENCRYPTED: Scenario = Scenario {
    name: "idle-tls",
    title: "the same by TLS",
    run: |bench| {
        if !bench.launcher.is_own() {
            bench
                .report
                .note("idle-tls: this gateway gets no certificate here".to_owned());
            return Ok(());
        }
        let launcher = bench.launcher.encrypted()?;
        run(bench, &launcher, "idle-tls")
    },
};

fn run(bench: &mut Bench, launcher: &Launcher, name: &str) -> Result<(), BenchError> {
    let clients = bench.possible(bench.size.idle, 1);
    let gateway = launcher.start(&bench.profiles, &[])?;
    let mut fleet = launcher.fleet(gateway.address)?;
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
            "{name}: {} of {clients} clients did not connect: {failure}",
            opened.failures.len()
        ));
    }
    fleet.rest(Duration::from_millis(500))?;
    let live = (fleet.live() - 1).max(1) as f64;
    let after = gateway.memory_kb();
    bench.report.add(format!("{name}.clients"), live, "clients");
    bench.report.add(
        format!("{name}.connects"),
        live / opened.time.as_secs_f64(),
        "per s",
    );
    bench.report.add(
        format!("{name}.hello"),
        fleet.clients[1].seen.hello_len as f64,
        "bytes",
    );
    bench
        .report
        .add(format!("{name}.per_client"), (after - before) / live, "kB");
    bench.report.add(format!("{name}.memory"), after, "kB");
    bench.progress.show("watching them");
    let pings = |fleet: &Fleet| fleet.clients.iter().map(|client| client.seen.pings).sum::<u64>();
    let (cpu, pinged, begun) = (gateway.cpu_ms(), pings(&fleet), Instant::now());
    fleet.rest(bench.size.idle_time)?;
    bench.report.add(
        format!("{name}.cpu"),
        (gateway.cpu_ms() - cpu) / ms(begun.elapsed()) * 100.0,
        "% of a core",
    );
    bench.report.add(
        format!("{name}.pings"),
        (pings(&fleet) - pinged) as f64 / live,
        "per client",
    );
    bench
        .report
        .add(format!("{name}.memory_after"), gateway.memory_kb(), "kB");
    Ok(())
}
