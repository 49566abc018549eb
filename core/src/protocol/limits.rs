//! Every bound and interval of the protocol, in one place. All are configurable.

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
    /// Longest time with output pending and no byte accepted, in ms.
    pub stall_ms: u64,
    /// The coalescing window of presence broadcasts, in ms; 0 disables it.
    pub window_ms: u64,
    /// Longest ping interval, in ms; the interval in force is `min(this, ttl / 4)`.
    pub ping_interval_ms: u64,
    /// Refused calls in a row after which a connection is closed.
    pub unauthorized_calls: u32,
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
