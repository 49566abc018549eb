//! Readers that stop reading while changes continue: their memory, how they are dropped, and the delay of other
//! readers.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Scenario;
use crate::bench::{Bench, WAIT};
use crate::client::Stage;
use crate::error::BenchError;
use crate::fleet::Fleet;
use crate::process::GatewayProcess;
use crate::requests::beacon;
use crate::stats::{median, ms, percentile};
use crate::system;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "slow",
    title: "readers that never read while changes continue: memory, the drop, delay of other readers",
    run,
};

/// Readers that stop, and readers that continue.
const STOPPED: usize = 5;
const HEALTHY: usize = 20;
/// Mean time between two changes: 40 per s.
const INTERVAL: Duration = Duration::from_millis(25);
/// Each change is delayed by another part of the interval: otherwise all would fall on the same two moments of the
/// coalescing window, which would decide the delay. Multiples of the golden ratio are spread most evenly.
const SPREAD: f64 = 0.618_033_988_749_895;
/// Interval of looking for dropped readers.
const LOOK: Duration = Duration::from_secs(1);
/// Duration of changes before readers stop.
const BEFORE: Duration = Duration::from_secs(8);
/// The gateway flushes for 1 s after the close: a reader that reads again in this time receives the reason.
const LAST_CHANCE: [Duration; 2] = [Duration::from_millis(600), Duration::from_millis(850)];

fn run(bench: &mut Bench) -> Result<(), BenchError> {
    let stall = Duration::from_millis(bench.size.stall_ms);
    let stall_ms = bench.size.stall_ms.to_string();
    let gateway = bench
        .launcher
        .start(&bench.profiles, &["--stall-ms", &stall_ms])?;
    let mut fleet = super::fanout::readers_of(bench, bench.launcher.fleet(gateway.address)?, HEALTHY, false)?;
    let mut sender = super::fanout::Sender::new(bench.size.rows);
    sender.warm_up(&mut fleet)?;
    let mut changes = Changes {
        row: bench.size.rows / 2,
        version: fleet.clients[1].seen.version,
        ..Changes::default()
    };
    bench.progress.show("all read");
    let before = BEFORE.min(bench.size.slow_time);
    changes.run(&mut fleet, before, |_, _| Ok(false))?;
    let without = std::mem::take(&mut changes.latencies);
    let base_kb = gateway.memory_kb();

    let plans = (0..STOPPED)
        .map(|_| bench.profiles.observer(false, false))
        .collect();
    fleet.open(plans, STOPPED, WAIT)?.complete()?;
    let stopped: Vec<usize> = (fleet.clients.len() - STOPPED..fleet.clients.len()).collect();
    let mut ports = Vec::new();
    for &number in &stopped {
        fleet.clients[number].is_paused = true;
        ports.push(fleet.clients[number].local_port()?);
    }
    let (mut most_kb, mut dropped) = (base_kb, vec![None; STOPPED]);
    let mut looked_at = Instant::now();
    let chances = bench.launcher.is_own() || !bench.launcher.can_start();
    let is_own = bench.launcher.is_own();
    let progress = &bench.progress;
    changes.run(&mut fleet, bench.size.slow_time, |fleet, time| {
        // Two of them read again just in time to receive the reason.
        for (&number, chance) in stopped.iter().rev().zip(LAST_CHANCE) {
            if chances && fleet.clients[number].is_paused && time >= stall + chance {
                fleet.resume(number);
            }
        }
        if looked_at.elapsed() < LOOK {
            return Ok(false);
        }
        looked_at = Instant::now();
        most_kb = f64::max(most_kb, gateway.memory_kb());
        // Looking delays the other readers, and our gateway drops no reader before the stall time.
        if is_own && time < stall {
            return Ok(false);
        }
        let established = system::established(gateway.address.port());
        for (place, port) in dropped.iter_mut().zip(&ports) {
            let is_gone = established.as_ref().is_some_and(|ports| !ports.contains(port));
            if place.is_none() && is_gone {
                *place = Some(time);
            }
        }
        // A reader that read again in time stays.
        let left = left(fleet, &stopped, &dropped);
        progress.show(&format!(
            "{:.0} s: {left} of {STOPPED} not dropped",
            time.as_secs_f64()
        ));
        Ok(left == 0)
    })?;
    let left = left(&fleet, &stopped, &dropped);
    let with = std::mem::take(&mut changes.latencies);
    let reason = why(&mut fleet, &stopped)?;
    report(bench, &gateway, (base_kb, most_kb), &without, &with);
    let times: Vec<f64> = dropped.iter().flatten().map(|time| time.as_secs_f64()).collect();
    bench.report.add("slow.left", left as f64, "of 5 not dropped");
    if !times.is_empty() {
        bench.report.add("slow.dropped_after", median(&times), "s");
    }
    if let Some((code, reason)) = reason {
        bench.report.add("slow.close", f64::from(code), "close code");
        bench.report.note(format!(
            "slow: clients that never read were closed with {code} `{reason}`"
        ));
    }
    if fleet.clients[..HEALTHY]
        .iter()
        .any(|client| client.stage != Stage::Live)
    {
        bench
            .report
            .note("slow: a reader that had not stopped was closed too");
    }
    Ok(())
}

/// Number of stopped readers that are still connected.
fn left(fleet: &Fleet, stopped: &[usize], dropped: &[Option<Duration>]) -> usize {
    let is_left = |(number, dropped): &(&usize, &Option<Duration>)| {
        fleet.clients[**number].is_paused && dropped.is_none()
    };
    stopped.iter().zip(dropped).filter(is_left).count()
}

fn report(
    bench: &mut Bench,
    gateway: &GatewayProcess,
    (base, most): (f64, f64),
    without: &[f64],
    with: &[f64],
) {
    let report = &mut bench.report;
    report.add("slow.memory_each", (most - base) / STOPPED as f64, "kB");
    report.add("slow.memory_after", gateway.memory_kb() - base, "kB more");
    report.add(
        "slow.others_before",
        median(without),
        "ms until the others have a change",
    );
    report.add("slow.others", median(with), "ms the same with stopped readers");
    report.add("slow.others_before_p95", percentile(without, 95.0), "ms");
    report.add("slow.others_p95", percentile(with, 95.0), "ms");
}

/// Reads what the stopped readers were sent, and returns the close that one of them received.
fn why(fleet: &mut Fleet, stopped: &[usize]) -> Result<Option<(u16, String)>, BenchError> {
    for &number in stopped {
        if fleet.clients[number].is_paused {
            fleet.resume(number);
        }
    }
    fleet.rest(Duration::from_millis(500))?;
    Ok(stopped
        .iter()
        .filter_map(|&number| fleet.clients[number].end.clone())
        .find(|end| end.code != 1006)
        .map(|end| (end.code, end.reason)))
}

/// Changes at a constant rate, and the delay of each.
#[derive(Default)]
struct Changes {
    row: usize,
    sent: u64,
    /// Presence version of the last change.
    version: u64,
    /// Changes that not every reader has: version and time.
    waiting: VecDeque<(u64, Instant)>,
    /// In ms.
    latencies: Vec<f64>,
}

impl Changes {
    fn run(
        &mut self,
        fleet: &mut Fleet,
        time: Duration,
        mut look: impl FnMut(&mut Fleet, Duration) -> Result<bool, BenchError>,
    ) -> Result<(), BenchError> {
        let begun = Instant::now();
        let (mut due, mut count) = (begun, 0.0);
        while begun.elapsed() < time {
            let now = Instant::now();
            if now >= due {
                count += 1.0;
                due = now.max(begun + INTERVAL.mul_f64(count + (count * SPREAD).fract()));
                self.sent += 1;
                self.version += 1;
                self.waiting.push_back((self.version, now));
                fleet.send(0, &beacon(self.sent, self.row, self.sent));
            }
            let waiting = &mut self.waiting;
            let latencies = &mut self.latencies;
            fleet.pump(due.saturating_duration_since(Instant::now()), |fleet| {
                let seen = fleet.version_of_first(HEALTHY);
                while waiting.front().is_some_and(|(version, _)| *version <= seen) {
                    if let Some((_, at)) = waiting.pop_front() {
                        latencies.push(ms(at.elapsed()));
                    }
                }
                false
            })?;
            if look(fleet, begun.elapsed())? {
                break;
            }
        }
        fleet.rest(Duration::from_millis(150))?;
        self.waiting.clear();
        Ok(())
    }
}
