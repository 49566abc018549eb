//! Detects, in a cluster of servers, that a bucket has another leader or lost a server.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::jetstream::kv::Store;
use async_nats::jetstream::stream::InfoError;
use futures_util::future::try_join;
use presence_core::cluster::Restart;
use tokio::time::{sleep, timeout};

use super::buckets::Buckets;
use super::problem::Problem;

/// Interval of probes, and time limit for an answer: a bucket without a leader gives none.
const INTERVAL: Duration = Duration::from_millis(500);

/// The servers of a bucket.
#[derive(Debug)]
struct Servers {
    /// Empty without a leader.
    leader: String,
    /// When it became the leader.
    since: Option<String>,
    /// The servers that are online.
    online: BTreeSet<String>,
}

impl Servers {
    /// Whether the watches that began with these servers still run. Each is served by one of them.
    fn continue_in(&self, now: &Self) -> bool {
        self.leader == now.leader && self.since == now.since && self.online.is_subset(&now.online)
    }
}

/// Returns when a server that serves a watch may be gone. The watch itself would notice that only after two missed
/// heartbeats of 5 s. Never returns without a cluster, where a lost server is a lost connection.
pub(super) async fn servers_change(buckets: &Buckets) -> Problem {
    let mut known: Option<[Servers; 2]> = None;
    loop {
        let both = try_join(servers(&buckets.leases), servers(&buckets.rows));
        match timeout(INTERVAL, both).await {
            // An election goes on.
            Ok(Ok((Some(leases), Some(rows)))) if leases.leader.is_empty() || rows.leader.is_empty() => {}
            Ok(Ok((Some(leases), Some(rows)))) => {
                let found = [leases, rows];
                if let Some(known) = &known
                    && !known
                        .iter()
                        .zip(&found)
                        .all(|(known, now)| known.continue_in(now))
                {
                    return Problem::Restart(Restart::Resync);
                }
                known = Some(found);
            }
            Ok(Ok(_)) if known.is_none() => return std::future::pending().await,
            Ok(_) => {}
            // The timeout took the interval already.
            Err(_) => continue,
        }
        sleep(INTERVAL).await;
    }
}

/// `None`: there is no cluster.
async fn servers(store: &Store) -> Result<Option<Servers>, InfoError> {
    let cluster = store.stream.get_info().await?.cluster;
    // A server without a cluster states itself as the leader of none.
    let Some(cluster) = cluster.filter(|cluster| cluster.name.is_some()) else {
        return Ok(None);
    };
    let leader = cluster.leader.unwrap_or_default();
    let replicas = cluster.replicas.into_iter().filter(|replica| !replica.offline);
    let mut online: BTreeSet<String> = replicas.map(|replica| replica.name).collect();
    online.insert(leader.clone());
    let since = cluster.leader_since.map(|since| since.to_string());
    Ok(Some(Servers {
        leader,
        since,
        online,
    }))
}
