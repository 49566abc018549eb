//! How much one connection may do before the others have their turn, and what a message may be made of.

/// Most bytes that one turn takes from the socket.
pub(super) const TURN_BYTES: usize = 16 * 1024;
/// Most messages of one turn, control frames among them.
pub(super) const TURN_MESSAGES: usize = 64;
/// Texts of more bytes are read one at a time, of all connections. Before the handshake is done, only a socket
/// with a [`LargePlace`](crate::auth::slots::LargePlace) takes more bytes of a message than this.
pub(super) const LARGE_BYTES: usize = 8 * 1024;
/// Most control frames before the handshake is done.
pub(super) const EARLY_CONTROLS: usize = 16;
/// Header and mask of a short frame, as those of control frames are.
const SHORT_HEADER_BYTES: usize = 6;

/// Bytes of a control frame on the wire.
pub(super) fn control_bytes(payload: usize) -> usize {
    payload + SHORT_HEADER_BYTES
}

/// Fewest bytes on the wire of one message.
pub(super) fn least_bytes(payload: usize) -> usize {
    let length_bytes = match payload {
        0..=125 => 0,
        126..=0xffff => 2,
        _ => 8,
    };
    control_bytes(payload) + length_bytes
}

/// Most bytes on the wire of one message in pieces, whose payload may have `max_bytes`: as much again for the
/// headers, and one turn, because it is looked at when the turn is over.
pub(super) fn message_bytes(max_bytes: usize) -> usize {
    max_bytes.saturating_mul(2).saturating_add(TURN_BYTES)
}
