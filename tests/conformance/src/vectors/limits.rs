//! The limits of a vector's configuration.

use presence_core::wire::Limits;

use super::format::Config;

/// The limits that a configuration sets; the defaults of the others.
#[must_use]
pub fn limits(config: &Config) -> Limits {
    let default = Limits::default();
    let given = &config.limits;
    Limits {
        preauth_frame_bytes: given.preauth_frame_bytes.unwrap_or(default.preauth_frame_bytes),
        payload_bytes: given.payload_bytes.unwrap_or(default.payload_bytes),
        buffered_bytes: given.buffered_bytes.unwrap_or(default.buffered_bytes),
        handshake_ms: given.handshake_ms.unwrap_or(default.handshake_ms),
        tick_interval_ms: given.tick_interval_ms.unwrap_or(default.tick_interval_ms),
        stall_ms: given.stall_ms.unwrap_or(default.stall_ms),
        window_ms: config.window_ms,
        ping_interval_ms: given.ping_interval_ms.unwrap_or(default.ping_interval_ms),
        unauthorized_calls: given.unauthorized_calls.unwrap_or(default.unauthorized_calls),
    }
}
