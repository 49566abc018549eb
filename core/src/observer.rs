//! A client's mirror as a source of a gateway's roster (SPEC 7): what an observing gateway does with another one.
//!
//! The observer is an ordinary [`Client`] with [`config`]: it reads and never writes, and makes no row. Its shell
//! hands [`update`] to [`Hub::apply`](crate::server::Hub::apply) for every
//! [`ClientEvent::Roster`](crate::client::ClientEvent::Roster), and starts the client again [`retry_ms`] after it was
//! refused.

use alloc::boxed::Box;
use alloc::vec;

use crate::client::{BeaconPolicy, Client, ClientConfig, Problem, RosterDiff};
use crate::fleet::{SourceRow, SourceUpdate};
use crate::model::time::Now;
use crate::model::{ClientInfo, scope};

/// How soon an observer asks again whether somebody approved its device, in ms.
pub const PAIRING_RETRY_MS: u64 = 30_000;
/// How soon it tries again after any other refusal, in ms: somebody may have changed the gateway's settings.
pub const REFUSED_RETRY_MS: u64 = 300_000;

/// The configuration of an observer: it asks for `operator.read` and sends no beacons. The mode `cli` makes no row on
/// gateways of either generation.
#[must_use]
pub fn config(version: &str, platform: &str) -> ClientConfig {
    let client = ClientInfo {
        id: "cli".into(),
        version: version.into(),
        platform: platform.into(),
        mode: "cli".into(),
        display_name: Some("presence-gateway observer".into()),
        ..ClientInfo::default()
    };
    ClientConfig {
        scopes: Some(vec![scope::READ.into()]),
        beacons: BeaconPolicy::Off,
        ..ClientConfig::new(client)
    }
}

/// How long to wait, in ms, before a client is started again that the gateway refused for this reason.
#[must_use]
pub fn retry_ms(problem: &Problem) -> u64 {
    match &*problem.code {
        "PAIRING_REQUIRED" => PAIRING_RETRY_MS,
        _ => REFUSED_RETRY_MS,
    }
}

/// What `diff` says of the gateway's own rows, for the roster of the observing one. Rows that the gateway itself
/// observes are not its own: they say so in `gateway`.
#[must_use]
pub fn update(client: &Client, diff: &RosterDiff, now: Now) -> SourceUpdate {
    let mirror = client.mirror();
    let server_ms = client.server_ms(now);
    let mut update = SourceUpdate {
        removed: diff.removed.clone(),
        is_here: !mirror.is_offline(),
        ..SourceUpdate::default()
    };
    // Of the age clock, as old as it is on the gateway's. What it says of the future happens now.
    let moment = |at_ms: u64| signed(now.age_ms).saturating_sub(signed(server_ms.saturating_sub(at_ms)));
    let rows = [
        &diff.added,
        &diff.changed,
        &diff.status,
        &diff.touched,
        &diff.restated,
    ];
    for row in rows.into_iter().flatten().filter_map(|key| mirror.row(key)) {
        let entry = row.entry();
        if entry.get("gateway").is_some() {
            update.removed.push(Box::from(row.key()));
            continue;
        }
        update.put.push(SourceRow {
            key: row.key().into(),
            entry: entry.clone(),
            heard_ms: moment(row.ts()),
            online_since_ms: entry.integer("onlineSince").map(moment),
            last_activity_ms: entry.integer("lastActivityAt").map(moment),
            is_gateway: row.is_self(),
        });
    }
    update
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}
