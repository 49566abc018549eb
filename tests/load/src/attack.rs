//! Attackers: threads that repeat one attack until they are stopped.

mod payload;
mod plain;
mod sockets;
#[cfg(test)]
mod tests;

use std::io::{self, ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use payload::{NEXT_PIECE, PING, empty_frames, first_piece, large_frames};
use sockets::open;

use crate::error::BenchError;
use crate::ws_frame;

/// Time an attacker waits for an answer that should come at once.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause when the socket is full.
const PAUSE: Duration = Duration::from_millis(1);
/// Answers that show that the gateway read a ping, and fragments up to its bound.
const PONG: &[u8] = &[0x8a, 0];
const TOO_MANY_FRAMES: &[u8] = b"too many frames in one message";
/// The answer to the accepted one of the large frames.
const ACCEPTED: &[u8] = br#""id":"2","ok":true"#;

/// Number of the next token or instance. It must be new to the gateway, so no attack of the process repeats one.
static NEXT_NUMBER: AtomicU64 = AtomicU64::new(0);

fn next_number() -> u64 {
    NEXT_NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// An attack.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Attack {
    /// Opens and closes sockets, as fast as possible.
    Churn,
    /// Keeps this many sockets open and sends nothing.
    Silent(usize),
    /// Sends the most plain requests a socket may pipeline, on this many sockets at once.
    Requests(usize),
    /// Sends empty pings as fast as possible, without a token.
    Pings,
    /// Sends empty pings as fast as possible, with a token.
    ClientPings,
    /// Sends one endless message in empty fragments, without a token.
    Pieces,
    /// Sends one endless message in empty fragments, with a token.
    ClientPieces,
    /// Sends a new wrong token and closes without waiting for the answer.
    Guesses,
    /// Connects as a new instance and closes, with a token and no scope.
    Joins,
    /// Sends frames of 1 MiB whose parameters consist of small values, with a token and no scope.
    Params,
    /// Sends a `connect` of 64 KiB on this many sockets at once, without a token.
    Hellos(usize),
    /// Reports rows of nearly 8 KiB from this many clients, with a token and no scope.
    Rows(usize),
}

impl Attack {
    /// Two threads for attacks with one socket at a time, one for those with many.
    fn threads(self) -> usize {
        match self {
            Self::Churn
            | Self::Pings
            | Self::ClientPings
            | Self::Pieces
            | Self::ClientPieces
            | Self::Guesses
            | Self::Joins => 2,
            Self::Params | Self::Silent(_) | Self::Requests(_) | Self::Hellos(_) | Self::Rows(_) => 1,
        }
    }
}

/// Running attackers; dropping this stops them.
pub(crate) struct Attackers {
    attack: Attack,
    tally: Arc<Tally>,
    threads: Vec<JoinHandle<()>>,
}

/// The state that the attackers share.
#[derive(Default)]
struct Tally {
    is_over: AtomicBool,
    hits: AtomicU64,
    /// The first unexpected answer.
    failure: OnceLock<String>,
}

impl Attackers {
    pub(crate) fn start(attack: Attack, address: SocketAddr, token: &str) -> Self {
        let tally = Arc::new(Tally::default());
        let threads = (0..attack.threads())
            .map(|_| {
                let attacker = Attacker {
                    attack,
                    address,
                    token: token.to_owned(),
                    tally: Arc::clone(&tally),
                };
                std::thread::spawn(move || attacker.run())
            })
            .collect();
        Self {
            attack,
            tally,
            threads,
        }
    }

    /// Number of times that the attack has reached its aim: opened sockets, accepted clients, or answers that show that
    /// the gateway did the work.
    pub(crate) fn hits(&self) -> u64 {
        self.tally.hits.load(Ordering::Relaxed)
    }

    /// Whether [`check`](Self::check) can tell a failure from an attack that has just begun.
    pub(crate) fn is_decided(&self) -> bool {
        self.hits() > 0 || self.tally.failure.get().is_some()
    }

    /// Checks that the gateway did the work that the attack aims at. Figures of an attack that was refused early mean
    /// nothing.
    ///
    /// # Errors
    /// [`BenchError::Attack`].
    pub(crate) fn check(&self) -> Result<(), BenchError> {
        let failure = match self.tally.failure.get() {
            Some(answer) => format!("unexpected answer {answer}"),
            None if self.hits() == 0 => "it has not reached its aim".to_owned(),
            None => return Ok(()),
        };
        Err(BenchError::Attack(format!("{:?}: {failure}", self.attack)))
    }
}

impl Drop for Attackers {
    fn drop(&mut self) {
        self.tally.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A thread that panicked has attacked less, which the figures show.
            let _ = thread.join();
        }
    }
}

struct Attacker {
    attack: Attack,
    address: SocketAddr,
    token: String,
    tally: Arc<Tally>,
}

impl Attacker {
    fn run(&self) {
        while !self.is_over() {
            // A gateway that closes the socket is attacked again.
            if !self.attempt() {
                std::thread::sleep(PAUSE);
            }
        }
    }

    /// Attacks until the gateway closes the socket. Returns whether it answered; an unexpected answer is kept.
    fn attempt(&self) -> bool {
        match self.once() {
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                self.tally.failure.get_or_init(|| error.to_string());
                false
            }
            outcome => outcome.is_ok(),
        }
    }

    fn is_over(&self) -> bool {
        self.tally.is_over.load(Ordering::Relaxed)
    }

    fn count_hit(&self) {
        self.tally.hits.fetch_add(1, Ordering::Relaxed);
    }

    /// Discards received bytes; those with `sign` are a hit. An error when the peer closed.
    fn receive(&self, stream: &mut TcpStream, sign: &[u8]) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(len) => {
                    if !sign.is_empty() && ws_frame::find(&buffer[..len], sign).is_some() {
                        self.count_hit();
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn once(&self) -> io::Result<()> {
        match self.attack {
            Attack::Churn => self.churn(),
            Attack::Silent(count) => self.silent(count),
            Attack::Requests(count) => self.requests(count),
            Attack::Pings => self.flood(open(self.address, "")?, &[], &empty_frames(PING), PONG),
            Attack::ClientPings => self.flood(self.client(0)?, &[], &empty_frames(PING), PONG),
            Attack::Pieces => self.pieces(open(self.address, "")?),
            Attack::ClientPieces => self.pieces(self.client(0)?),
            Attack::Guesses => self.guess(),
            Attack::Joins => self.join(),
            Attack::Params => self.flood(self.client(0)?, &[], &large_frames(0), ACCEPTED),
            Attack::Hellos(count) => self.hellos(count),
            Attack::Rows(count) => self.rows(count),
        }
    }

    /// Sends one endless message in empty fragments.
    fn pieces(&self, stream: TcpStream) -> io::Result<()> {
        self.flood(stream, &first_piece(), &empty_frames(NEXT_PIECE), TOO_MANY_FRAMES)
    }
}
