//! Attacks, and what a client that does nothing wrong notices of them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::Scenario;
use crate::bench::attack::{Attack, Attackers};
use crate::bench::fleet::Fleet;
use crate::bench::link::Stage;
use crate::bench::stats::{median, ms};
use crate::bench::subject::Subject;
use crate::bench::{Bench, BenchError, WAIT, machine};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "hostile",
    title: "floods, large frames, rows and handshakes: what others wait, memory after",
    run,
};

/// Between two calls, two looks at `/healthz`, two fresh clients.
const CALL_EVERY: Duration = Duration::from_millis(100);
const LOOK_EVERY: Duration = Duration::from_millis(200);
const CLIENT_EVERY: Duration = Duration::from_millis(500);
/// How long memory may take to come back.
const BACK_TIME: Duration = Duration::from_secs(10);
/// More of what was held before than this, or than this many kB, is not back.
const BACK_PART: f64 = 0.1;
const BACK_KB: f64 = 4.0 * 1024.0;

fn run(bench: &mut Bench) -> Result<(), BenchError> {
    let sockets = bench.possible(1_500.min(bench.size.hostile_sockets), 2);
    let attacks = [
        ("pings", Attack::Pings),
        ("pieces", Attack::Pieces),
        ("params", Attack::Params),
        ("rows", Attack::Rows(bench.size.rows.saturating_sub(1))),
        ("hellos", Attack::Hellos(sockets)),
    ];
    let mut worst_of_all = 0.0_f64;
    for (name, attack) in attacks {
        let worst = one(bench, name, attack)?;
        worst_of_all = worst_of_all.max(worst);
    }
    bench
        .report
        .add("hostile.worst", worst_of_all, "ms, the worst of all attacks");
    Ok(())
}

/// One attack on a gateway of its own. Returns the median of the runs' worst answers.
fn one(bench: &mut Bench, name: &str, attack: Attack) -> Result<f64, BenchError> {
    let subject = bench.launcher.start(&bench.crew, &[])?;
    let mut fleet = Fleet::new(subject.address)?;
    let others = bench.possible(bench.size.readers, 2);
    let plans = (0..=others).map(|_| bench.crew.observer(false, false)).collect();
    fleet
        .open(plans, bench.size.concurrency, Duration::from_secs(120))?
        .complete()?;
    fleet.rest(Duration::from_millis(300))?;
    let before_kb = subject.memory_kb();
    let (mut worst, mut middle, mut failed) = (Vec::new(), Vec::new(), 0);
    for round in 0..bench.size.hostile_runs {
        bench.progress.show(&format!(
            "{name}, run {} of {}",
            round + 1,
            bench.size.hostile_runs
        ));
        let attackers = Attackers::start(attack, subject.address, &bench.launcher.token);
        let mut normal = Normal::default();
        normal.run(bench, &mut fleet, subject.address, bench.size.hostile_time)?;
        drop(attackers);
        worst.push(normal.waits.iter().copied().fold(0.0, f64::max));
        middle.push(median(&normal.waits));
        failed += normal.failed;
    }
    let after_kb = wait_for_memory(&mut fleet, &subject, before_kb)?;
    let most_kb = subject
        .pid
        .and_then(machine::memory_kb)
        .map_or(f64::NAN, |(_, most)| most);
    let report = &mut bench.report;
    report.add(
        format!("hostile.{name}.worst"),
        median(&worst),
        "ms, the longest wait",
    );
    report.add(format!("hostile.{name}.median"), median(&middle), "ms");
    report.add(format!("hostile.{name}.unanswered"), f64::from(failed), "of all");
    report.add(
        format!("hostile.{name}.memory"),
        most_kb - before_kb,
        "kB more at most",
    );
    report.add(
        format!("hostile.{name}.memory_after"),
        after_kb - before_kb,
        "kB more after",
    );
    if matches!(attack, Attack::Pings | Attack::Params) && bench.launcher.can_start() {
        let attackers = Attackers::start(attack, subject.address, &bench.launcher.token);
        fleet.rest(Duration::from_millis(300))?;
        let stop = stop(&mut fleet, &subject)?;
        drop(attackers);
        bench.report.add(
            format!("hostile.{name}.stop"),
            stop,
            "ms from SIGTERM to the client",
        );
    }
    Ok(median(&worst))
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

/// A client that does nothing wrong.
#[derive(Default)]
struct Normal {
    /// For each answer, in ms.
    waits: Vec<f64>,
    /// Clients that were not let in, and answers that were not what they should be.
    failed: u32,
    asked: u64,
}

impl Normal {
    fn run(
        &mut self,
        bench: &Bench,
        fleet: &mut Fleet,
        address: SocketAddr,
        time: Duration,
    ) -> Result<(), BenchError> {
        let begun = Instant::now();
        let (mut call_at, mut look_at, mut client_at) = (begun, begun, begun);
        while begun.elapsed() < time {
            if Instant::now() >= call_at {
                call_at += CALL_EVERY;
                self.asked += 1;
                let text = format!(r#"{{"type":"req","id":"h{}","method":"health"}}"#, self.asked);
                let asked = Instant::now();
                let is_answered = fleet.request(0, &text, WAIT)?;
                self.note(asked, is_answered);
            }
            if Instant::now() >= look_at {
                look_at += LOOK_EVERY;
                let asked = Instant::now();
                let is_answered = is_healthy(address).unwrap_or(false);
                self.note(asked, is_answered);
            }
            if Instant::now() >= client_at {
                client_at += CLIENT_EVERY;
                let asked = Instant::now();
                let mut fresh = Fleet::new(address)?;
                let opened = fresh.open(vec![bench.crew.observer(false, false)], 1, WAIT)?;
                self.note(asked, opened.failures.is_empty());
            }
            let next = call_at.min(look_at).min(client_at);
            fleet.rest(next.saturating_duration_since(Instant::now()))?;
        }
        Ok(())
    }

    fn note(&mut self, asked: Instant, is_answered: bool) {
        self.waits.push(ms(asked.elapsed()));
        self.failed += u32::from(!is_answered);
    }
}

/// Whether `/healthz` says that the gateway lives.
fn is_healthy(address: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&address, WAIT)?;
    stream.set_read_timeout(Some(WAIT))?;
    stream.write_all(
        format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes(),
    )?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    Ok(&answer == b"HTTP/1.1 200")
}
