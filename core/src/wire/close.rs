//! WebSocket close codes and reasons.

use alloc::borrow::Cow;

use crate::model::text::prefix_bytes;

/// The longest close reason we send, in bytes; longer ones are cut at a character boundary.
pub const MAX_REASON_BYTES: usize = 120;

/// A WebSocket close: code and reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseFrame {
    /// The close code (RFC 6455 7.4).
    pub code: u16,
    /// Why, at most [`MAX_REASON_BYTES`] bytes of UTF-8.
    pub reason: Cow<'static, str>,
}

impl CloseFrame {
    /// A close whose reason is cut to [`MAX_REASON_BYTES`], never inside a character.
    #[must_use]
    pub fn new(code: u16, reason: impl Into<Cow<'static, str>>) -> Self {
        let mut reason = reason.into();
        let end = prefix_bytes(&reason, MAX_REASON_BYTES).len();
        if end < reason.len() {
            reason.to_mut().truncate(end);
        }
        Self { code, reason }
    }

    const fn of(code: u16, reason: &'static str) -> Self {
        let reason = Cow::Borrowed(reason);
        Self { code, reason }
    }

    /// 1013: the same request succeeds later (IANA: "Try Again Later"). Clients of both generations reconnect.
    pub const TRY_AGAIN_LATER: u16 = 1013;

    /// 1008: the client broke a rule (RFC 6455: "policy violation").
    pub const POLICY_VIOLATION: u16 = 1008;

    /// 1008 `slow consumer`: the client did not read what was sent.
    pub const SLOW_CONSUMER: Self = Self::of(1008, "slow consumer");
    /// 1001 `ping timeout`: no pong in its window.
    pub const PING_TIMEOUT: Self = Self::of(1001, "ping timeout");
    /// 1012 `service restart`: the gateway stops.
    pub const SERVICE_RESTART: Self = Self::of(1012, "service restart");
    /// 1008 `token expired`: the client's named token has expired.
    pub const TOKEN_EXPIRED: Self = Self::of(1008, "token expired");
    /// 1008 `token revoked`: the client's named token was removed, or permits less.
    pub const TOKEN_REVOKED: Self = Self::of(1008, "token revoked");
    /// 1008 `handshake timeout`: no valid `connect` in time.
    pub const HANDSHAKE_TIMEOUT: Self = Self::of(1008, "handshake timeout");
    /// 1008 `too many control frames before the handshake`: pings and pongs.
    pub const TOO_MANY_CONTROLS: Self = Self::of(1008, "too many control frames before the handshake");
    /// 1008 `too many frames in one message`: most of its bytes were headers.
    pub const TOO_MANY_FRAMES: Self = Self::of(1008, "too many frames in one message");
    /// 1008 `message timeout`: a large message was not complete in time.
    pub const MESSAGE_TIMEOUT: Self = Self::of(1008, "message timeout");
    /// 1013 `too many incomplete messages`: those of all connections together take too much memory.
    pub const TOO_MANY_UNFINISHED: Self = Self::of(Self::TRY_AGAIN_LATER, "too many incomplete messages");
    /// 1008 `too many pending handshake frames`: more than the queue holds before the handshake is done.
    pub const TOO_MANY_PENDING: Self = Self::of(1008, "too many pending handshake frames");
    /// 1008 `invalid request frame`: JSON, but not a request, before the handshake.
    pub const INVALID_FRAME: Self = Self::of(1008, "invalid request frame");
    /// 1008 `too many unauthenticated sockets`: its slot is needed, and it was silent the longest.
    pub const TOO_MANY_UNAUTHENTICATED: Self = Self::of(1008, "too many unauthenticated sockets");
    /// 1002 `protocol error`: not WebSocket.
    pub const PROTOCOL_ERROR: Self = Self::of(1002, "protocol error");
    /// 1007 `text is not UTF-8`.
    pub const NOT_UTF8: Self = Self::of(1007, "text is not UTF-8");
    /// 1000 without a reason: the first message was not JSON.
    pub const NOT_JSON: Self = Self::of(1000, "");
    /// 1002 `protocol mismatch`: no common protocol number.
    pub const PROTOCOL_MISMATCH: Self = Self::of(1002, "protocol mismatch");
    /// 1009: a frame over the limit.
    pub const TOO_LARGE: Self = Self::of(1009, "payload too large");
    /// 1008 `repeated unauthorized calls`: more than ten in a row.
    pub const REPEATED_UNAUTHORIZED: Self = Self::of(1008, "repeated unauthorized calls");
}
