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
/// Longest string of a beacon, in UTF-16 units.
const STRING_UNITS: usize = 1_024;
/// Plain requests per socket: as many as the gateway answers on one.
const REQUESTS: usize = 100;

/// A write of a flood: one empty frame, repeated.
pub(super) fn empty_frames(first: u8) -> Vec<u8> {
    let mut frame = EMPTY;
    frame[0] = first;
    frame.repeat(FLOOD_BYTES / frame.len())
}

/// A request of `bytes` whose parameters have as many values as fit.
pub(super) fn dense_request(method: &str, bytes: usize) -> String {
    let head = format!(r#"{{"type":"req","id":"1","method":"{method}","params":{{"x":["#);
    let tail = "0]}}";
    let item = r#"{"":0},"#;
    let items = bytes.saturating_sub(head.len() + tail.len()) / item.len();
    format!("{head}{}{tail}", item.repeat(items))
}

/// A request of a known method and one of an unknown method.
pub(super) fn large_frames() -> Vec<u8> {
    let mut bytes = Vec::new();
    for method in ["system-event", "no.such.method"] {
        ws_frame::write(&mut bytes, TEXT, dense_request(method, 1024 * 1024).as_bytes());
    }
    bytes
}

/// A beacon about the client's row: each string has the maximum length, and six times that as JSON.
pub(super) fn large_beacon(number: usize) -> String {
    let long = r"\u0001".repeat(STRING_UNITS);
    let members: String = [
        "host",
        "ip",
        "mode",
        "version",
        "platform",
        "reason",
        "deviceFamily",
        "modelIdentifier",
    ]
    .iter()
    .map(|name| format!(r#","{name}":"{long}""#))
    .collect();
    format!(
        r#"{{"type":"req","id":"2","method":"system-event","params":{{"text":"x","instanceId":"attacker-{number}"{members}}}}}"#
    )
}

/// Pipelined plain requests.
pub(super) fn plain_requests() -> Vec<u8> {
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(REQUESTS)
}

/// The `connect` of a client without a scope; `token` may be wrong.
pub(super) fn connect(token: &str, number: usize) -> Vec<u8> {
    let text = format!(
        r#"{{"type":"req","id":"1","method":"connect","params":{{"minProtocol":3,"maxProtocol":4,"client":{{"id":"test","version":"1","platform":"linux","mode":"test","instanceId":"attacker-{number}"}},"auth":{{"token":"{token}"}}}}}}"#
    );
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
        for (method, bytes) in [("connect", 64 * 1024), ("no.such", 1024 * 1024)] {
            let text = dense_request(method, bytes);
            assert!(text.len() <= bytes && text.len() > bytes - 8, "{}", text.len());
            assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        }
        assert!(serde_json::from_str::<serde_json::Value>(&large_beacon(3)).is_ok());
        assert_eq!(empty_frames(PING)[..7], [PING, 0x80, 0, 0, 0, 0, PING]);
    }
}
