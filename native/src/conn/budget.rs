//! Bounds on the work of one connection per turn, and on the frames of a message.

/// Most bytes that one turn takes from the socket.
pub(super) const TURN_BYTES: usize = 16 * 1024;
/// Most messages of one turn, control frames among them.
pub(super) const TURN_MESSAGES: usize = 64;
/// Larger texts are parsed one at a time across all connections. Before the handshake is done, a larger message needs
/// a [`LargePlace`](crate::auth::slots::LargePlace).
pub(super) const LARGE_BYTES: usize = 8 * 1024;
/// Most larger texts that are handled between two polls of the sockets, of all connections together.
pub(super) const LARGE_TEXTS: usize = 1;
/// Most control frames before the handshake is done.
pub(super) const EARLY_CONTROLS: usize = 16;
/// Header and mask of a short frame, such as a control frame.
const SHORT_HEADER_BYTES: usize = 6;

/// Bytes of a control frame on the wire.
pub(super) fn control_bytes(payload: usize) -> usize {
    payload + SHORT_HEADER_BYTES
}

/// Fewest bytes of a message on the wire: in one frame.
pub(super) fn least_bytes(payload: usize) -> usize {
    let length_bytes = match payload {
        0..=125 => 0,
        126..=0xffff => 2,
        _ => 8,
    };
    control_bytes(payload) + length_bytes
}

/// Most bytes of a fragmented message on the wire, with a payload of `max_bytes`: as many again for headers, and one
/// turn, because the check comes after a turn.
pub(super) fn message_bytes(max_bytes: usize) -> usize {
    max_bytes.saturating_mul(2).saturating_add(TURN_BYTES)
}
