//! Bytes that attackers send.

use crate::ws_frame::{self, TEXT};

/// A frame without payload, with a mask of zeros; the first byte is set per attack.
const EMPTY: [u8; 6] = [0, 0x80, 0, 0, 0, 0];
/// First bytes of a ping and of the fragments of a message.
pub(super) const PING: u8 = 0x89;
pub(super) const FIRST_PIECE: u8 = 0x01;
pub(super) const NEXT_PIECE: u8 = 0x00;
/// Bytes per write of a flood.
const FLOOD_BYTES: usize = 96 * 1024;
/// Values that [`full_request`] adds: nearly as many as the parameters of a known method may have (8,192).
const VALUES: usize = 8_000;
/// Control characters of a beacon's text, of its reason and of each other string. A row may have 8,192 bytes.
const TEXT_UNITS: usize = 682;
const REASON_UNITS: usize = 100;
const STRING_UNITS: usize = 170;
/// Most bytes of a frame after the handshake, and before it.
const FRAME_BYTES: usize = 1024 * 1024;
const HELLO_BYTES: usize = 64 * 1024;
/// Plain requests per socket: as many as the gateway answers on one.
const REQUESTS: usize = 100;

/// A write of a flood: one empty frame, repeated.
pub(super) fn empty_frames(first: u8) -> Vec<u8> {
    let mut frame = EMPTY;
    frame[0] = first;
    frame.repeat(FLOOD_BYTES / frame.len())
}

/// A request of `bytes` whose parameters have as many values as fit: more than a known method may have.
fn dense_request(method: &str, bytes: usize) -> String {
    let head = format!(r#"{{"type":"req","id":"1","method":"{method}","params":{{"x":["#);
    let tail = "0]}}";
    let item = r#"{"":0},"#;
    let items = bytes.saturating_sub(head.len() + tail.len()) / item.len();
    format!("{head}{}{tail}", item.repeat(items))
}

/// A request of at most `bytes` that the gateway reads to its end. `start` ends within the parameters.
fn full_request(start: &str, bytes: usize) -> String {
    let (from, item, end) = (r#","x":["#, r#"{"":0},"#, "0]}}");
    let items = VALUES / 2;
    let room = bytes.saturating_sub(start.len() + from.len() + end.len()) / items;
    let name = "a".repeat(room.saturating_sub(item.len()));
    let item = format!(r#"{{"{name}":0}},"#);
    format!("{start}{from}{}{end}", item.repeat(items))
}

/// Requests of [`FRAME_BYTES`]: one that is accepted, one with too many values and one of an unknown method.
pub(super) fn large_frames(number: u64) -> Vec<u8> {
    let start = format!(
        r#"{{"type":"req","id":"2","method":"system-event","params":{{"text":"x","instanceId":"attacker-{number}""#
    );
    let mut bytes = Vec::new();
    for text in [
        full_request(&start, FRAME_BYTES),
        dense_request("system-event", FRAME_BYTES),
        dense_request("no.such.method", FRAME_BYTES),
    ] {
        ws_frame::write(&mut bytes, TEXT, text.as_bytes());
    }
    bytes
}

/// The largest `connect` that is read to its end. It has no token.
pub(super) fn large_hello() -> Vec<u8> {
    let mut bytes = Vec::new();
    ws_frame::write(
        &mut bytes,
        TEXT,
        full_request(&connect_start(0), HELLO_BYTES).as_bytes(),
    );
    bytes
}

/// A beacon about the client's row, which has nearly 8 KiB encoded: a control character has six bytes as JSON.
pub(super) fn large_beacon(number: u64) -> String {
    let members: String = [
        ("text", TEXT_UNITS),
        ("reason", REASON_UNITS),
        ("host", STRING_UNITS),
        ("ip", STRING_UNITS),
        ("version", STRING_UNITS),
    ]
    .into_iter()
    .map(|(name, units)| format!(r#","{name}":"{}""#, r"\u0001".repeat(units)))
    .collect();
    format!(
        r#"{{"type":"req","id":"2","method":"system-event","params":{{"instanceId":"attacker-{number}"{members}}}}}"#
    )
}

/// Pipelined plain requests.
pub(super) fn plain_requests() -> Vec<u8> {
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(REQUESTS)
}

/// The `connect` of a client without a scope, up to its instance.
fn connect_start(number: u64) -> String {
    format!(
        r#"{{"type":"req","id":"1","method":"connect","params":{{"minProtocol":3,"maxProtocol":4,"client":{{"id":"test","version":"1","platform":"linux","mode":"test","instanceId":"attacker-{number}"}}"#
    )
}

/// The `connect` of a client without a scope; `token` may be wrong.
pub(super) fn connect(token: &str, number: u64) -> Vec<u8> {
    let text = format!(r#"{},"auth":{{"token":"{token}"}}}}}}"#, connect_start(number));
    let mut bytes = Vec::new();
    ws_frame::write(&mut bytes, TEXT, text.as_bytes());
    bytes
}

/// The first fragment of a message.
pub(super) fn first_piece() -> Vec<u8> {
    let mut frame = EMPTY;
    frame[0] = FIRST_PIECE;
    frame.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_of_attacks_are_within_the_bounds_of_frames() {
        let is_json = |text: &str| serde_json::from_str::<serde_json::Value>(text).is_ok();
        let dense = dense_request("no.such", FRAME_BYTES);
        assert!(dense.len() <= FRAME_BYTES && dense.len() > FRAME_BYTES - 8);
        assert!(is_json(&dense));
        for bytes in [HELLO_BYTES, FRAME_BYTES] {
            let full = full_request(&connect_start(3), bytes);
            assert!(full.len() <= bytes && full.len() > bytes - VALUES);
            assert!(is_json(&full), "{}", &full[..200]);
        }
        let beacon = large_beacon(3);
        assert!(
            is_json(&beacon) && (7_500..8_192).contains(&beacon.len()),
            "{}",
            beacon.len()
        );
        assert_eq!(empty_frames(PING)[..7], [PING, 0x80, 0, 0, 0, 0, PING]);
    }
}
