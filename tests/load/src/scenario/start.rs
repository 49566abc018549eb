//! Start to the first accepted handshake, and the memory of an idle gateway.

use std::time::Duration;

use super::Scenario;
use crate::bench::Bench;
use crate::error::BenchError;
use crate::stats::{median, ms};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "start",
    title: "start to first accepted handshake, memory idle",
    run,
};

fn run(bench: &mut Bench) -> Result<(), BenchError> {
    let mut starts = Vec::new();
    let mut memory = Vec::new();
    let mut children = Vec::new();
    for number in 0..bench.size.starts {
        bench
            .progress
            .show(&format!("start {} of {}", number + 1, bench.size.starts));
        let gateway = bench.launcher.start(&bench.profiles, &[])?;
        starts.extend(gateway.start.map(ms));
        std::thread::sleep(Duration::from_millis(200));
        memory.push(gateway.memory_kb());
        children.push(gateway.children_kb());
    }
    if !starts.is_empty() {
        bench.report.add("start.hello", median(&starts), "ms");
        bench.report.add(
            "start.fastest",
            starts.iter().copied().fold(f64::MAX, f64::min),
            "ms",
        );
    }
    bench.report.add("start.memory", median(&memory), "kB");
    bench.report.add("start.children", median(&children), "kB");
    Ok(())
}
