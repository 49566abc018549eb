//! Connect storms: many clients connect at once, each with a row of its own.

use std::time::{Duration, Instant};

use presence_core::client::Client;
use presence_core::digest::of_raw;
use presence_core::model::RawEntry;

use super::Scenario;
use crate::bench::Bench;
use crate::clock;
use crate::error::BenchError;
use crate::fleet::{Fleet, Goal};
use crate::process::GatewayProcess;
use crate::stats::{median, ms};

pub(super) const SIGNED: Scenario = Scenario {
    name: "storm",
    title: "tracked clients connect at once, with device proof unless --unsigned",
    run: plain,
};

pub(super) const DELTAS: Scenario = Scenario {
    name: "storm-delta",
    title: "many tracked clients that follow by deltas connect at once, signed like storm",
    run: deltas,
};

pub(super) const FULL: Scenario = Scenario {
    name: "storm-full",
    title: "many tracked clients that follow by full lists connect at once, signed like storm",
    run: full,
};

/// Time after the last connect by which every mirror must be exact.
const SETTLE: Duration = Duration::from_millis(100);
/// Clients whose mirrors are compared if there are too many to compare all.
const SAMPLES: usize = 16;
/// Time limit of one storm.
const LIMIT: Duration = Duration::from_secs(120);

fn plain(bench: &mut Bench) -> Result<(), BenchError> {
    let clients = bench.size.storm;
    let signers = bench.profiles.signers(clients);
    let (mut times, mut frames, mut most, mut bytes, mut cpu) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let storms = bench.size.storms;
    for number in 0..storms {
        bench.progress.show(&format!("storm {} of {storms}", number + 1));
        let gateway = bench.launcher.start(&bench.profiles, &[])?;
        let mut fleet = bench.launcher.fleet(gateway.address)?;
        let plans = (0..clients)
            .map(|number| {
                bench
                    .profiles
                    .tracked(number, signers[number].as_ref(), false, false)
            })
            .collect();
        let before = gateway.cpu_ms();
        let opened = fleet.open(plans, bench.size.concurrency, LIMIT)?;
        cpu.push(gateway.cpu_ms() - before);
        note_failures(bench, "storm", &opened.failures, clients);
        fleet.rest(Duration::from_millis(500))?;
        let counts: Vec<f64> = fleet
            .clients
            .iter()
            .map(|client| client.seen.presence as f64)
            .collect();
        times.push(ms(opened.time));
        frames.push(counts.iter().sum::<f64>() / clients as f64);
        most.push(counts.iter().copied().fold(0.0, f64::max));
        bytes.push(fleet.bytes() as f64 / 1e6);
    }
    bench.report.add("storm.clients", clients as f64, "clients");
    bench.report.add("storm.time", median(&times), "ms");
    bench
        .report
        .add("storm.cpu", median(&cpu), "ms of the gateway's core");
    bench.report.add("storm.frames", median(&frames), "per client");
    bench
        .report
        .add("storm.most_frames", median(&most), "for one client");
    bench.report.add("storm.bytes", median(&bytes), "MB");
    Ok(())
}

fn deltas(bench: &mut Bench) -> Result<(), BenchError> {
    let clients = bench.possible(bench.size.big_storm, 1);
    let signers = bench.profiles.signers(clients);
    let (mut times, mut bytes, mut cpu, mut inexact) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let mut compared = 0;
    let storms = bench.size.storms;
    for number in 0..storms {
        bench.progress.show(&format!("storm {} of {storms}", number + 1));
        let gateway = start(bench, clients)?;
        let mut fleet = bench.launcher.fleet(gateway.address)?;
        let plans = (0..clients)
            .map(|client| {
                // Comparing is slow: all clients once, a sample in every other storm.
                let keeps = number == 0 || client % (clients / SAMPLES).max(1) == 0;
                bench
                    .profiles
                    .tracked(client, signers[client].as_ref(), true, keeps)
            })
            .collect();
        let (begun, before) = (Instant::now(), gateway.cpu_ms());
        let opened = fleet.open(plans, bench.size.concurrency, LIMIT)?;
        cpu.push(gateway.cpu_ms() - before);
        note_failures(bench, "storm-delta", &opened.failures, clients);
        let deadline = begun + opened.time + SETTLE;
        fleet.rest(Duration::from_millis(400))?;
        times.push(ms(opened.time));
        bytes.push(fleet.bytes() as f64 / 1e6);
        bench.progress.show("comparing the mirrors");
        // The roster as the gateway states it to a client without a row.
        let now = clock::now();
        let mut judge = judge(bench, &gateway, true)?;
        let hello = judge.clients[0].hello().unwrap_or_default();
        let digest = between(hello, r#""digest":""#, '"').to_owned();
        let version = judge.clients[0]
            .mirrored(Instant::now(), now)
            .and_then(|client| client.mirror().version());
        let is_exact = |client: Option<&Client>| {
            client.is_some_and(|client| {
                client.mirror().version() == version
                    && !digest.is_empty()
                    && client.mirror().digest().to_hex() == digest
            })
        };
        for client in fleet.clients.iter_mut().filter(|client| client.hello().is_some()) {
            compared += 1;
            inexact += usize::from(!is_exact(client.mirrored(deadline, now)));
        }
    }
    bench.report.add("storm-delta.clients", clients as f64, "clients");
    bench.report.add("storm-delta.time", median(&times), "ms");
    bench
        .report
        .add("storm-delta.cpu", median(&cpu), "ms of the gateway's core");
    bench
        .report
        .add("storm-delta.compared", compared as f64, "mirrors compared");
    bench.report.add(
        "storm-delta.inexact",
        inexact as f64,
        "of them not exact after 100 ms",
    );
    bench.report.add("storm-delta.bytes", median(&bytes), "MB");
    Ok(())
}

fn full(bench: &mut Bench) -> Result<(), BenchError> {
    let clients = bench.possible(bench.size.big_storm, 1);
    let samples = SAMPLES.min(clients);
    let signers = bench.profiles.signers(clients);
    let (mut times, mut reached, mut frames, mut bytes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut compared, mut inexact) = (0, 0);
    let storms = bench.size.storms.min(3);
    for number in 0..storms {
        bench.progress.show(&format!("storm {} of {storms}", number + 1));
        let gateway = start(bench, clients)?;
        let mut fleet = bench.launcher.fleet(gateway.address)?;
        let plans = (0..clients)
            .map(|number| {
                let keeps = number % (clients / samples).max(1) == 0;
                bench
                    .profiles
                    .tracked(number, signers[number].as_ref(), false, keeps)
            })
            .collect();
        let begun = Instant::now();
        let opened = fleet.open(plans, bench.size.concurrency, LIMIT)?;
        note_failures(bench, "storm-full", &opened.failures, clients);
        let mut judge = judge(bench, &gateway, false)?;
        let now = clock::now();
        let version = judge.clients[0].seen.version;
        fleet.aim(Goal::Version(version));
        let Some(last) = fleet.reach(LIMIT)? else {
            return Err(BenchError::Gateway(format!(
                "not all clients received version {version}"
            )));
        };
        times.push(ms(opened.time));
        reached.push(ms(last.saturating_duration_since(begun)));
        frames.push(
            fleet
                .clients
                .iter()
                .map(|client| client.seen.presence as f64)
                .sum::<f64>()
                / clients as f64,
        );
        bytes.push(fleet.bytes() as f64 / 1e6);
        let wanted = list_digest(judge.clients[0].mirrored(Instant::now(), now));
        for client in fleet.clients.iter_mut().filter(|client| client.hello().is_some()) {
            compared += 1;
            inexact += usize::from(wanted.is_none() || wanted != list_digest(client.mirrored(last, now)));
        }
    }
    bench.report.add("storm-full.clients", clients as f64, "clients");
    bench.report.add("storm-full.time", median(&times), "ms");
    bench.report.add(
        "storm-full.last_version",
        median(&reached),
        "ms until all have it",
    );
    bench
        .report
        .add("storm-full.compared", compared as f64, "mirrors compared");
    bench
        .report
        .add("storm-full.inexact", inexact as f64, "of them not exact");
    bench
        .report
        .add("storm-full.frames", median(&frames), "per client");
    bench.report.add("storm-full.bytes", median(&bytes), "MB");
    Ok(())
}

/// A gateway whose cap is larger than the number of clients.
fn start(bench: &Bench, clients: usize) -> Result<GatewayProcess, BenchError> {
    let cap = (clients * 2).to_string();
    bench.launcher.start(&bench.profiles, &["--max-entries", &cap])
}

/// A client that connects after the storm and keeps its frames.
fn judge(bench: &Bench, gateway: &GatewayProcess, deltas: bool) -> Result<Fleet, BenchError> {
    let mut fleet = bench.launcher.fleet(gateway.address)?;
    fleet
        .open(vec![bench.profiles.observer(deltas, true)], 1, LIMIT)?
        .complete()?;
    Ok(fleet)
}

/// A digest of a list, without times.
fn list_digest(client: Option<&Client>) -> Option<u64> {
    let sum = |sum: u64, entry: &RawEntry| sum.wrapping_add(of_raw("", entry));
    Some(client?.mirror().raw_list().fold(0, sum))
}

fn between<'a>(text: &'a str, start: &str, end: char) -> &'a str {
    text.split_once(start)
        .and_then(|(_, rest)| rest.split_once(end))
        .map_or("", |(found, _)| found)
}

fn note_failures(bench: &mut Bench, name: &str, failures: &[String], clients: usize) {
    if let Some(failure) = failures.first() {
        bench.report.note(format!(
            "{name}: {} of {clients} clients did not connect: {failure}",
            failures.len()
        ));
    }
}
