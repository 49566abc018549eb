//! Readers that stop reading while changes go on: what they cost the gateway, how they are dropped, and
//! what the others notice of it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Scenario;
use crate::bench::{Bench, WAIT};
use crate::crew::beacon;
use crate::error::BenchError;
use crate::fleet::Fleet;
use crate::link::Stage;
use crate::machine;
use crate::stats::{median, ms, percentile};
use crate::subject::Subject;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "slow",
    title: "readers that never read while changes go on: memory, the drop, what others notice",
    run,
};

/// Readers that stop, and those that go on.
const STOPPED: usize = 5;
const HEALTHY: usize = 20;
/// Between two changes on the average: 40 per s.
const INTERVAL: Duration = Duration::from_millis(25);
/// Each is late by another part of the interval, or they would fall on the same two moments of every coalescing
/// window, and what the readers wait would hang on which. Multiples of the golden ratio are spread most evenly.
const SPREAD: f64 = 0.618_033_988_749_895;
/// How often it is looked who was dropped.
const LOOK: Duration = Duration::from_secs(1);
/// How long the changes go on before anybody stops.
const BEFORE: Duration = Duration::from_secs(8);
/// The gateway flushes for 1 s after the close: who reads again in this time finds the reason.
const LAST_CHANCE: [Duration; 2] = [Duration::from_millis(600), Duration::from_millis(850)];

fn run(bench: &mut Bench) -> Result<(), BenchError> {
    let stall = Duration::from_millis(bench.size.stall_ms);
    let stall_ms = bench.size.stall_ms.to_string();
    let subject = bench.launcher.start(&bench.crew, &["--stall-ms", &stall_ms])?;
    let mut fleet = super::fanout::readers_of(bench, subject.address, HEALTHY, false)?;
    let mut sender = super::fanout::Sender::new(bench.size.rows);
    sender.warm_up(&mut fleet)?;
    let mut changes = Changes {
        row: bench.size.rows / 2,
        version: fleet.links[1].seen.version,
        ..Changes::default()
    };
    bench.progress.show("all read");
    let before = BEFORE.min(bench.size.slow_time);
    changes.run(&mut fleet, before, |_, _| Ok(false))?;
    let without = std::mem::take(&mut changes.latencies);
    let base_kb = subject.memory_kb();

    let plans = (0..STOPPED).map(|_| bench.crew.observer(false, false)).collect();
    fleet.open(plans, STOPPED, WAIT)?.complete()?;
    let stopped: Vec<usize> = (fleet.links.len() - STOPPED..fleet.links.len()).collect();
    let mut ports = Vec::new();
    for &number in &stopped {
        fleet.links[number].is_paused = true;
        ports.push(fleet.links[number].local_port()?);
    }
    let (mut most_kb, mut dropped) = (base_kb, vec![None; STOPPED]);
    let mut looked_at = Instant::now();
    let chances = bench.launcher.is_own() || !bench.launcher.can_start();
    let is_own = bench.launcher.is_own();
    let progress = &bench.progress;
    changes.run(&mut fleet, bench.size.slow_time, |fleet, time| {
        // Two of them come back just in time to be told why they are closed.
        for (&number, chance) in stopped.iter().rev().zip(LAST_CHANCE) {
            if chances && fleet.links[number].is_paused && time >= stall + chance {
                fleet.resume(number);
            }
        }
        if looked_at.elapsed() < LOOK {
            return Ok(false);
        }
        looked_at = Instant::now();
        most_kb = f64::max(most_kb, subject.memory_kb());
        // Looking takes the generator's time from the others: ours drops nobody before its time is over.
        if is_own && time < stall {
            return Ok(false);
        }
        let established = machine::established(subject.address.port());
        for (place, port) in dropped.iter_mut().zip(&ports) {
            let is_gone = established.as_ref().is_some_and(|ports| !ports.contains(port));
            if place.is_none() && is_gone {
                *place = Some(time);
            }
        }
        // One that read again in time goes on.
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
    report(bench, &subject, (base_kb, most_kb), &without, &with);
    let times: Vec<f64> = dropped.iter().flatten().map(|time| time.as_secs_f64()).collect();
    bench.report.add("slow.left", left as f64, "of 5 not dropped");
    if !times.is_empty() {
        bench.report.add("slow.dropped_after", median(&times), "s");
    }
    if let Some((code, reason)) = reason {
        bench.report.add("slow.close", f64::from(code), "close code");
        bench.report.note(format!("slow: closed with {code} `{reason}`"));
    }
    if fleet.links[..HEALTHY]
        .iter()
        .any(|link| link.stage != Stage::Live)
    {
        bench.report.note("slow: a reader that reads was closed too");
    }
    Ok(())
}

/// How many still read nothing and are still connected.
fn left(fleet: &Fleet, stopped: &[usize], dropped: &[Option<Duration>]) -> usize {
    let is_left = |(number, dropped): &(&usize, &Option<Duration>)| {
        fleet.links[**number].is_paused && dropped.is_none()
    };
    stopped.iter().zip(dropped).filter(is_left).count()
}

fn report(bench: &mut Bench, subject: &Subject, (base, most): (f64, f64), without: &[f64], with: &[f64]) {
    let report = &mut bench.report;
    report.add("slow.memory_each", (most - base) / STOPPED as f64, "kB");
    report.add("slow.memory_after", subject.memory_kb() - base, "kB more");
    report.add(
        "slow.others_before",
        median(without),
        "ms until the others have a change",
    );
    report.add("slow.others", median(with), "ms the same with stopped readers");
    report.add("slow.others_before_p95", percentile(without, 95.0), "ms");
    report.add("slow.others_p95", percentile(with, 95.0), "ms");
}

/// Reads what the stopped ones were sent, and why they were closed, if one of them was told.
fn why(fleet: &mut Fleet, stopped: &[usize]) -> Result<Option<(u16, String)>, BenchError> {
    for &number in stopped {
        if fleet.links[number].is_paused {
            fleet.resume(number);
        }
    }
    fleet.rest(Duration::from_millis(500))?;
    Ok(stopped
        .iter()
        .filter_map(|&number| fleet.links[number].end.clone())
        .find(|end| end.code != 1006)
        .map(|end| (end.code, end.reason)))
}

/// Changes at a constant rate, and when the readers have each of them.
#[derive(Default)]
struct Changes {
    row: usize,
    sent: u64,
    /// The version of the last one.
    version: u64,
    /// Those that not everybody has yet: version and time.
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
