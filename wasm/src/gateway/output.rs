//! What a simulated gateway wants done and sends, as JavaScript gets it: objects with a tag.

use alloc::string::String;

use serde::Serialize;
use tsify::Tsify;

use super::evidence::DeviceQuestion;

/// What is to be done, beside taking frames.
#[derive(Debug, Serialize, Tsify)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum GatewayEvent {
    Ping {
        socket: u32,
    },
    /// To be answered with `verified`.
    Verify {
        socket: u32,
        question: DeviceQuestion,
    },
    /// For a log.
    Note {
        socket: u32,
        text: &'static str,
    },
}

/// The next frame for a socket; a close is its last.
#[derive(Debug, Serialize, Tsify)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum GatewayFrame {
    Text { text: String },
    Close { code: u16, reason: String },
}
