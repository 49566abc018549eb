//! The lines of the table of targets.

use super::figures::Figures;
use super::targets::Target::{self, AtLeast, AtMost};
use super::targets::{Line, Whose};

fn ratio(figures: &Figures, over: &str, under: &str) -> Option<f64> {
    Some(figures.value(over)? / figures.value(under)?)
}

macro_rules! gateway {
    ($what:literal, $of:expr, $unit:literal, $target:expr) => {
        Line {
            what: $what,
            of: $of,
            whose: Whose::Gateway,
            limit: None,
            unit: $unit,
            target: $target,
        }
    };
    ($what:literal, $of:expr, $unit:literal, $target:expr, limit $limit:expr) => {
        Line {
            what: $what,
            of: $of,
            whose: Whose::Gateway,
            limit: Some($limit),
            unit: $unit,
            target: $target,
        }
    };
}

macro_rules! library {
    ($whose:expr, $what:literal, $of:expr, $unit:literal, $target:expr) => {
        Line {
            what: $what,
            of: $of,
            whose: $whose,
            limit: None,
            unit: $unit,
            target: $target,
        }
    };
}

/// The table.
pub(crate) const LINES: &[Line] = &[
    gateway!(
        "start to first accepted handshake",
        |f| f.value("start.hello"),
        "ms",
        AtMost(10.0)
    ),
    gateway!(
        "memory idle",
        |f| Some(f.value("start.memory")? / 1024.0),
        "MB",
        AtMost(6.0)
    ),
    gateway!(
        "memory of its child processes",
        |f| Some(f.value("start.children")? / 1024.0),
        "MB",
        Target::None
    ),
    gateway!(
        "memory per idle client, whose hello held 200 rows",
        |f| f.value("idle.per_client"),
        "KB",
        AtMost(5.0)
    ),
    gateway!(
        "the same by TLS",
        |f| f.value("idle-tls.per_client"),
        "KB",
        Target::None
    ),
    gateway!(
        "idle clients connected",
        |f| f.value("idle.clients"),
        "",
        Target::None
    ),
    gateway!(
        "memory in all with them (10,000 are aimed at)",
        |f| Some(f.value("idle.memory")? / 1024.0),
        "MB",
        AtMost(55.0)
    ),
    gateway!(
        "processor time with them, pings included",
        |f| f.value("idle.cpu"),
        "% of a core",
        AtMost(1.0)
    ),
    gateway!(
        "200 tracked clients connect with device proof, 32 at a time",
        |f| f.value("storm.time"),
        "ms",
        AtMost(40.0)
    ),
    gateway!(
        "presence frames of the one that gets most",
        |f| f.value("storm.most_frames"),
        "",
        AtMost(20.0)
    ),
    gateway!(
        "bytes sent to them",
        |f| f.value("storm.bytes"),
        "MB",
        Target::None
    ),
    gateway!(
        "1,000 tracked delta clients connect with proof",
        |f| f.value("storm-delta.time"),
        "ms",
        AtMost(250.0)
    ),
    gateway!(
        "mirrors not exact 100 ms after the last of them",
        |f| f.value("storm-delta.inexact"),
        "",
        AtMost(0.0)
    ),
    gateway!(
        "the same with full snapshots, until all have the last version",
        |f| f.value("storm-full.last_version"),
        "ms",
        AtMost(3_000.0)
    ),
    gateway!(
        "sampled mirrors not exact",
        |f| f.value("storm-full.inexact"),
        "",
        AtMost(0.0)
    ),
    gateway!(
        "fan-out, 200 rows to 1,000 clients, last client",
        |f| f.value("fanout.last"),
        "ms",
        Target::None,
        limit | f | f.value("fanout.bare")
    ),
    gateway!(
        "as a multiple of bare TCP",
        |f| f.value("fanout.ratio"),
        "x",
        AtMost(1.25)
    ),
    gateway!(
        "memory after it, more per client",
        |f| f.value("fanout.memory_after"),
        "KB",
        AtMost(1.0)
    ),
    gateway!(
        "the same change to 1,000 delta clients",
        |f| f.value("fanout-delta.last"),
        "ms",
        Target::None,
        limit | f | f.value("fanout-delta.bare")
    ),
    gateway!(
        "as a multiple of bare TCP with the same bytes",
        |f| f.value("fanout-delta.ratio"),
        "x",
        AtMost(1.25)
    ),
    gateway!(
        "fan-out by TLS, 200 rows to 1,000 clients, last client",
        |f| f.value("fanout-tls.last"),
        "ms",
        Target::None,
        limit | f | f.value("fanout-tls.bare")
    ),
    gateway!(
        "as a multiple of a bare TLS server",
        |f| f.value("fanout-tls.ratio"),
        "x",
        AtMost(1.25)
    ),
    gateway!(
        "its processor time, as a multiple of that of the bare TLS server",
        |f| ratio(f, "fanout-tls.cpu", "fanout-tls.bare_cpu"),
        "x",
        Target::None
    ),
    gateway!(
        "a change at one of 8 observed gateways until a reader of the observing one has it, median",
        |f| f.value("observe.8.p50"),
        "ms",
        Target::None
    ),
    gateway!("99 % of these", |f| f.value("observe.8.p99"), "ms", AtMost(100.0)),
    gateway!(
        "memory of that gateway, 8 x 200 rows",
        |f| Some(f.value("observe.8.memory")? / 1_000.0),
        "MB",
        Target::None
    ),
    gateway!(
        "bytes of the delta, of those of the full list",
        |f| Some(f.value("fanout-delta.bytes")? / f.value("fanout.bytes")? * 100.0),
        "%",
        AtMost(1.0)
    ),
    gateway!(
        "beacons accepted, 200 connections, one at a time",
        |f| f.value("beacons.one.rate"),
        "per s",
        AtLeast(60_000.0)
    ),
    gateway!(
        "converged after the last of them",
        |f| f.value("beacons.one.converged"),
        "ms",
        AtMost(100.0)
    ),
    gateway!(
        "beacons accepted, pipelined by 16",
        |f| f.value("beacons.pipelined.rate"),
        "per s",
        AtLeast(150_000.0)
    ),
    gateway!(
        "converged after the last of these",
        |f| f.value("beacons.pipelined.converged"),
        "ms",
        AtMost(100.0)
    ),
    gateway!(
        "`system-presence`, 200 rows, 16 connections x 16",
        |f| f.value("requests.rate"),
        "per s",
        Target::None,
        limit | f | f.value("requests.bare")
    ),
    gateway!(
        "bare TCP with the same bytes, as a multiple of it",
        |f| f.value("requests.ratio"),
        "x",
        AtMost(1.25)
    ),
    gateway!(
        "scrape of --metrics-bind while 10,000 clients connect, the longest",
        |f| f.value("scrape.longest"),
        "ms",
        AtMost(50.0)
    ),
    gateway!("the same, p50", |f| f.value("scrape.p50"), "ms", Target::None),
    gateway!(
        "5 clients that never read: memory for each",
        |f| f.value("slow.memory_each"),
        "KB",
        AtMost(512.0)
    ),
    gateway!("not dropped, of 5", |f| f.value("slow.left"), "", AtMost(0.0)),
    gateway!("after", |f| f.value("slow.dropped_after"), "s", AtMost(30.0)),
    gateway!(
        "close code they find",
        |f| f.value("slow.close"),
        "",
        AtLeast(1_008.0)
    ),
    gateway!(
        "a change's way to the others, with to without them",
        |f| ratio(f, "slow.others", "slow.others_before"),
        "x",
        AtMost(1.1)
    ),
    gateway!(
        "under attack, beside 1,000 idle clients: the longest wait for an answer",
        |f| f.value("hostile.worst"),
        "ms",
        AtMost(250.0)
    ),
    gateway!(
        "the same under large frames, in the median",
        |f| f.value("hostile.params.median"),
        "ms",
        AtMost(50.0)
    ),
    gateway!(
        "the same, calls and new clients without an answer, of all attacks",
        |f| f.value("hostile.unanswered"),
        "",
        AtMost(0.0)
    ),
    gateway!(
        "sockets opened and closed meanwhile",
        |f| f.value("hostile.churn.rate"),
        "per s",
        Target::None
    ),
    gateway!(
        "memory that large frames add at most",
        |f| Some(f.value("hostile.params.memory")? / 1024.0),
        "MB",
        AtMost(64.0)
    ),
    gateway!(
        "memory that large frames leave 10 s after their end",
        |f| Some(f.value("hostile.params.memory_after")? / 1024.0),
        "MB",
        AtMost(4.0)
    ),
    gateway!(
        "memory that any other attack leaves, rows not counted",
        |f| Some(f.value("hostile.memory_after")? / 1024.0),
        "MB",
        AtMost(4.0)
    ),
    gateway!(
        "from SIGTERM to a client, under attack",
        |f| f.value("hostile.stop"),
        "ms",
        AtMost(250.0)
    ),
    gateway!(
        "1,000 tracked clients come back after a restart, from its start",
        |f| f.value("reconnect.time"),
        "ms",
        Target::None
    ),
    library!(
        Whose::Core,
        "core: upsert, 200 rows",
        |f| Some(f.value("upsert.200")? / 1_000.0),
        "us",
        AtMost(0.5)
    ),
    library!(
        Whose::Core,
        "core: upsert, 1,000,000 rows (3 x the target at 200)",
        |f| Some(f.value("upsert.1000000")? / 1_000.0),
        "us",
        AtMost(1.5)
    ),
    library!(
        Whose::Core,
        "core: list of 200 rows encoded after one change",
        |f| Some(f.value("list.200")? / 1_000.0),
        "us",
        Target::None
    ),
    library!(
        Whose::Core,
        "core: the same after all rows changed",
        |f| Some(f.value("encode.200")? / 1_000.0),
        "us",
        Target::None
    ),
    library!(
        Whose::Wasm,
        "npm package: text of a 200-row list to the sorted rows of a client, to plain JavaScript",
        |f| f.value("presence event of 200 rows to the sorted list.ratio"),
        "x",
        AtMost(2.2)
    ),
    library!(
        Whose::Wasm,
        "npm package: text of a one-row delta of 200 to the sorted rows of a client, to plain JavaScript",
        |f| f.value("delta of one row, no digest stated, of 200, to the sorted list.ratio"),
        "x",
        AtMost(0.6)
    ),
    library!(
        Whose::Wasm,
        "npm package: text of a touch of 200 to the sorted rows of a client, to plain JavaScript",
        |f| f.value("a row that is touched, of 200, to the sorted list.ratio"),
        "x",
        AtMost(0.6)
    ),
    library!(
        Whose::Wasm,
        "npm package: core, gzipped",
        |f| Some(f.value("core.gzipped")? / 1000.0),
        "KB",
        AtMost(110.0)
    ),
];
