//! As many connections as one gateway should serve: their memory, the cost of pings, a change for all, a restart.

use std::time::{Duration, Instant};

use super::Scenario;
use super::fanout::{Sender, bare_round, pause, readers_of};
use crate::bare::{BareOptions, BareWork};
use crate::bench::Bench;
use crate::error::BenchError;
use crate::fleet::Fleet;
use crate::profiles::Profiles;
use crate::stats::{median, ms};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "many",
    title: "100,000 connections, or as many as files may be open: memory, pings, a delta for all, a restart",
    run,
};

/// Changes for all.
const ROUNDS: usize = 7;
/// Clients that come back at once. Real clients wait a random time first.
const BACK_AT_ONCE: usize = 1_000;
const SPARE_SLOTS: usize = 64;
const LIMIT: Duration = Duration::from_secs(300);

fn run(bench: &mut Bench) -> Result<(), BenchError> {
    // Some slots stay free, for connections that are closing.
    let slots = bench.possible(bench.size.many + SPARE_SLOTS, 1);
    let clients = slots.saturating_sub(SPARE_SLOTS).max(1);
    if clients < bench.size.many {
        bench.report.note(format!(
            "many: {clients} connections instead of {}, because only {} files may be open (`ulimit -Hn`)",
            bench.size.many, bench.files
        ));
    }
    let options = ["--max-connections", &slots.to_string()];
    let mut gateway = bench.launcher.start(&bench.profiles, &options)?;
    let empty = gateway.memory_kb();
    bench.progress.show(&format!("connecting {clients} clients"));
    let fleet = fleet(bench, gateway.address)?;
    let begun = Instant::now();
    let mut fleet = readers_of(bench, fleet, clients, true)?;
    let connecting = begun.elapsed();
    fleet.rest(Duration::from_millis(500))?;
    let memory = gateway.memory_kb();
    bench.report.add("many.clients", clients as f64, "clients");
    bench.report.add(
        "many.connects",
        clients as f64 / connecting.as_secs_f64(),
        "per s",
    );
    bench.report.add("many.memory", memory, "kB");
    bench
        .report
        .add("many.per_client", (memory - empty) / clients as f64, "kB");
    bench.progress.show("watching them");
    let (cpu, begun) = (gateway.cpu_ms(), Instant::now());
    fleet.rest(bench.size.idle_time)?;
    bench.report.add(
        "many.cpu",
        (gateway.cpu_ms() - cpu) / ms(begun.elapsed()) * 100.0,
        "% of a core",
    );
    let len = measure_delta(bench, &mut fleet)?;
    if bench.launcher.can_start() {
        bench.progress.show("killing the gateway");
        let port = gateway.address.port();
        gateway.kill();
        drop(fleet);
        let begun = Instant::now();
        gateway = bench.launcher.start_on(port, &bench.profiles, &options)?;
        let mut fleet = self::fleet(bench, gateway.address)?;
        let plans = (0..clients)
            .map(|_| bench.profiles.observer(true, false))
            .collect();
        fleet.open(plans, BACK_AT_ONCE, LIMIT)?.complete()?;
        bench.report.add(
            "many.restart",
            begun.elapsed().as_secs_f64(),
            "s from the start to the last hello",
        );
    }
    drop(gateway);
    measure_bare(bench, clients, len)
}

fn fleet(bench: &Bench, address: std::net::SocketAddr) -> Result<Fleet, BenchError> {
    Ok(bench
        .launcher
        .fleet(address)?
        .with_many_addresses(bench.size.per_address))
}

/// Returns the bytes of the frame that readers receive.
fn measure_delta(bench: &mut Bench, fleet: &mut Fleet) -> Result<usize, BenchError> {
    bench.progress.show("a change for all");
    let mut sender = Sender::new(bench.size.rows);
    let len = sender.warm_up(fleet)?;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let took = sender.round(fleet)?;
        times.push(took);
        fleet.rest(pause(took))?;
    }
    bench
        .report
        .add("many.delta", median(&times), "ms to the last client");
    Ok(len)
}

/// The bare server takes the gateway's place: both at once would need twice the files.
fn measure_bare(bench: &mut Bench, clients: usize, len: usize) -> Result<(), BenchError> {
    bench.progress.show("the same by bare TCP");
    let bare = bench.launcher.bare(&BareOptions {
        work: BareWork::Broadcast,
        text_bytes: len,
        request_bytes: 1,
        tls_cert: None,
        tls_key: None,
    })?;
    let mut limit = bench
        .launcher
        .bare_fleet(bare.address)?
        .with_many_addresses(bench.size.per_address);
    let plans = (0..clients).map(|_| Profiles::bare()).collect();
    limit.open(plans, bench.size.concurrency, LIMIT)?.complete()?;
    bare_round(&mut limit)?;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let took = bare_round(&mut limit)?;
        times.push(took);
        limit.rest(pause(took))?;
    }
    bench.report.add("many.bare", median(&times), "ms");
    Ok(())
}
