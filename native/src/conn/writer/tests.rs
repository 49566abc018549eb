use std::sync::Arc;

use presence_core::wire::{EventFrame, ResponseFrame};
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Message, WebSocket};

use super::*;

/// A socket that takes at most `room` bytes until it is emptied, and at most `step` at once.
#[derive(Default)]
struct Socket {
    taken: Vec<u8>,
    room: usize,
    step: usize,
}

impl Socket {
    fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let offered: usize = slices.iter().map(|slice| slice.len()).sum();
        assert_ne!(offered, 0, "an empty write would look like a closed socket");
        let count = offered.min(self.room).min(self.step);
        if count == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.room -= count;
        self.taken
            .extend(slices.iter().flat_map(|slice| slice.iter()).take(count));
        Ok(count)
    }
}

fn flush(writer: &mut Writer, socket: &mut Socket) -> Flush {
    writer.flush(|slices| socket.write(slices), None).0.unwrap()
}

/// The messages that a client reads from the bytes.
fn messages(bytes: Vec<u8>) -> Vec<Message> {
    let mut client = WebSocket::from_raw_socket(Cursor::new(bytes), Role::Client, None);
    let mut messages = Vec::new();
    while let Ok(message) = client.read() {
        messages.push(message);
    }
    messages
}

fn presence(body: &str) -> Item {
    Item::Presence(Arc::new(EventFrame::new("p", body)))
}

fn texts(messages: &[Message]) -> Vec<&str> {
    messages
        .iter()
        .filter_map(|message| message.to_text().ok().filter(|_| message.is_text()))
        .collect()
}

#[test]
fn frames_of_every_length_survive_writes_of_every_length() {
    for step in [1, 2, 3, 7, 1_000, 1_000_000] {
        let mut writer = Writer::new(None, 1 << 20);
        let sizes = [1, 125, 126, 127, 4_000, 65_535, 65_536, 100_000, 3, 3];
        let wanted: Vec<String> = sizes.iter().map(|&size| "x".repeat(size)).collect();
        let mut socket = Socket {
            step,
            room: usize::MAX,
            ..Socket::default()
        };
        for text in &wanted {
            writer
                .push(Item::Response(ResponseFrame::text(text.clone())))
                .unwrap();
        }
        assert_eq!(flush(&mut writer, &mut socket), Flush::Done);
        assert!(writer.is_empty());
        assert_eq!(texts(&messages(socket.taken)), wanted, "step {step}");
    }
}

#[test]
fn frames_are_never_interleaved() {
    for room in 1..80 {
        let mut writer = Writer::new(None, 1 << 20);
        let mut socket = Socket {
            step: usize::MAX,
            room,
            ..Socket::default()
        };
        writer.push(presence("[1,2,3,4,5,6,7,8,9]")).unwrap();
        writer
            .push(Item::Response(ResponseFrame::text("{\"type\":\"res\"}")))
            .unwrap();
        flush(&mut writer, &mut socket);
        writer.control(&[PONG, 3, b'a', b'b', b'c', PONG, 1, b'd']);
        writer.ping();
        socket.room = usize::MAX;
        assert_eq!(flush(&mut writer, &mut socket), Flush::Done);

        let messages = messages(socket.taken);
        assert_eq!(
            texts(&messages),
            [
                r#"{"type":"event","event":"p","payload":[1,2,3,4,5,6,7,8,9],"seq":1}"#,
                "{\"type\":\"res\"}"
            ]
        );
        let pongs: Vec<_> = messages.iter().filter(|message| message.is_pong()).collect();
        assert_eq!(pongs, [&Message::Pong("d".into())], "room {room}");
        assert_eq!(messages.iter().filter(|message| message.is_ping()).count(), 1);
    }
}

#[test]
fn a_stopped_reader_has_the_unfinished_snapshot_and_the_newest() {
    let mut writer = Writer::new(None, 1 << 20);
    let mut socket = Socket {
        step: usize::MAX,
        room: 4,
        ..Socket::default()
    };
    for n in 0..100 {
        writer.push(presence(&n.to_string())).unwrap();
        assert_eq!(flush(&mut writer, &mut socket), Flush::Blocked);
    }
    socket.room = usize::MAX;
    flush(&mut writer, &mut socket);
    assert_eq!(
        texts(&messages(socket.taken)),
        [
            r#"{"type":"event","event":"p","payload":0,"seq":1}"#,
            r#"{"type":"event","event":"p","payload":99,"seq":2}"#
        ]
    );
}

#[test]
fn nothing_follows_a_close() {
    let mut writer = Writer::new(None, 1 << 20);
    let mut socket = Socket {
        step: 3,
        room: usize::MAX,
        ..Socket::default()
    };
    writer.push(Item::Response(ResponseFrame::text("{}"))).unwrap();
    writer.push(Item::Close(CloseFrame::SLOW_CONSUMER)).unwrap();
    flush(&mut writer, &mut socket);
    writer.ping();
    writer.control(&[CLOSE, 2, 3, 0xe8]);
    writer.push(presence("1")).unwrap();
    assert!(writer.is_empty());
    assert_eq!(flush(&mut writer, &mut socket), Flush::Done);

    let messages = messages(socket.taken);
    let Some(Message::Close(Some(close))) = messages.last() else {
        panic!("{messages:?}")
    };
    assert_eq!(
        (u16::from(close.code), close.reason.as_str()),
        (1008, "slow consumer")
    );
    assert_eq!(messages.len(), 2);
}

#[test]
fn the_answer_to_a_close_overtakes_what_waits() {
    let mut writer = Writer::new(None, 1 << 20);
    let mut socket = Socket {
        step: usize::MAX,
        room: usize::MAX,
        ..Socket::default()
    };
    writer.push(presence("1")).unwrap();
    writer.control(&[CLOSE, 2, 0x03, 0xe8]);
    flush(&mut writer, &mut socket);
    assert_eq!(socket.taken, [CLOSE, 2, 0x03, 0xe8]);
}

#[test]
fn the_answer_to_the_upgrade_leaves_with_the_first_frame() {
    let mut writer = Writer::new(Some(Box::from(*b"answer")), 1 << 20);
    assert!(!writer.is_empty());
    writer.push(Item::Response(ResponseFrame::text("{}"))).unwrap();
    let mut writes = Vec::new();
    let write = |slices: &[IoSlice<'_>]| {
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        writes.push(bytes.clone());
        Ok(bytes.len())
    };
    let (outcome, _) = writer.flush(write, None);
    assert_eq!(outcome.unwrap(), Flush::Done);
    assert_eq!(writes, [b"answer\x81\x02{}"]);
    assert!(writer.is_empty());
}

#[test]
fn an_idle_writer_owns_no_memory() {
    let mut writer = Writer::new(None, 1 << 20);
    let mut socket = Socket {
        step: usize::MAX,
        room: usize::MAX,
        ..Socket::default()
    };
    writer
        .push(Item::Response(ResponseFrame::text("x".repeat(100_000))))
        .unwrap();
    flush(&mut writer, &mut socket);
    assert_eq!(writer.writing.capacity(), 0);
}
