//! Every bound and interval of the protocol, in one place. All are configurable.

use crate::model::setting::{InvalidSetting, MAX_BYTES, MAX_SPAN_MS, MIN_BYTES, count, within};

/// The shortest interval or deadline, in ms: shorter ones would keep the gateway busy.
const MIN_SPAN_MS: u64 = 100;

/// Bounds and intervals. [`Limits::default`] holds the product's figures (SPEC 1.5 and 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest frame before the handshake is done, in bytes.
    pub preauth_frame_bytes: usize,
    /// Largest frame after it, in bytes; advertised as `policy.maxPayload`.
    pub payload_bytes: usize,
    /// Most bytes of responses a connection may have undelivered; `policy.maxBufferedBytes`.
    pub buffered_bytes: usize,
    /// Time from the challenge to a valid `connect`, in ms.
    pub handshake_ms: u64,
    /// Interval of `tick` events, in ms; `policy.tickIntervalMs`.
    pub tick_interval_ms: u64,
    /// Longest time with output pending and no byte accepted, and for a message of more than 8 KiB after the handshake,
    /// in ms.
    pub stall_ms: u64,
    /// The coalescing window of presence broadcasts, in ms; 0 disables it.
    pub window_ms: u64,
    /// Longest ping interval, in ms; the interval in force is `min(this, ttl / 4)`.
    pub ping_interval_ms: u64,
    /// Refused calls in a row after which a connection is closed.
    pub unauthorized_calls: u32,
}

impl Limits {
    /// Checks every bound: times of 100 ms (the coalescing window: 0) to [`MAX_SPAN_MS`], sizes of
    /// [`MIN_BYTES`] to [`MAX_BYTES`].
    ///
    /// # Errors
    /// [`InvalidSetting`] names the first that is out of bounds.
    pub fn validate(&self) -> Result<(), InvalidSetting> {
        for (name, bytes) in [
            ("limits.preauth_frame_bytes", self.preauth_frame_bytes),
            ("limits.payload_bytes", self.payload_bytes),
            ("limits.buffered_bytes", self.buffered_bytes),
        ] {
            within(name, count(bytes), MIN_BYTES..=MAX_BYTES)?;
        }
        for (name, ms, least) in [
            ("limits.handshake_ms", self.handshake_ms, MIN_SPAN_MS),
            ("limits.tick_interval_ms", self.tick_interval_ms, MIN_SPAN_MS),
            ("limits.stall_ms", self.stall_ms, MIN_SPAN_MS),
            ("limits.window_ms", self.window_ms, 0),
            ("limits.ping_interval_ms", self.ping_interval_ms, MIN_SPAN_MS),
        ] {
            within(name, ms, least..=MAX_SPAN_MS)?;
        }
        Ok(())
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            preauth_frame_bytes: 64 * 1024,
            payload_bytes: 1024 * 1024,
            buffered_bytes: 1024 * 1024,
            handshake_ms: 15_000,
            tick_interval_ms: 30_000,
            stall_ms: 20_000,
            window_ms: 50,
            ping_interval_ms: 25_000,
            unauthorized_calls: 10,
        }
    }
}
