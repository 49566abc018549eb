//! Attacks, and their effect on normal clients.

mod normal;

use std::time::{Duration, Instant};

use normal::Normal;

use super::Scenario;
use crate::attack::{Attack, Attackers};
use crate::bench::{Bench, WAIT};
use crate::client::Stage;
use crate::error::BenchError;
use crate::fleet::Fleet;
use crate::process::GatewayProcess;
use crate::stats::{median, ms};
use crate::system;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "hostile",
    title: "floods of sockets, clients, requests, frames, rows and handshakes: delay of others, memory, stop",
    run,
};

/// Time in which memory should be released.
const BACK_TIME: Duration = Duration::from_secs(10);
/// Memory counts as released if at most this much more is used than before: a part of it or kB, whichever is more.
const BACK_PART: f64 = 0.1;
const BACK_KB: f64 = 4.0 * 1024.0;

/// Sockets of the attacks that need many: more than the gateway has slots for unauthenticated sockets, fewer than half
/// of these, and as many as may send a first message.
const SILENT_SOCKETS: usize = 2_500;
const REQUEST_SOCKETS: usize = 1_000;
const HELLO_SOCKETS: usize = 1_500;

/// Worst values of all attacks.
#[derive(Default)]
struct Worst {
    wait_ms: f64,
    stop_ms: f64,
    memory_kb: f64,
    memory_after_kb: f64,
    memory_again_kb: f64,
    unanswered: f64,
}

fn run(bench: &mut Bench) -> Result<(), BenchError> {
    let sockets = |wanted: usize| bench.possible(wanted.min(bench.size.hostile_sockets), 2);
    let attacks = [
        ("churn", Attack::Churn),
        ("silent", Attack::Silent(sockets(SILENT_SOCKETS))),
        ("requests", Attack::Requests(sockets(REQUEST_SOCKETS))),
        ("pings", Attack::Pings),
        ("client_pings", Attack::ClientPings),
        ("pieces", Attack::Pieces),
        ("client_pieces", Attack::ClientPieces),
        ("guesses", Attack::Guesses),
        ("joins", Attack::Joins),
        ("params", Attack::Params),
        ("rows", Attack::Rows(bench.size.rows.saturating_sub(1))),
        ("hellos", Attack::Hellos(sockets(HELLO_SOCKETS))),
    ];
    let mut worst = Worst::default();
    for (name, attack) in attacks {
        one(bench, name, attack, &mut worst)?;
    }
    for (name, value, unit) in [
        ("worst", worst.wait_ms, "ms, the worst of all attacks"),
        (
            "stop",
            worst.stop_ms,
            "ms from SIGTERM to the client, the worst of all attacks",
        ),
        (
            "memory",
            worst.memory_kb,
            "kB more at most, the worst of all attacks",
        ),
        (
            "memory_after",
            worst.memory_after_kb,
            "kB more after, the worst of all attacks but `rows`",
        ),
        (
            "memory_again",
            worst.memory_again_kb,
            "kB more at most in all runs than in the first, the worst of all attacks",
        ),
        ("unanswered", worst.unanswered, "of all attacks"),
    ] {
        bench.report.add(format!("hostile.{name}"), value, unit);
    }
    Ok(())
}

/// A fresh gateway with idle clients. Number 0 is the normal one.
fn prepare(bench: &Bench) -> Result<(GatewayProcess, Fleet), BenchError> {
    let gateway = bench.launcher.start(&bench.profiles, &[])?;
    let mut fleet = bench.launcher.fleet(gateway.address)?;
    let others = bench.possible(bench.size.readers, 2);
    let plans = (0..=others)
        .map(|_| bench.profiles.observer(false, false))
        .collect();
    fleet
        .open(plans, bench.size.concurrency, Duration::from_secs(120))?
        .complete()?;
    fleet.rest(Duration::from_millis(300))?;
    Ok((gateway, fleet))
}

/// One attack on a fresh gateway. The medians over the runs count, of the longest wait and of the time to stop.
fn one(bench: &mut Bench, name: &str, attack: Attack, worst_of_all: &mut Worst) -> Result<(), BenchError> {
    let (gateway, mut fleet) = prepare(bench)?;
    let before_kb = gateway.memory_kb();
    let mut first_most_kb = f64::NAN;
    let (mut worst, mut middle, mut unanswered, mut rates) = (Vec::new(), Vec::new(), 0, Vec::new());
    for round in 0..bench.size.hostile_runs {
        bench.progress.show(&format!(
            "{name}, run {} of {}",
            round + 1,
            bench.size.hostile_runs
        ));
        let begun = Instant::now();
        let attackers = Attackers::start(attack, gateway.address, &bench.launcher.token);
        let mut normal = Normal::default();
        normal.run(bench, &mut fleet, gateway.address, bench.size.hostile_time)?;
        rates.push(attackers.hits() as f64 / begun.elapsed().as_secs_f64());
        wait_for_hit(bench, &mut fleet, &attackers)?;
        drop(attackers);
        worst.push(normal.waits.iter().copied().fold(0.0, f64::max));
        middle.push(median(&normal.waits));
        unanswered += normal.failed;
        if round == 0 {
            first_most_kb = gateway.most_kb();
        }
    }
    let after_kb = wait_for_memory(&mut fleet, &gateway, before_kb)?;
    let most_kb = gateway.most_kb();
    let mut figures = vec![
        ("worst", median(&worst), "ms, the longest wait"),
        ("median", median(&middle), "ms"),
        ("unanswered", f64::from(unanswered), "of all"),
        ("memory", most_kb - before_kb, "kB more at most"),
        ("memory_after", after_kb - before_kb, "kB more after"),
        (
            "memory_again",
            most_kb - first_most_kb,
            "kB more at most in all runs than in the first",
        ),
    ];
    match attack {
        Attack::Churn => figures.push(("rate", median(&rates), "sockets per s")),
        Attack::Joins => figures.push(("rate", median(&rates), "clients per s")),
        _ => {}
    }
    if bench.launcher.can_start() {
        let stop_ms = stops(bench, name, attack, (gateway, fleet))?;
        figures.push(("stop", stop_ms, "ms from SIGTERM to the client"));
        worst_of_all.stop_ms = worst_of_all.stop_ms.max(stop_ms);
    }
    for (figure, value, unit) in figures {
        bench.report.add(format!("hostile.{name}.{figure}"), value, unit);
    }
    worst_of_all.wait_ms = worst_of_all.wait_ms.max(median(&worst));
    worst_of_all.memory_kb = worst_of_all.memory_kb.max(most_kb - before_kb);
    // Memory that the allocator keeps serves the next run; memory that is never freed adds to it.
    worst_of_all.memory_again_kb = worst_of_all.memory_again_kb.max(most_kb - first_most_kb);
    // Rows stay until their TTL is over.
    if !matches!(attack, Attack::Rows(_)) {
        worst_of_all.memory_after_kb = worst_of_all.memory_after_kb.max(after_kb - before_kb);
    }
    worst_of_all.unanswered += f64::from(unanswered);
    Ok(())
}

/// Waits until the attack has reached its aim. Other gateways may answer in other words, so for these a failure is a
/// note.
fn wait_for_hit(bench: &mut Bench, fleet: &mut Fleet, attackers: &Attackers) -> Result<(), BenchError> {
    fleet.pump(WAIT, |_| attackers.is_decided())?;
    match attackers.check() {
        Err(error) if !bench.launcher.is_own() => {
            bench.report.note(format!("hostile: {error}"));
            Ok(())
        }
        outcome => outcome,
    }
}

/// Waits until memory is released, or for [`BACK_TIME`]. Returns the memory in kB.
fn wait_for_memory(fleet: &mut Fleet, gateway: &GatewayProcess, before_kb: f64) -> Result<f64, BenchError> {
    let begun = Instant::now();
    let most = before_kb + f64::max(before_kb * BACK_PART, BACK_KB);
    loop {
        let now_kb = gateway.memory_kb();
        if now_kb.is_nan() || now_kb <= most || begun.elapsed() >= BACK_TIME {
            return Ok(now_kb);
        }
        fleet.rest(Duration::from_millis(200))?;
    }
}

/// Stops a gateway under attack, once in each run. Returns the median of the times until the client is closed, in ms.
fn stops(
    bench: &mut Bench,
    name: &str,
    attack: Attack,
    first: (GatewayProcess, Fleet),
) -> Result<f64, BenchError> {
    let mut times = Vec::new();
    let mut next = Some(first);
    for round in 0..bench.size.hostile_runs {
        let show = format!("{name}, stop {} of {}", round + 1, bench.size.hostile_runs);
        bench.progress.show(&show);
        let (gateway, mut fleet) = match next.take() {
            Some(first) => first,
            None => prepare(bench)?,
        };
        let attackers = Attackers::start(attack, gateway.address, &bench.launcher.token);
        wait_for_hit(bench, &mut fleet, &attackers)?;
        fleet.rest(Duration::from_millis(300))?;
        times.push(stop(&mut fleet, &gateway)?);
    }
    Ok(median(&times))
}

/// Stops the gateway. Returns the time until the client is closed, in ms.
fn stop(fleet: &mut Fleet, gateway: &GatewayProcess) -> Result<f64, BenchError> {
    let Some(pid) = gateway.pid else {
        return Ok(f64::NAN);
    };
    if fleet.clients[0].stage != Stage::Live {
        return Err(BenchError::Gateway(
            "the attack closed the connection of a normal client".to_owned(),
        ));
    }
    let begun = Instant::now();
    system::terminate(pid);
    fleet.pump(WAIT, |fleet| fleet.clients[0].stage == Stage::Ended)?;
    Ok(ms(begun.elapsed()))
}
