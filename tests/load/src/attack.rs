//! Attackers: threads that repeat one attack until they are stopped.

mod payload;
mod plain;
mod sockets;

use std::io::{self, ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use payload::{NEXT_PIECE, PING, empty_frames, first_piece, large_frames};
use sockets::open;

/// Time an attacker waits for an answer that should come at once.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause when the socket is full.
const PAUSE: Duration = Duration::from_millis(1);

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
    /// Sends a wrong token and closes without waiting for the answer.
    Guesses,
    /// Sends frames of 1 MiB whose parameters consist of `{"":0}`, with a token and no scope.
    Params,
    /// Sends a `connect` of 64 KiB on this many sockets at once, without a token.
    Hellos(usize),
    /// Reports rows of the longest strings from this many clients, with a token and no scope.
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
            | Self::Guesses => 2,
            Self::Params | Self::Silent(_) | Self::Requests(_) | Self::Hellos(_) | Self::Rows(_) => 1,
        }
    }
}

/// Running attackers; dropping this stops them.
pub(crate) struct Attackers {
    is_over: Arc<AtomicBool>,
    sockets: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Attackers {
    pub(crate) fn start(attack: Attack, address: SocketAddr, token: &str) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let sockets = Arc::new(AtomicU64::new(0));
        let threads = (0..attack.threads())
            .map(|_| {
                let attacker = Attacker {
                    attack,
                    address,
                    token: token.to_owned(),
                    is_over: Arc::clone(&is_over),
                    sockets: Arc::clone(&sockets),
                };
                std::thread::spawn(move || attacker.run())
            })
            .collect();
        Self {
            is_over,
            sockets,
            threads,
        }
    }

    /// Sockets that a churn has opened.
    pub(crate) fn sockets(&self) -> u64 {
        self.sockets.load(Ordering::Relaxed)
    }
}

impl Drop for Attackers {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
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
    is_over: Arc<AtomicBool>,
    sockets: Arc<AtomicU64>,
}

impl Attacker {
    fn run(&self) {
        while !self.is_over() {
            // A gateway that closes the socket is attacked again.
            if self.once().is_err() {
                std::thread::sleep(PAUSE);
            }
        }
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    fn once(&self) -> io::Result<()> {
        match self.attack {
            Attack::Churn => self.churn(),
            Attack::Silent(count) => self.silent(count),
            Attack::Requests(count) => self.requests(count),
            Attack::Pings => self.flood(open(self.address)?, &[], &empty_frames(PING)),
            Attack::ClientPings => self.flood(self.client(0)?, &[], &empty_frames(PING)),
            Attack::Pieces => self.flood(open(self.address)?, &first_piece(), &empty_frames(NEXT_PIECE)),
            Attack::ClientPieces => self.flood(self.client(0)?, &first_piece(), &empty_frames(NEXT_PIECE)),
            Attack::Guesses => self.guess(),
            Attack::Params => self.flood(self.client(0)?, &[], &large_frames()),
            Attack::Hellos(count) => self.hellos(count),
            Attack::Rows(count) => self.rows(count),
        }
    }
}

/// Discards received bytes; an error when the peer closed.
fn discard(stream: &mut TcpStream) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}
