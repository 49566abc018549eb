//! One change and many readers: the time until the last reader has it, beside a bare server.

use std::time::{Duration, Instant};

use super::Scenario;
use crate::bare::{BareOptions, BareWork};
use crate::bench::{Bench, WAIT};
use crate::error::BenchError;
use crate::fleet::{Fleet, Goal};
use crate::launcher::Launcher;
use crate::profiles::Profiles;
use crate::requests::{beacon, fill};
use crate::stats::{median, median_ratio, ms, percentile};

pub(super) const FULL: Scenario = Scenario {
    name: "fanout",
    title: "one change until the last reader has the whole list, beside bare TCP",
    run: |bench| {
        let launcher = bench.launcher.clone();
        run(bench, &launcher, "fanout", false)
    },
};

pub(super) const DELTAS: Scenario = Scenario {
    name: "fanout-delta",
    title: "one change until the last reader has the delta, beside bare TCP",
    run: |bench| {
        let launcher = bench.launcher.clone();
        run(bench, &launcher, "fanout-delta", true)
    },
};

pub(super) const ENCRYPTED: Scenario = Scenario {
    name: "fanout-tls",
    title: "one change until the last reader has the whole list by TLS, beside a bare TLS server",
    run: |bench| {
        if !bench.launcher.is_own() {
            bench
                .report
                .note("fanout-tls: this gateway gets no certificate here".to_owned());
            return Ok(());
        }
        let launcher = bench.launcher.encrypted()?;
        run(bench, &launcher, "fanout-tls", false)
    },
};

/// Pause after a round that took this many ms. It is longer than the coalescing window, which lasts twice as long as
/// the gateway sends: else the next change waits for its end.
pub(super) fn pause(round_ms: f64) -> Duration {
    Duration::from_millis(80) + Duration::from_secs_f64(3.0 * round_ms / 1_000.0)
}

fn run(bench: &mut Bench, launcher: &Launcher, name: &str, deltas: bool) -> Result<(), BenchError> {
    let readers = bench.possible(bench.size.readers, 2);
    let gateway = launcher.start(&bench.profiles, &[])?;
    let mut fleet = readers_of(bench, launcher.fleet(gateway.address)?, readers, deltas)?;
    fleet.rest(Duration::from_millis(200))?;
    let before_kb = gateway.memory_kb();
    let mut sender = Sender::new(bench.size.rows);
    let len = sender.warm_up(&mut fleet)?;
    fleet.rest(Duration::from_millis(300))?;
    let options = BareOptions {
        work: BareWork::Broadcast,
        text_bytes: len,
        request_bytes: 1,
        tls_cert: None,
        tls_key: None,
    };
    let bare = launcher.bare(&options)?;
    let mut limit = launcher.bare_fleet(bare.address)?;
    let plans = (0..readers).map(|_| Profiles::bare()).collect();
    limit.open(plans, bench.size.concurrency, WAIT)?.complete()?;
    bare_round(&mut limit)?;
    let (mut ours, mut theirs, mut cpu, mut bare_cpu) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for pair in 0..bench.size.pairs {
        bench
            .progress
            .show(&format!("pair {} of {}", pair + 1, bench.size.pairs));
        let before = gateway.cpu_ms();
        let took = sender.round(&mut fleet)?;
        ours.push(took);
        cpu.push(gateway.cpu_ms() - before);
        fleet.rest(pause(took))?;
        let before = bare.cpu_ms();
        let took = bare_round(&mut limit)?;
        theirs.push(took);
        bare_cpu.push(bare.cpu_ms() - before);
        limit.rest(pause(took))?;
    }
    bench
        .report
        .add(format!("{name}.readers"), readers as f64, "clients");
    bench
        .report
        .add(format!("{name}.bytes"), len as f64, "per reader");
    bench.report.add(format!("{name}.last"), median(&ours), "ms");
    bench
        .report
        .add(format!("{name}.last_p95"), percentile(&ours, 95.0), "ms");
    bench.report.add(format!("{name}.bare"), median(&theirs), "ms");
    bench.report.add(
        format!("{name}.ratio"),
        median_ratio(&ours, &theirs),
        launcher.bare_unit(),
    );
    bench
        .report
        .add(format!("{name}.cpu"), median(&cpu), "ms of the gateway's core");
    bench.report.add(
        format!("{name}.bare_cpu"),
        median(&bare_cpu),
        "ms of the same core",
    );
    fleet.rest(Duration::from_millis(300))?;
    bench.report.add(
        format!("{name}.memory_after"),
        (gateway.memory_kb() - before_kb) / readers as f64,
        "kB more per client",
    );
    Ok(())
}

/// Fills the roster and connects readers.
pub(super) fn readers_of(
    bench: &Bench,
    mut fleet: Fleet,
    readers: usize,
    deltas: bool,
) -> Result<Fleet, BenchError> {
    fleet
        .open(vec![bench.profiles.observer(deltas, false)], 1, WAIT)?
        .complete()?;
    fill(&mut fleet, bench.size.rows)?;
    fleet.rest(Duration::from_millis(200))?;
    let plans = (1..readers)
        .map(|_| bench.profiles.observer(deltas, false))
        .collect();
    fleet
        .open(plans, bench.size.concurrency, Duration::from_secs(120))?
        .complete()?;
    Ok(fleet)
}

/// Changes one row per round and waits until every reader has the change.
pub(super) struct Sender {
    /// An existing row.
    row: usize,
    mark: u64,
}

impl Sender {
    pub(super) fn new(rows: usize) -> Self {
        Self {
            row: rows / 2,
            mark: 0,
        }
    }

    /// Two rounds that are not measured. Returns the bytes of the frame that readers receive.
    pub(super) fn warm_up(&mut self, fleet: &mut Fleet) -> Result<usize, BenchError> {
        for _ in 0..2 {
            let took = self.round(fleet)?;
            fleet.rest(pause(took))?;
        }
        Ok(fleet.clients.last().map_or(0, |client| client.seen.presence_len))
    }

    /// One change. Returns the time until the last reader has it, in ms.
    pub(super) fn round(&mut self, fleet: &mut Fleet) -> Result<f64, BenchError> {
        self.mark += 1;
        let version = fleet.newest_version();
        // The version is unknown before the first event if the gateway's hello does not end with it.
        fleet.aim(match version {
            0 => Goal::Frames(1),
            version => Goal::Version(version + 1),
        });
        let begun = Instant::now();
        fleet.send(0, &beacon(self.mark, self.row, self.mark));
        match fleet.reach(WAIT)? {
            Some(last) => Ok(ms(last.saturating_duration_since(begun))),
            None => Err(BenchError::Gateway(
                "a reader did not receive a change".to_owned(),
            )),
        }
    }
}

/// One round of the bare server.
pub(super) fn bare_round(limit: &mut Fleet) -> Result<f64, BenchError> {
    let frames = limit
        .clients
        .iter()
        .map(|client| client.seen.presence)
        .max()
        .unwrap_or(0);
    limit.aim(Goal::Frames(frames + 1));
    let begun = Instant::now();
    limit.send(0, "x");
    match limit.reach(WAIT)? {
        Some(last) => Ok(ms(last.saturating_duration_since(begun))),
        None => Err(BenchError::Gateway("the bare server lost a frame".to_owned())),
    }
}
