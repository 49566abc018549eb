//! Attackers: threads that do one bad thing, over and over, until they are told to stop.

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

/// How long an attacker waits for what a gateway does at once.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it waits when the socket is full.
const PAUSE: Duration = Duration::from_millis(1);

/// What it does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Attack {
    /// Opens sockets and closes them, as many as it can.
    Churn,
    /// Keeps so many sockets open that send nothing.
    Silent(usize),
    /// Lets so many sockets send as many plain requests at once as one may.
    Requests(usize),
    /// Sends empty pings, as many as it can, without a token.
    Pings,
    /// The same with a token.
    ClientPings,
    /// Sends one message in empty pieces that never ends, without a token.
    Pieces,
    /// The same with a token.
    ClientPieces,
    /// Sends a wrong token and closes without waiting for the answer.
    Guesses,
    /// Sends frames of 1 MiB whose parameters are `{"":0}` all over, with a token and no scope.
    Params,
    /// Lets so many sockets send a `connect` of 64 KiB at once, without a token.
    Hellos(usize),
    /// Lets so many clients report a row of the largest strings, with a token and no scope.
    Rows(usize),
}

impl Attack {
    /// Two threads for what one socket at a time can do; one with many sockets for the rest.
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

/// Attackers at work; they stop when this is dropped.
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

    /// How many sockets a churn opened so far.
    pub(crate) fn sockets(&self) -> u64 {
        self.sockets.load(Ordering::Relaxed)
    }
}

impl Drop for Attackers {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // It has nothing to say.
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

/// Reads what is there; an error when the other end closed.
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
