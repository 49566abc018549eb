//! The lines about the gateway.

use crate::bench::figures::Figures;
use crate::bench::targets::Target::{self, AtLeast, AtMost};
use crate::bench::targets::{Line, Whose};

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

/// The lines about the gateway.
pub(super) const LINES: &[Line] = &[
    gateway!(
        "time from the start to the first accepted handshake",
        |f| f.value("start.hello"),
        "ms",
        AtMost(10.0)
    ),
    gateway!(
        "memory without clients",
        |f| Some(f.value("start.memory")? / 1024.0),
        "MB",
        AtMost(6.0)
    ),
    gateway!(
        "memory of child processes without clients",
        |f| Some(f.value("start.children")? / 1024.0),
        "MB",
        Target::None
    ),
    gateway!(
        "memory per idle client that was sent a list of 200 rows",
        |f| f.value("idle.per_client"),
        "KB",
        AtMost(5.0)
    ),
    gateway!(
        "memory per idle client with TLS",
        |f| f.value("idle-tls.per_client"),
        "KB",
        Target::None
    ),
    gateway!(
        "number of idle clients",
        |f| f.value("idle.clients"),
        "",
        Target::None
    ),
    gateway!(
        "memory with up to 10,000 idle clients",
        |f| Some(f.value("idle.memory")? / 1024.0),
        "MB",
        AtMost(55.0)
    ),
    gateway!(
        "processor time with up to 10,000 idle clients, pings included",
        |f| f.value("idle.cpu"),
        "% of a core",
        AtMost(1.0)
    ),
    gateway!(
        "connect storm of 200 clients with device proofs, 32 at a time: time until all are connected",
        |f| f.value("storm.time"),
        "ms",
        AtMost(40.0)
    ),
    gateway!(
        "connect storm of 200 clients: presence frames to the client that gets the most",
        |f| f.value("storm.most_frames"),
        "",
        AtMost(20.0)
    ),
    gateway!(
        "connect storm of 200 clients: bytes to all clients",
        |f| f.value("storm.bytes"),
        "MB",
        Target::None
    ),
    gateway!(
        "connect storm of 1,000 clients with device proofs and deltas: time until all are connected",
        |f| f.value("storm-delta.time"),
        "ms",
        AtMost(250.0)
    ),
    gateway!(
        "connect storm of 1,000 clients with deltas: wrong lists 100 ms after the last connect",
        |f| f.value("storm-delta.inexact"),
        "",
        AtMost(0.0)
    ),
    gateway!(
        "connect storm of 1,000 clients without deltas: time until all have the last version",
        |f| f.value("storm-full.last_version"),
        "ms",
        AtMost(3_000.0)
    ),
    gateway!(
        "connect storm of 1,000 clients without deltas: wrong lists in a sample of clients",
        |f| f.value("storm-full.inexact"),
        "",
        AtMost(0.0)
    ),
    gateway!(
        "fan-out of a list of 200 rows to 1,000 clients: time to the last client",
        |f| f.value("fanout.last"),
        "ms",
        Target::None,
        limit | f | f.value("fanout.bare")
    ),
    gateway!(
        "fan-out of a list: time as a multiple of bare TCP",
        |f| f.value("fanout.ratio"),
        "x",
        AtMost(1.25)
    ),
    gateway!(
        "fan-out of a list: additional memory per client afterwards",
        |f| f.value("fanout.memory_after"),
        "KB",
        AtMost(1.0)
    ),
    gateway!(
        "fan-out of a delta of one row to 1,000 clients: time to the last client",
        |f| f.value("fanout-delta.last"),
        "ms",
        Target::None,
        limit | f | f.value("fanout-delta.bare")
    ),
    gateway!(
        "fan-out of a delta: time as a multiple of bare TCP with the same bytes",
        |f| f.value("fanout-delta.ratio"),
        "x",
        AtMost(1.25)
    ),
    gateway!(
        "fan-out with TLS of a list of 200 rows to 1,000 clients: time to the last client",
        |f| f.value("fanout-tls.last"),
        "ms",
        Target::None,
        limit | f | f.value("fanout-tls.bare")
    ),
    gateway!(
        "fan-out with TLS: time as a multiple of a bare TLS server",
        |f| f.value("fanout-tls.ratio"),
        "x",
        AtMost(1.25)
    ),
    gateway!(
        "fan-out with TLS: processor time as a multiple of a bare TLS server",
        |f| ratio(f, "fanout-tls.cpu", "fanout-tls.bare_cpu"),
        "x",
        Target::None
    ),
    gateway!(
        "8 observed gateways: time of a change to a reader of the observing gateway, median",
        |f| f.value("observe.8.p50"),
        "ms",
        Target::None
    ),
    gateway!(
        "8 observed gateways: time of a change to a reader of the observing gateway, 99th percentile",
        |f| f.value("observe.8.p99"),
        "ms",
        AtMost(100.0)
    ),
    gateway!(
        "8 observed gateways with 200 rows each: memory of the observing gateway",
        |f| Some(f.value("observe.8.memory")? / 1_000.0),
        "MB",
        Target::None
    ),
    gateway!(
        "size of a delta of one row, as a part of a list of 200 rows",
        |f| Some(f.value("fanout-delta.bytes")? / f.value("fanout.bytes")? * 100.0),
        "%",
        AtMost(1.0)
    ),
    gateway!(
        "beacons on 200 connections, one at a time: accepted",
        |f| f.value("beacons.one.rate"),
        "per s",
        AtLeast(60_000.0)
    ),
    gateway!(
        "beacons one at a time: time from the last one until all clients have it",
        |f| f.value("beacons.one.converged"),
        "ms",
        AtMost(100.0)
    ),
    gateway!(
        "beacons on 200 connections, pipelined by 16: accepted",
        |f| f.value("beacons.pipelined.rate"),
        "per s",
        AtLeast(150_000.0)
    ),
    gateway!(
        "beacons pipelined by 16: time from the last one until all clients have it",
        |f| f.value("beacons.pipelined.converged"),
        "ms",
        AtMost(100.0)
    ),
    gateway!(
        "`system-presence` with 200 rows, 16 connections with 16 pending requests each: answers",
        |f| f.value("requests.rate"),
        "per s",
        Target::None,
        limit | f | f.value("requests.bare")
    ),
    gateway!(
        "`system-presence`: time as a multiple of bare TCP with the same bytes",
        |f| f.value("requests.ratio"),
        "x",
        AtMost(1.25)
    ),
    gateway!(
        "scrape of `--metrics-bind` while 10,000 clients connect: longest time",
        |f| f.value("scrape.longest"),
        "ms",
        AtMost(50.0)
    ),
    gateway!(
        "scrape of `--metrics-bind` while 10,000 clients connect: median time",
        |f| f.value("scrape.p50"),
        "ms",
        Target::None
    ),
    gateway!(
        "5 clients that never read: memory per client",
        |f| f.value("slow.memory_each"),
        "KB",
        AtMost(512.0)
    ),
    gateway!(
        "5 clients that never read: clients that stay connected",
        |f| f.value("slow.left"),
        "",
        AtMost(0.0)
    ),
    gateway!(
        "5 clients that never read: time until they are disconnected, median",
        |f| f.value("slow.dropped_after"),
        "s",
        AtMost(30.0)
    ),
    gateway!(
        "5 clients that never read: close code",
        |f| f.value("slow.close"),
        "",
        AtLeast(1_008.0)
    ),
    gateway!(
        "5 clients that never read: time of a change to other readers, as a multiple of the time without them",
        |f| ratio(f, "slow.others", "slow.others_before"),
        "x",
        AtMost(1.1)
    ),
    gateway!(
        "attacks, beside 1,000 idle clients: longest wait of a normal client for an answer",
        |f| f.value("hostile.worst"),
        "ms",
        AtMost(250.0)
    ),
    gateway!(
        "attack with large frames: median wait of a normal client for an answer",
        |f| f.value("hostile.params.median"),
        "ms",
        AtMost(50.0)
    ),
    gateway!(
        "attacks: calls and connects of normal clients without an answer",
        |f| f.value("hostile.unanswered"),
        "",
        AtMost(0.0)
    ),
    gateway!(
        "attack with new sockets: sockets opened and closed",
        |f| f.value("hostile.churn.rate"),
        "per s",
        Target::None
    ),
    gateway!(
        "attack with large frames: most additional memory",
        |f| Some(f.value("hostile.params.memory")? / 1024.0),
        "MB",
        AtMost(64.0)
    ),
    gateway!(
        "attack with large frames: additional memory 10 s after the end",
        |f| Some(f.value("hostile.params.memory_after")? / 1024.0),
        "MB",
        AtMost(4.0)
    ),
    gateway!(
        "attacks, except the one with rows: most additional memory 10 s after the end",
        |f| Some(f.value("hostile.memory_after")? / 1024.0),
        "MB",
        AtMost(4.0)
    ),
    gateway!(
        "memory that two repetitions of any attack add to its peak",
        |f| Some(f.value("hostile.memory_again")? / 1024.0),
        "MB",
        AtMost(2.0)
    ),
    gateway!(
        "attacks: longest time from SIGTERM until a client is closed",
        |f| f.value("hostile.stop"),
        "ms",
        AtMost(250.0)
    ),
    gateway!(
        "restart with 1,000 clients: time from the start until all are connected",
        |f| f.value("reconnect.time"),
        "ms",
        Target::None
    ),
    gateway!(
        "clients of the largest measurement (100,000 if so many files may be open)",
        |f| f.value("many.clients"),
        "",
        Target::None
    ),
    gateway!(
        "largest measurement: memory per idle client",
        |f| f.value("many.per_client"),
        "KB",
        AtMost(4.0)
    ),
    gateway!(
        "largest measurement: memory in all, calculated for 100,000 clients",
        |f| {
            let further = 100_000.0 - f.value("many.clients")?;
            Some((f.value("many.memory")? + further * f.value("many.per_client")?) / 1024.0)
        },
        "MB",
        AtMost(450.0)
    ),
    gateway!(
        "largest measurement: processor time with idle clients, pings included, calculated for 100,000 clients",
        |f| Some(f.value("many.cpu")? * 100_000.0 / f.value("many.clients")?),
        "% of a core",
        AtMost(10.0)
    ),
    gateway!(
        "largest measurement: clients that connect, 32 at a time",
        |f| f.value("many.connects"),
        "per s",
        Target::None
    ),
    gateway!(
        "largest measurement: a delta to the last client, as a multiple of bare TCP",
        |f| ratio(f, "many.delta", "many.bare"),
        "x",
        AtMost(1.3)
    ),
    gateway!(
        "largest measurement: all clients connect again after a restart, from its start",
        |f| f.value("many.restart"),
        "s",
        Target::None
    ),
];
