use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::*;
use crate::model::status::Status;
use crate::wire::presence::{Delta, Snapshot};

mod ageing;
mod changes;
mod deltas;
mod explain;
mod grouping;
mod left;
mod standalone;
mod views;

const TTL: u64 = DEFAULT_TTL_MS;

fn list(text: &str) -> Vec<RawEntry> {
    RawEntry::parse_list(text).unwrap()
}

/// Returns the mirror of a gateway that listed `text` at `now_ms`.
fn mirror(text: &str, now_ms: u64) -> Mirror {
    let mut mirror = Mirror::new(MirrorConfig::default());
    mirror.apply_list(list(text), now_ms);
    mirror
}

fn merged(text: &str) -> Vec<String> {
    mirror(text, 1_000)
        .rows()
        .iter()
        .map(|row| row.entry().to_string())
        .collect()
}

fn keys(mirror: &Mirror) -> Vec<&str> {
    mirror.rows().iter().map(|row| row.key()).collect()
}

fn arcs(keys: &[&str]) -> Vec<Arc<str>> {
    keys.iter().map(|&key| key.into()).collect()
}

fn snapshot_of(text: &str) -> Snapshot {
    Snapshot::read(text).unwrap()
}

fn delta(mirror: &mut Mirror, text: &str) -> DeltaOutcome {
    match Delta::read(text) {
        Some(delta) => mirror.apply_delta(delta, 2_000),
        None => DeltaOutcome::Gap,
    }
}
