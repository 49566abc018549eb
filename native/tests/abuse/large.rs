//! Clients without scopes that send messages of 1 MiB without a pause, while a normal client makes calls.
//!
//! The delay of a call is counted in messages that the gateway handles meanwhile. The attackers number their messages,
//! and the rows of their beacons show the numbers at the moment at which the call is handled. The gateway is stopped
//! when the call is sent, so that the speed of this test and of the machine does not count.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;

use rustix::net::{RecvFlags, recv};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::support::flood::blocking_socket;
use super::support::frames::{TEXT, frame};
use super::support::witness::{LEFT_KB, Witness};
use super::support::{Client, within};
use super::{READ, request};

const MIB: usize = 1024 * 1024;
/// Most large texts that are handled between two polls of the sockets, of all connections together.
const LARGE_TEXTS: u64 = 1;
/// Polls of the sockets from the arrival of a call to its answer: the call is seen by one poll and may be read after
/// the next one, and the driver may have its turn one poll later. One more is for a text that is handled but has no
/// answer yet when the gateway stops.
const MOST_POLLS: u64 = 4;
/// Calls of the normal client.
const CALLS: usize = 50;
/// Fewest large messages that are handled meanwhile.
const FEWEST_TEXTS: u64 = 50;

/// The messages of an attacker: each consists of a start with its number and of this rest.
#[derive(Clone)]
struct Texts {
    /// The start, in which `#` is the number and `@` the attacker.
    start: &'static str,
    rest: Arc<str>,
    /// Whether the message itself is a beacon that writes its number into the row. Otherwise a small one follows it.
    is_beacon: bool,
}

/// Beacons with a large member that is ignored; many and nested values for an unknown method and for a known one; a
/// large text for a method that needs another scope.
fn texts() -> Vec<Texts> {
    let of = |start: &'static str, item: &str, end: &str, is_beacon| Texts {
        start,
        rest: (item.repeat((MIB - 200) / item.len()) + end).into(),
        is_beacon,
    };
    let unknown = r##"{"type":"req","id":"large","method":"no.such.method","params":{"text":["##;
    let dense = r##"{"type":"req","id":"large","method":"system-event","params":{"text":["##;
    let deep = r##"{"type":"req","id":"large","method":"no.such.method","params":"##;
    let long = r##"{"type":"req","id":"large","method":"wake","params":{"text":""##;
    let beacon =
        r##"{"type":"req","id":"#","method":"system-event","params":{"text":"#","instanceId":"@","x":""##;
    let nested = (MIB - 200) / 2;
    vec![
        of(beacon, "x", r#""}}"#, true),
        of(beacon, r"\u0001", r#""}}"#, true),
        of(unknown, r#"{"":0},"#, "0]}}", false),
        of(dense, "0,", "0]}}", false),
        Texts {
            start: deep,
            rest: format!("{}{}}}", "[".repeat(nested), "]".repeat(nested)).into(),
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
    fn start(client: Client, instance: String, texts: Texts) -> Self {
        let stream = blocking_socket(client);
        let mut writer = stream.try_clone().unwrap();
        let thread = std::thread::spawn(move || {
            for number in 1_u64.. {
                let number = format!("{number:08}");
                let start = texts.start.replace('#', &number).replace('@', &instance);
                let mut bytes = unmasked_head(start.len() + texts.rest.len());
                bytes.extend(start.as_bytes());
                bytes.extend(texts.rest.as_bytes());
                if !texts.is_beacon {
                    let beacon = json!({ "text": number, "instanceId": instance });
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

/// The head of a text frame whose mask changes nothing, so that this test is faster than the gateway.
fn unmasked_head(len: usize) -> Vec<u8> {
    assert!(len <= MIB, "{len}");
    [&[TEXT, 0xff][..], &(len as u64).to_be_bytes(), &[0; 4]].concat()
}

/// The numbers in the rows of these attackers, in total.
fn written(list: &Value) -> u64 {
    let rows = list.as_array().unwrap().iter();
    let attackers = rows.filter(|row| {
        let id = row["instanceId"].as_str().unwrap_or_default();
        id.starts_with("attacker")
    });
    let numbers = attackers.map(|row| row["text"].as_str().unwrap().parse().unwrap_or(0));
    numbers.sum::<u64>()
}

/// Attacks with these messages, each by a client of its own.
async fn calls_are_answered_between(kinds: Vec<Texts>) {
    let mut witness = Witness::start(&[]).await;
    let address = witness.address();
    let (mut normal, _) = Client::connect(address, "normal", READ).await;
    let mut attackers = Vec::new();
    for (n, texts) in kinds.into_iter().enumerate() {
        let instance = format!("attacker-{n}");
        let (client, _) = Client::connect(address, &instance, &[]).await;
        attackers.push(Attacker::start(client, instance, texts));
    }
    let (mut calls, mut handled, mut most) = (0, 0, 0);
    while calls < CALLS || handled < FEWEST_TEXTS {
        witness.process.stop();
        // Counted before the call is sent: all that the gateway has answered by now.
        let before: u64 = attackers.iter_mut().map(Attacker::answered).sum();
        let call = normal.send_request("system-presence", json!({})).await;
        witness.process.signal(Signal::CONT);
        let answer = normal.response(&call).await;
        handled = written(&answer["payload"]);
        most = most.max(handled - before);
        calls += 1;
    }
    assert!(most <= MOST_POLLS * LARGE_TEXTS, "{most}");
    attackers.into_iter().for_each(Attacker::stop);
    drop(normal);
    witness.is_unharmed(&["attacker", "normal"], 8 * LEFT_KB).await;
}

#[tokio::test]
async fn calls_are_answered_between_the_large_messages_of_a_client() {
    for texts in texts() {
        within("the calls", calls_are_answered_between(vec![texts])).await;
    }
}

/// Without the permits, those that are complete at the same time would be handled together.
#[tokio::test]
async fn calls_are_answered_between_the_large_messages_of_many_clients() {
    let kinds = [texts(), texts()].concat();
    within("the calls", calls_are_answered_between(kinds)).await;
}
