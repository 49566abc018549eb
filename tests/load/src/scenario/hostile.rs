//! Attacks, and what a client that does nothing wrong notices of them.

mod normal;

use std::time::{Duration, Instant};

use normal::Normal;

use super::Scenario;
use crate::attack::{Attack, Attackers};
use crate::bench::{Bench, WAIT};
use crate::error::BenchError;
use crate::fleet::Fleet;
use crate::link::Stage;
use crate::machine;
use crate::stats::{median, ms};
use crate::subject::Subject;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "hostile",
    title: "floods of sockets, requests, frames, rows and handshakes: what others wait, memory, the stop",
    run,
};

/// How long memory may take to come back.
const BACK_TIME: Duration = Duration::from_secs(10);
/// More of what was held before than this, or than this many kB, is not back.
const BACK_PART: f64 = 0.1;
const BACK_KB: f64 = 4.0 * 1024.0;

/// Sockets of the attacks that need many: a little more than places for silent ones, fewer than half of them, and
/// as many as may send a first message.
const SILENT_SOCKETS: usize = 2_500;
const REQUEST_SOCKETS: usize = 1_000;
const HELLO_SOCKETS: usize = 1_500;

/// The worst of all attacks.
#[derive(Default)]
struct Worst {
    wait_ms: f64,
    stop_ms: f64,
    memory_kb: f64,
    memory_after_kb: f64,
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
        ("unanswered", worst.unanswered, "of all attacks"),
    ] {
        bench.report.add(format!("hostile.{name}"), value, unit);
    }
    Ok(())
}

/// One attack on a gateway of its own: the median of the runs' worst answers counts.
fn one(bench: &mut Bench, name: &str, attack: Attack, worst_of_all: &mut Worst) -> Result<(), BenchError> {
    let subject = bench.launcher.start(&bench.crew, &[])?;
    let mut fleet = Fleet::new(subject.address)?;
    let others = bench.possible(bench.size.readers, 2);
    let plans = (0..=others).map(|_| bench.crew.observer(false, false)).collect();
    fleet
        .open(plans, bench.size.concurrency, Duration::from_secs(120))?
        .complete()?;
    fleet.rest(Duration::from_millis(300))?;
    let before_kb = subject.memory_kb();
    let (mut worst, mut middle, mut unanswered, mut rates) = (Vec::new(), Vec::new(), 0, Vec::new());
    for round in 0..bench.size.hostile_runs {
        bench.progress.show(&format!(
            "{name}, run {} of {}",
            round + 1,
            bench.size.hostile_runs
        ));
        let begun = Instant::now();
        let attackers = Attackers::start(attack, subject.address, &bench.launcher.token);
        let mut normal = Normal::default();
        normal.run(bench, &mut fleet, subject.address, bench.size.hostile_time)?;
        rates.push(attackers.sockets() as f64 / begun.elapsed().as_secs_f64());
        drop(attackers);
        worst.push(normal.waits.iter().copied().fold(0.0, f64::max));
        middle.push(median(&normal.waits));
        unanswered += normal.failed;
    }
    let after_kb = wait_for_memory(&mut fleet, &subject, before_kb)?;
    let most_kb = subject
        .pid
        .and_then(machine::memory_kb)
        .map_or(f64::NAN, |(_, most)| most);
    let mut figures = vec![
        ("worst", median(&worst), "ms, the longest wait"),
        ("median", median(&middle), "ms"),
        ("unanswered", f64::from(unanswered), "of all"),
        ("memory", most_kb - before_kb, "kB more at most"),
        ("memory_after", after_kb - before_kb, "kB more after"),
    ];
    if matches!(attack, Attack::Churn) {
        figures.push(("rate", median(&rates), "sockets per s"));
    }
    if bench.launcher.can_start() {
        let attackers = Attackers::start(attack, subject.address, &bench.launcher.token);
        fleet.rest(Duration::from_millis(300))?;
        let stop_ms = stop(&mut fleet, &subject)?;
        drop(attackers);
        figures.push(("stop", stop_ms, "ms from SIGTERM to the client"));
        worst_of_all.stop_ms = worst_of_all.stop_ms.max(stop_ms);
    }
    for (figure, value, unit) in figures {
        bench.report.add(format!("hostile.{name}.{figure}"), value, unit);
    }
    worst_of_all.wait_ms = worst_of_all.wait_ms.max(median(&worst));
    worst_of_all.memory_kb = worst_of_all.memory_kb.max(most_kb - before_kb);
    // Rows stay for their lifetime.
    if !matches!(attack, Attack::Rows(_)) {
        worst_of_all.memory_after_kb = worst_of_all.memory_after_kb.max(after_kb - before_kb);
    }
    worst_of_all.unanswered += f64::from(unanswered);
    Ok(())
}

/// Waits until the memory is back, or for so long; what is held then.
fn wait_for_memory(fleet: &mut Fleet, subject: &Subject, before_kb: f64) -> Result<f64, BenchError> {
    let begun = Instant::now();
    let most = before_kb + f64::max(before_kb * BACK_PART, BACK_KB);
    loop {
        let now_kb = subject.memory_kb();
        if now_kb.is_nan() || now_kb <= most || begun.elapsed() >= BACK_TIME {
            return Ok(now_kb);
        }
        fleet.rest(Duration::from_millis(200))?;
    }
}

/// Tells the gateway to end; how long until the client is told, in ms.
fn stop(fleet: &mut Fleet, subject: &Subject) -> Result<f64, BenchError> {
    let Some(pid) = subject.pid else {
        return Ok(f64::NAN);
    };
    let begun = Instant::now();
    machine::terminate(pid);
    fleet.pump(WAIT, |fleet| fleet.links[0].stage == Stage::Ended)?;
    Ok(ms(begun.elapsed()))
}
