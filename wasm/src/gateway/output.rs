//! Events and frames of a simulated gateway, as tagged objects for JavaScript.

use alloc::string::String;

use serde::Serialize;
use tsify::Tsify;

use super::evidence::DeviceQuestion;

/// An output of the gateway that is not a frame.
#[derive(Debug, Serialize, Tsify)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum GatewayEvent {
    Ping {
        socket: u32,
    },
    /// A device proof to verify; the outcome is passed to `Gateway::verified`.
    Verify {
        socket: u32,
        question: DeviceQuestion,
    },
}

/// The next frame for a socket; a close is its last.
#[derive(Debug, Serialize, Tsify)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum GatewayFrame {
    Text { text: String },
    Close { code: u16, reason: String },
}
