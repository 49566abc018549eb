//! Fuzz targets as plain functions. libFuzzer calls them (`cargo xtask fuzz`, through the crate in `targets/`), and an
//! ordinary test calls them with the seeds and with every input that once broke a target.
//!
//! A target panics when a peer's bytes make the code panic, or when two readers of the same bytes disagree.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a target reports what it finds by panicking"
)]

pub mod beacon_text;
pub mod client;
pub mod connect;
pub mod device;
pub mod frame;
mod gateway;
pub mod http_head;
pub mod machine;
pub mod mirror;
mod naive;
pub mod proxy;
pub mod recording;
mod recording_seeds;
pub mod roster;
pub mod seeds;

#[path = "../../conformance/tests/roster_properties/history.rs"]
#[expect(dead_code, reason = "the target puts histories together by itself")]
mod history;
#[path = "../../conformance/tests/roster_properties/pair/mod.rs"]
#[allow(
    clippy::unwrap_used,
    dead_code,
    reason = "a test's module, of which the target uses a part"
)]
mod pair;

/// One fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: that of its module, of its binary and of its folder of regressions.
    pub name: &'static str,
    /// Tries one input.
    pub run: fn(&[u8]),
    /// Inputs to start from.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target {
        name: "beacon_text",
        run: beacon_text::run,
        seeds: seeds::beacon_texts,
    },
    Target {
        name: "client",
        run: client::run,
        seeds: seeds::sessions,
    },
    Target {
        name: "connect",
        run: connect::run,
        seeds: seeds::connects,
    },
    Target {
        name: "device",
        run: device::run,
        seeds: seeds::noise,
    },
    Target {
        name: "frame",
        run: frame::run,
        seeds: seeds::frames,
    },
    Target {
        name: "http_head",
        run: http_head::run,
        seeds: seeds::requests,
    },
    Target {
        name: "machine",
        run: machine::run,
        seeds: seeds::noise,
    },
    Target {
        name: "mirror",
        run: mirror::run,
        seeds: seeds::lists,
    },
    Target {
        name: "proxy",
        run: proxy::run,
        seeds: seeds::hops,
    },
    Target {
        name: "recording",
        run: recording::run,
        seeds: recording_seeds::recordings,
    },
    Target {
        name: "roster",
        run: roster::run,
        seeds: seeds::noise,
    },
];
