//! Clients without scopes that send messages of 1 MiB, while a normal client makes calls.
//!
//! The delay of a call is counted in messages that the gateway handles meanwhile. The attackers number their messages,
//! and the list, which is the answer to the call, shows the numbers. The gateway is stopped while the call is sent, so
//! that the speed of this test and of the machine does not count.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::thread::JoinHandle;

use rustix::net::{RecvFlags, recv};
use rustix::process::Signal;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

use super::support::flood::blocking_socket;
use super::support::frames::{FIRST_PIECE, LAST_PIECE, PING, TEXT, frame};
use super::support::witness::{LEFT_KB, Witness};
use super::support::{Client, row, within};
use super::{READ, request};

const MIB: usize = 1024 * 1024;
/// Most large texts that are handled between two polls of the sockets, of all connections together.
const LARGE_TEXTS: u64 = 1;
/// Most polls of the sockets from one turn of a connection to the next one, or to the end of its call: one before which
/// a text is handled already but has no answer yet, one that shows the call, and one before the turn of the driver.
const MOST_POLLS: u64 = 3;
/// Most messages of one turn.
const TURN_MESSAGES: usize = 64;
/// Turns of the normal client that the calls of one round take.
const TURNS: usize = 3;
/// Calls of the normal client during one attack.
const CALLS: usize = 50;
/// Fewest large messages that are handled meanwhile.
const FEWEST_TEXTS: u64 = 50;
/// Clients whose messages are complete at once: far more than may be handled during a call.
const ATTACKERS: usize = 14;
const ROUNDS: usize = 5;

/// The messages of an attacker: each consists of a start with its number and of this rest.
struct Texts {
    /// The start, in which `#` is the number.
    start: &'static str,
    rest: String,
    /// Whether the message itself is a beacon that writes its number into the row. Otherwise a small one follows it.
    is_beacon: bool,
}

/// Beacons with a large member that is ignored; many and nested values for an unknown method and for a known one; a
/// large text for a method that needs another scope.
fn texts() -> Vec<Texts> {
    let of = |start: &'static str, item: &str, end: &str, is_beacon| Texts {
        start,
        rest: item.repeat((MIB - 200) / item.len()) + end,
        is_beacon,
    };
    let unknown = r##"{"type":"req","id":"large","method":"no.such.method","params":{"text":["##;
    let dense = r##"{"type":"req","id":"large","method":"system-event","params":{"text":["##;
    let deep = r##"{"type":"req","id":"large","method":"no.such.method","params":"##;
    let long = r##"{"type":"req","id":"large","method":"wake","params":{"text":""##;
    let beacon = r##"{"type":"req","id":"#","method":"system-event","params":{"text":"#","instanceId":"attacker","x":""##;
    let nested = (MIB - 200) / 2;
    vec![
        of(beacon, "x", r#""}}"#, true),
        of(beacon, r"\u0001", r#""}}"#, true),
        of(unknown, r#"{"":0},"#, "0]}}", false),
        of(dense, "0,", "0]}}", false),
        Texts {
            start: deep,
            rest: format!("{}{}}}", "[".repeat(nested), "]".repeat(nested)),
            is_beacon: false,
        },
        of(long, "x", r#""}}"#, false),
    ]
}

/// A client that sends large messages until it is stopped.
struct Attacker {
    stream: TcpStream,
    thread: JoinHandle<()>,
    /// The end of what is received, which may hold a part of a number.
    heard: Vec<u8>,
    /// The last number that was answered.
    answered: u64,
}

impl Attacker {
    fn start(client: Client, texts: Texts) -> Self {
        let stream = blocking_socket(client);
        let mut writer = stream.try_clone().unwrap();
        let thread = std::thread::spawn(move || {
            for number in 1_u64.. {
                let number = format!("{number:08}");
                let start = texts.start.replace('#', &number);
                let mut bytes = unmasked_head(TEXT, start.len() + texts.rest.len());
                bytes.extend(start.as_bytes());
                bytes.extend(texts.rest.as_bytes());
                if !texts.is_beacon {
                    let beacon = json!({ "text": number, "instanceId": "attacker" });
                    bytes.extend(frame(TEXT, request(&number, "system-event", &beacon).as_bytes()));
                }
                // Until it is stopped.
                if writer.write_all(&bytes).is_err() {
                    return;
                }
            }
        });
        Self {
            stream,
            thread,
            heard: Vec::new(),
            answered: 0,
        }
    }

    /// The number of its last message whose answer has arrived.
    fn answered(&mut self) -> u64 {
        let mut buffer = [0; 64 * 1024];
        while let Ok((len @ 1.., _)) = recv(&self.stream, &mut buffer[..], RecvFlags::DONTWAIT) {
            self.heard.extend_from_slice(&buffer[..len]);
        }
        let heard = String::from_utf8_lossy(&self.heard).into_owned();
        for (at, _) in heard.match_indices(r#""id":"0"#) {
            let number = heard.get(at + 6..at + 14).and_then(|number| number.parse().ok());
            self.answered = number.unwrap_or(self.answered);
        }
        let rest = self.heard.len().saturating_sub(32);
        self.heard.drain(..rest);
        self.answered
    }

    fn stop(self) {
        // Then writing fails.
        self.stream.shutdown(Shutdown::Both).unwrap();
        self.thread.join().unwrap();
    }
}

/// The head of a large frame whose mask changes nothing, so that this test is faster than the gateway.
fn unmasked_head(first: u8, len: usize) -> Vec<u8> {
    assert!(len <= MIB, "{len}");
    [&[first, 0xff][..], &(len as u64).to_be_bytes(), &[0; 4]].concat()
}

/// Attacks with these messages.
async fn calls_are_answered_between(texts: Texts) {
    let mut witness = Witness::start(&[]).await;
    let address = witness.address();
    let (mut normal, _) = Client::connect(address, "normal", READ).await;
    let (client, _) = Client::connect(address, "attacker", &[]).await;
    let mut attacker = Attacker::start(client, texts);
    let (mut calls, mut handled) = (0, 0);
    while calls < CALLS || handled < FEWEST_TEXTS {
        witness.process.stop();
        // All that the gateway has answered by now.
        let before = attacker.answered();
        let call = normal.send_request("system-presence", json!({})).await;
        witness.process.signal(Signal::CONT);
        let answer = normal.response(&call).await;
        let number = row(&answer["payload"], "attacker")["text"].as_str().unwrap();
        // Before the first one, it is the text of its connect.
        handled = number.parse().unwrap_or(0);
        assert!(
            handled <= before + MOST_POLLS * LARGE_TEXTS,
            "{before} became {handled}"
        );
        calls += 1;
    }
    attacker.stop();
    drop(normal);
    witness.is_unharmed(&["attacker", "normal"], 8 * LEFT_KB).await;
}

#[tokio::test]
async fn calls_are_answered_between_the_large_messages_of_a_client() {
    for texts in texts() {
        within("the calls", calls_are_answered_between(texts)).await;
    }
}

#[tokio::test]
async fn large_messages_that_are_complete_at_once_are_handled_one_at_a_time() {
    let mut witness = Witness::start(&[]).await;
    let address = witness.address();
    let (mut normal, _) = Client::connect(address, "normal", READ).await;
    let mut attackers = Vec::new();
    for n in 0..ATTACKERS {
        attackers.push(Client::connect(address, &format!("attacker-{n}"), &[]).await.0);
    }
    for round in 0..ROUNDS {
        let number = format!("round {round}");
        for (n, attacker) in attackers.iter_mut().enumerate() {
            let params =
                json!({ "text": number, "instanceId": format!("attacker-{n}"), "x": "x".repeat(MIB - 500) });
            let text = request(&number, "system-event", &params);
            let first = &text.as_bytes()[..text.len() - 1];
            let mut bytes = [&unmasked_head(FIRST_PIECE, first.len()), first].concat();
            bytes.extend(frame(PING, b"read"));
            attacker.stream().write_all(&bytes).await.unwrap();
        }
        for attacker in &mut attackers {
            // Then its first piece is read.
            while !matches!(attacker.message().await, Message::Pong(_)) {}
        }
        witness.process.stop();
        for attacker in &mut attackers {
            let last = frame(LAST_PIECE, b"}");
            attacker.stream().write_all(&last).await.unwrap();
        }
        // Of several turns, because what was handled before the first one shows in a later one.
        let call = frame(TEXT, request("call", "health", &json!({})).as_bytes());
        let mut calls = call.repeat(TURNS * TURN_MESSAGES - 1);
        let last = request(&number, "system-presence", &json!({}));
        calls.extend(frame(TEXT, last.as_bytes()));
        normal.stream().write_all(&calls).await.unwrap();
        witness.process.signal(Signal::CONT);
        let list = normal.response(&number).await["payload"].take();
        let handled = list
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["text"] == number);
        let handled = handled.count() as u64;
        assert!(
            handled <= 2 * MOST_POLLS * LARGE_TEXTS,
            "{handled} of {ATTACKERS}"
        );
        for attacker in &mut attackers {
            assert_eq!(attacker.response(&number).await["ok"], true);
        }
    }
    drop((normal, attackers));
    // glibc's allocator keeps buffers of messages and uses them again, so that only a leak exceeds the bound.
    let left_kb = 2 * (ATTACKERS * MIB / 1024) as u64;
    witness.is_unharmed(&["attacker", "normal"], left_kb).await;
}
