//! The part of the driver that keeps the gateway in its fleet.

use presence_core::Now;
use presence_core::cluster::{Cluster, ClusterConfig, ClusterInput, ClusterOutput};
use tokio::sync::mpsc;

use super::Driver;

/// The state machine, and the channel to the task that carries out its outputs.
#[derive(Debug)]
pub(super) struct Fleet {
    machine: Cluster,
    outputs: mpsc::Sender<ClusterOutput>,
}

impl Driver {
    /// Makes the gateway a member of a fleet. Must be called before [`run`](Self::run).
    pub(crate) fn join_fleet(
        mut self,
        name: &str,
        boot_id: &str,
        outputs: mpsc::Sender<ClusterOutput>,
    ) -> Self {
        let config = ClusterConfig {
            name: name.into(),
            boot_id: boot_id.into(),
        };
        let machine = Cluster::new(config, &mut self.hub, self.clock.now());
        self.fleet = Some(Fleet { machine, outputs });
        self
    }

    /// The next deadline.
    pub(super) fn deadline(&self) -> Option<u64> {
        let fleet = self
            .fleet
            .as_ref()
            .and_then(|fleet| fleet.machine.poll_timeout(&self.hub));
        self.hub.poll_timeout().into_iter().chain(fleet).min()
    }

    /// Handles inputs from the buckets.
    pub(super) fn handle_fleet(&mut self, inputs: Vec<ClusterInput>, now: Now) {
        if let Some(fleet) = &mut self.fleet {
            fleet.machine.handle(inputs, &mut self.hub, now);
        }
    }

    /// Passes the state machine's outputs to the task.
    pub(super) fn drive_fleet(&mut self, now: Now) {
        let Some(fleet) = &mut self.fleet else { return };
        while let Some(output) = fleet.machine.poll_output(&mut self.hub, now) {
            // There is room for all that can be on its way (`MAX_OUTPUTS`); without a receiver the gateway is stopping.
            let _ = fleet.outputs.try_send(output);
        }
    }
}
