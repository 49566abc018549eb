//! RFC 6455 frame by frame, after the handshake: the cases of the Autobahn suite that do not need an echo. The gateway
//! has no echo, so a message counts as read when the request in it is answered.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;

use super::support::frames::{BINARY, CLOSE, FIRST_PIECE, LAST_PIECE, NEXT_PIECE, PING, PONG, TEXT, frame};
use super::support::witness::{LEFT_KB, Witness};
use super::support::{Client, within};
use super::{CONNECTIONS, READ, request};

/// A close frame with this code and reason.
fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(CLOSE, &[&code.to_be_bytes(), reason].concat())
}

/// Sends each case on a connection of its own and checks the code of the close, and that a request behind it is not
/// read. The peer is an accepted client, and in the next round of the cases a stranger.
async fn each_is_closed(cases: Vec<(String, Vec<u8>, u16)>) {
    let mut witness = Witness::start(&[]).await;
    let address = witness.address();
    let late = frame(TEXT, request("late", "health", &json!({})).as_bytes());
    for (n, (name, bytes, code)) in cases.iter().cycle().take(CONNECTIONS).enumerate() {
        // All cases by accepted clients, then all by strangers.
        let mut client = match n / cases.len() % 2 {
            0 => Client::connect(address, "broken", READ).await.0,
            _ => Client::open(address, "").await,
        };
        let bytes = [&bytes[..], &late].concat();
        client.stream().write_all(&bytes).await.unwrap();
        let close = loop {
            match client.message().await {
                Message::Close(close) => break close.unwrap(),
                Message::Text(text) => assert!(!text.contains("late"), "{name}: {text}"),
                _ => {}
            }
        };
        assert_eq!(u16::from(close.code), *code, "{name}");
    }
    witness.is_unharmed(&["broken"], LEFT_KB).await;
}

#[tokio::test]
async fn reserved_bits_and_opcodes_are_protocol_errors() {
    let mut cases = Vec::new();
    for bits in [0x40, 0x20, 0x10, 0x70] {
        for first in [TEXT, BINARY, PING, PONG, CLOSE, FIRST_PIECE] {
            cases.push((format!("{first:x} with {bits:x}"), frame(first | bits, b""), 1002));
        }
    }
    for opcode in [3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf] {
        cases.push((format!("opcode {opcode:x}"), frame(0x80 | opcode, b"x"), 1002));
    }
    each_is_closed(cases).await;
}

#[tokio::test]
async fn control_frames_are_short_and_whole() {
    let mut cases = Vec::new();
    for first in [PING, PONG, CLOSE] {
        cases.push((
            format!("{first:x} of 126 bytes"),
            frame(first, &[0x7b; 126]),
            1002,
        ));
        cases.push((format!("a piece of {first:x}"), frame(first & 0x7f, b""), 1002));
    }
    cases.push(("a close of 1 byte".into(), frame(CLOSE, &[3]), 1002));
    each_is_closed(cases).await;
}

#[tokio::test]
async fn pieces_belong_to_a_message() {
    let cases = [
        ("a piece of nothing", frame(NEXT_PIECE, b"x")),
        ("an end of nothing", frame(LAST_PIECE, b"x")),
        (
            "a text within a text",
            [frame(FIRST_PIECE, b"a"), frame(TEXT, b"b")].concat(),
        ),
        (
            "a binary within a text",
            [frame(FIRST_PIECE, b"a"), frame(0x02, b"b")].concat(),
        ),
        ("no mask", vec![TEXT, 2, b'{', b'}']),
        ("no mask on a ping", vec![PING, 0]),
    ];
    each_is_closed(cases.map(|(name, bytes)| (name.to_owned(), bytes, 1002)).into()).await;
}

/// Of an accepted client, because the message alone closes the connection of a stranger.
#[tokio::test]
async fn a_piece_after_a_message_is_a_protocol_error() {
    let mut witness = Witness::start(&[]).await;
    let (mut client, _) = Client::connect(witness.address(), "broken", READ).await;
    let bytes = [frame(TEXT, b"a"), frame(LAST_PIECE, b"b")].concat();
    client.stream().write_all(&bytes).await.unwrap();
    assert_eq!(client.closed().await.0, 1002);
    witness.is_unharmed(&["broken"], LEFT_KB).await;
}

#[tokio::test]
async fn text_is_utf_8() {
    let mut cases = Vec::new();
    for (name, bytes) in [
        ("a lone continuation", &b"\x80"[..]),
        ("an overlong slash", b"\xc0\xaf"),
        ("a surrogate", b"\xed\xa0\x80"),
        ("beyond U+10FFFF", b"\xf4\x90\x80\x80"),
        ("half a character", b"{\xe2\x82"),
        ("five bytes", b"\xf8\x88\x80\x80\x80"),
    ] {
        cases.push((name.to_owned(), frame(TEXT, bytes), 1007));
        let pieces = bytes
            .iter()
            .map(|byte| frame(NEXT_PIECE, &[*byte]))
            .collect::<Vec<_>>();
        let pieces = [frame(FIRST_PIECE, b""), pieces.concat(), frame(LAST_PIECE, b"")].concat();
        cases.push((format!("{name}, in pieces"), pieces, 1007));
    }
    cases.push(("a reason".into(), close(1000, b"\xff\xfe"), 1007));
    each_is_closed(cases).await;
}

#[tokio::test]
async fn a_declared_length_beyond_the_bound_is_refused_at_once() {
    let mut cases = Vec::new();
    for len in [64 << 20, 1_u64 << 32, 1 << 62, u64::MAX >> 1, u64::MAX] {
        for first in [TEXT, BINARY, FIRST_PIECE] {
            let head = [&[first, 0xff][..], &len.to_be_bytes(), &[0; 4]].concat();
            cases.push((format!("{first:x} of {len}"), head, 1009));
        }
    }
    each_is_closed(cases).await;
}

#[tokio::test]
async fn codes_of_closes() {
    let echoed = [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999,
    ];
    let refused = [
        0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535,
    ];
    let echoed = echoed.map(|code| (format!("close {code}"), close(code, b"bye"), code));
    let refused = refused.map(|code| (format!("close {code}"), close(code, b"bye"), 1002));
    each_is_closed(echoed.into_iter().chain(refused).collect()).await;
}

#[tokio::test]
async fn nothing_counts_after_a_close() {
    let mut witness = Witness::start(&[]).await;
    for _ in 0..CONNECTIONS {
        let (client, _) = Client::connect(witness.address(), "gone", READ).await;
        let beacon = json!({ "text": "late", "instanceId": "gone" });
        let late = request("late", "system-event", &beacon);
        let bytes = [
            close(1000, b""),
            frame(TEXT, late.as_bytes()),
            frame(PING, b"late"),
        ]
        .concat();
        let mut stream = client.into_stream();
        stream.write_all(&bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // A reset is an end, too.
        let _ = within("the end", stream.read_to_end(&mut answer)).await;
        assert!(answer.ends_with(&[CLOSE, 2, 0x03, 0xe8]), "{answer:?}");
        assert!(!answer.windows(4).any(|part| part == b"late"), "{answer:?}");
    }
    let rows = witness.is_unharmed(&["gone"], LEFT_KB).await;
    assert!(!json!(rows).to_string().contains("late"), "{rows:?}");
}

#[tokio::test]
async fn every_way_to_send_a_message_is_read() {
    let mut witness = Witness::start(&[]).await;
    let (mut client, _) = Client::connect(witness.address(), "attacker", READ).await;
    // Characters of one to four bytes, so that pieces of one byte cut through them.
    let health = |id: &str| request(&format!("{id} é€😀"), "health", &json!({})).into_bytes();
    let pieces_of = |bytes: Vec<u8>, len: usize, between: &[u8]| {
        let pieces = bytes
            .chunks(len)
            .map(|piece| [between, &frame(NEXT_PIECE, piece)].concat());
        [
            frame(FIRST_PIECE, b""),
            pieces.collect::<Vec<_>>().concat(),
            frame(LAST_PIECE, b""),
        ]
        .concat()
    };
    let long_form = |bytes: Vec<u8>| {
        let len = (bytes.len() as u64).to_be_bytes();
        [&[TEXT, 0xff][..], &len, &[0; 4], &bytes].concat()
    };
    for (name, bytes) in [
        ("text", frame(TEXT, &health("text"))),
        ("binary", frame(BINARY, &health("binary"))),
        ("bytes", pieces_of(health("bytes"), 1, b"")),
        ("pings", pieces_of(health("pings"), 7, &frame(PING, b"between"))),
        ("pongs", pieces_of(health("pongs"), 7, &frame(PONG, &[0; 125]))),
        ("long", long_form(health("long"))),
        (
            "empty",
            [frame(TEXT, b""), frame(TEXT, &health("empty"))].concat(),
        ),
    ] {
        client.stream().write_all(&bytes).await.unwrap();
        assert_eq!(
            client.response(&format!("{name} é€😀")).await["ok"],
            true,
            "{name}"
        );
    }
    // One byte at a time through the socket.
    for byte in frame(TEXT, &health("slow")) {
        client.stream().write_all(&[byte]).await.unwrap();
    }
    assert_eq!(client.response("slow é€😀").await["ok"], true);
    drop(client);
    witness.is_unharmed(&["attacker"], LEFT_KB).await;
}

#[tokio::test]
async fn pings_of_every_length_are_answered_with_their_payload() {
    let mut witness = Witness::start(&[]).await;
    let (mut client, _) = Client::connect(witness.address(), "attacker", READ).await;
    for len in [0, 1, 2, 64, 124, 125] {
        let payload: Vec<u8> = (0..len).map(|byte| byte ^ 0xa5).collect();
        client.stream().write_all(&frame(PING, &payload)).await.unwrap();
        let pong = within("a pong", async {
            loop {
                if let Message::Pong(pong) = client.message().await {
                    return pong;
                }
            }
        });
        assert_eq!(pong.await, payload);
    }
    drop(client);
    witness.is_unharmed(&["attacker"], LEFT_KB).await;
}
