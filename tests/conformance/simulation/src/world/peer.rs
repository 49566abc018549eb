//! The clients of a world.

use presence_core::Now;
use presence_core::client::{Client, ClientConfig, ClientEvent, DeviceKey};
use presence_core::model::ClientInfo;
use serde_json::Value;

use super::TOKEN;
use super::line::Pace;

/// A client with its own clocks and its reported events.
#[derive(Debug)]
pub struct Peer {
    /// The client.
    pub client: Client,
    /// How it was set up.
    pub config: ClientConfig,
    /// Its `instanceId`, else its host name.
    pub name: String,
    /// How far its age clock and its wall clock are ahead of the gateway's.
    pub(super) ahead: (i64, i64),
    /// The events it reported.
    pub events: Vec<ClientEvent>,
    /// Frames it sent, over all its sockets.
    pub sent: Vec<Value>,
    /// How fast its next lines are.
    pub pace: Pace,
    /// Neither its timers nor its sockets are served; what is sent to it waits.
    pub is_suspended: bool,
    /// Its next lines carry nothing: it has no way to the gateway.
    pub is_cut_off: bool,
    /// When the gateway last had a proof of life of it, on the gateway's age clock, in ms.
    pub proof_ms: Option<u64>,
    /// When the gateway last closed its connection for silence, on the same clock.
    pub closed_ms: Option<u64>,
}

/// A client of this name, as a dashboard would be.
pub fn config(name: &str) -> ClientConfig {
    let client = ClientInfo {
        id: "webchat-ui".into(),
        version: "1.0".into(),
        platform: "linux".into(),
        mode: "webchat".into(),
        display_name: Some(name.into()),
        instance_id: Some(format!("{name}-1").into()),
        ..ClientInfo::default()
    };
    ClientConfig {
        token: Some(TOKEN.into()),
        seed: name.len() as u64,
        ..ClientConfig::new(client)
    }
}

/// The same with full lists instead of deltas.
pub fn plain(name: &str) -> ClientConfig {
    ClientConfig {
        deltas: false,
        ..config(name)
    }
}

/// The same with a device key.
pub fn with_device(name: &str) -> ClientConfig {
    let device = DeviceKey {
        id: format!("device-of-{name}").into(),
        public_key: "pk".into(),
    };
    ClientConfig {
        device: Some(device),
        ..config(name)
    }
}

/// The clocks of a client that are ahead by these ms.
pub(super) fn shifted(now: Now, (age_ms, wall_ms): (i64, i64)) -> Now {
    Now {
        age_ms: now.age_ms.saturating_add_signed(age_ms),
        wall_ms: now.wall_ms.saturating_add_signed(wall_ms),
    }
}
