//! A fleet on NATS JetStream: the shell of core's [`Cluster`](presence_core::cluster::Cluster).
//!
//! | part | what it does |
//! |---|---|
//! | `task` | one session after another, as long as the gateway runs |
//! | `session` | one connection: claims the name, watches both buckets, writes |
//! | `entries` | the entries of the buckets, with their ages |
//! | `probe` | notices that a bucket has another leader, or lost a server |
//! | `past` | what earlier sessions showed |
//! | `buckets` | finds or creates the buckets, and checks them |
//! | `problem` | errors of a session, with their texts |

mod buckets;
mod entries;
mod past;
mod probe;
mod problem;
mod session;
mod task;

use std::sync::Arc;
use std::time::Duration;

use presence_core::cluster::{ClusterInput, ClusterOutput, MAX_WARNINGS};
use tokio::sync::{mpsc, oneshot, watch};

pub(crate) use self::task::run;

use crate::conn::Event;

/// Outputs of the driver that may wait: all its warnings, one batch and one restart, so that none is lost.
pub(crate) const MAX_OUTPUTS: usize = MAX_WARNINGS + 2;

/// Time limit for connecting, and for writing a batch.
const LIMIT: Duration = Duration::from_secs(5);
/// Why the gateway is degraded until its first session.
const STARTING: &str = "the fleet is not joined yet";

/// Why the gateway is degraded, if it is.
pub(crate) type Degraded = Option<Arc<str>>;

/// The channels between the task and the gateway.
#[derive(Debug)]
pub(crate) struct Port {
    /// Events for the driver; they do not keep it running.
    pub(crate) events: mpsc::WeakSender<Event>,
    /// Outputs of the driver to carry out.
    pub(crate) outputs: mpsc::Receiver<ClusterOutput>,
    pub(crate) degraded: watch::Sender<Degraded>,
    pub(crate) stopping: watch::Receiver<bool>,
}

impl Port {
    /// Hands inputs to the driver, and waits until they are handled. Returns `false` when the gateway is gone.
    async fn send_inputs(&self, inputs: Vec<ClusterInput>) -> bool {
        let Some(events) = self.events.upgrade() else {
            return false;
        };
        let (taken, is_taken) = oneshot::channel();
        if events.send(Event::Cluster(inputs, taken)).await.is_err() {
            return false;
        }
        drop(events);
        // Nothing is sent: the event is dropped.
        let _ = is_taken.await;
        true
    }
}
