//! Requests for the list, beside a bare server that answers with as many bytes.

use std::time::Duration;

use super::Scenario;
use crate::bare::{BareOptions, BareWork};
use crate::bench::{Bench, WAIT};
use crate::client::LoadClient;
use crate::error::BenchError;
use crate::fleet::NextRequest;
use crate::profiles::Profiles;
use crate::requests::{fill, list_request};
use crate::stats::{median, median_ratio};
use crate::ws_frame::{self, TEXT};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "requests",
    title: "requests for the list, pipelined, beside bare TCP",
    run,
};

/// Requests in flight per connection.
const DEPTH: usize = 16;

fn run(bench: &mut Bench) -> Result<(), BenchError> {
    let askers = bench.size.askers;
    let gateway = bench.launcher.start(&bench.profiles, &[])?;
    let mut fleet = bench.launcher.fleet(gateway.address)?;
    let plans = (0..askers)
        .map(|_| bench.profiles.observer(false, false))
        .collect();
    fleet.open(plans, askers, WAIT)?.complete()?;
    fill(&mut fleet, bench.size.rows)?;
    fleet.rest(Duration::from_millis(300))?;
    fleet.request(0, &list_request(0), WAIT)?;
    let len = fleet.clients[0].seen.response_len;
    let mut framed = Vec::new();
    ws_frame::write(&mut framed, TEXT, list_request(0).as_bytes());
    let options = BareOptions {
        work: BareWork::Answer,
        text_bytes: len,
        request_bytes: framed.len(),
        tls_cert: None,
        tls_key: None,
    };
    let bare = bench.launcher.bare(&options)?;
    let mut limit = bench.launcher.bare_fleet(bare.address)?;
    limit
        .open((0..askers).map(|_| Profiles::bare()).collect(), askers, WAIT)?
        .complete()?;
    let (mut ours, mut theirs, mut costs) = (Vec::new(), Vec::new(), [(0.0, 0), (0.0, 0)]);
    for pair in 0..bench.size.pairs {
        bench
            .progress
            .show(&format!("pair {} of {}", pair + 1, bench.size.pairs));
        for (is_bare, fleet, rates) in [(false, &mut fleet, &mut ours), (true, &mut limit, &mut theirs)] {
            let cpu_ms = || if is_bare { bare.cpu_ms() } else { gateway.cpu_ms() };
            let before = cpu_ms();
            let (answered, time, _) = fleet.load(0..askers, DEPTH, bench.size.pair_time, next())?;
            rates.push(answered as f64 / time.as_secs_f64());
            let cost = &mut costs[usize::from(is_bare)];
            *cost = (cost.0 + cpu_ms() - before, cost.1 + answered);
        }
    }
    let refused = fleet.refused();
    if refused > 0 {
        bench.report.note(format!("requests: {refused} refused"));
    }
    bench.report.add("requests.bytes", len as f64, "per answer");
    bench.report.add("requests.rate", median(&ours), "per s");
    bench.report.add("requests.bare", median(&theirs), "per s");
    for (name, (ms, answers)) in ["requests.cpu", "requests.bare_cpu"].into_iter().zip(costs) {
        bench
            .report
            .add(name, ms * 1_000.0 / answers.max(1) as f64, "us of the core each");
    }
    bench.report.add(
        "requests.ratio",
        median_ratio(&theirs, &ours),
        bench.launcher.bare_unit(),
    );
    Ok(())
}

fn next() -> NextRequest {
    Box::new(|client: &mut LoadClient, _, sent| client.push(&list_request(sent)))
}
