//! One session after another, as long as the gateway runs.

use std::sync::Arc;

use presence_core::cluster::ClusterInput;
use tracing::{info, warn};

use super::past::Past;
use super::problem::Problem;
use super::session::Session;
use super::{Port, STARTING};
use crate::config::ClusterConfig;

/// Keeps the gateway in its fleet until it stops.
pub(crate) async fn run(config: ClusterConfig, boot_id: Box<str>, mut port: Port) {
    let servers = config.shown_servers();
    let session = Session {
        config: &config,
        boot_id: &boot_id,
        servers: &servers,
    };
    port.degraded.send_replace(Some(Arc::from(STARTING)));
    let mut past = Past::default();
    let mut said = String::new();
    loop {
        let (shared, problem) = session.run(&mut port, &mut past).await;
        if past.ended(shared, matches!(problem, Problem::Silent(_))) {
            said.clear();
        }
        if matches!(problem, Problem::Stopped) || !port.send_inputs(vec![ClusterInput::Left]).await {
            return;
        }
        // Outputs of the driver belong to the session that ended.
        while port.outputs.try_recv().is_ok() {}
        let text = problem.to_string();
        let is_restart = matches!(problem, Problem::Restart(_));
        if !is_restart {
            port.degraded.send_replace(Some(Arc::from(text.as_str())));
        }
        if text != said {
            if is_restart {
                info!(name = %config.name, "fleet: {text}");
            } else {
                warn!(name = %config.name, "degraded: the fleet is not shared: {text}; retrying");
            }
            said = text;
        }
        tokio::select! {
            () = tokio::time::sleep(problem.retry(past.failures)) => {}
            _ = port.stopping.wait_for(|is_stopping| *is_stopping) => return,
        }
    }
}
