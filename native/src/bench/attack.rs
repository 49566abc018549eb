//! Attackers: a thread that does one bad thing, over and over, until it is told to stop.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::frame::{self, TEXT};

/// How long an attacker waits for what a gateway does at once.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it waits when the socket is full.
const PAUSE: Duration = Duration::from_millis(1);
/// A frame without payload, masked with zeros; the first byte is to be set.
const EMPTY: [u8; 6] = [0, 0x80, 0, 0, 0, 0];
const PING: u8 = 0x89;
const FIRST_PIECE: u8 = 0x01;
const NEXT_PIECE: u8 = 0x00;
/// Bytes that a flood writes at once.
const FLOOD_BYTES: usize = 96 * 1024;
/// The longest string of a beacon.
const STRING_UNITS: usize = 1_024;

/// What it does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Attack {
    /// Sends empty pings, as many as it can, without a token.
    Pings,
    /// Sends one message in empty pieces that never ends, without a token.
    Pieces,
    /// Sends frames of 1 MiB whose parameters are `{"":0}` all over, with a token and no scope.
    Params,
    /// Lets so many sockets send a `connect` of 64 KiB at once, without a token.
    Hellos(usize),
    /// Lets so many clients report a row of the largest strings, with a token and no scope.
    Rows(usize),
}

/// Attackers at work; they stop when this is dropped.
pub(super) struct Attackers {
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Attackers {
    /// Two of them, for what one socket can do; one with many sockets for the rest.
    pub(super) fn start(attack: Attack, address: SocketAddr, token: &str) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let count = match attack {
            Attack::Pings | Attack::Pieces => 2,
            Attack::Params | Attack::Hellos(_) | Attack::Rows(_) => 1,
        };
        let threads = (0..count)
            .map(|_| {
                let attacker = Attacker {
                    attack,
                    address,
                    token: token.to_owned(),
                    is_over: Arc::clone(&is_over),
                };
                std::thread::spawn(move || attacker.run())
            })
            .collect();
        Self { is_over, threads }
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
}

impl Attacker {
    fn run(&self) {
        while !self.is_over() {
            // A gateway that closes the socket is attacked anew.
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
            Attack::Pings => self.flood(open(self.address)?, &[], &empty_frames(PING)),
            Attack::Pieces => {
                let first = [FIRST_PIECE, 0x80, 0, 0, 0, 0];
                self.flood(open(self.address)?, &first, &empty_frames(NEXT_PIECE))
            }
            Attack::Params => self.flood(self.client(0)?, &[], &large_frames()),
            Attack::Hellos(count) => self.hellos(count),
            Attack::Rows(count) => self.rows(count),
        }
    }

    /// Writes `first`, then `chunk` again and again, and reads what is answered.
    fn flood(&self, mut stream: TcpStream, first: &[u8], chunk: &[u8]) -> io::Result<()> {
        stream.write_all(first)?;
        stream.set_nonblocking(true)?;
        let mut at = 0;
        while !self.is_over() {
            match stream.write(&chunk[at..]) {
                Ok(len) => at = (at + len) % chunk.len(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
                Err(error) => return Err(error),
            }
            discard(&mut stream)?;
        }
        Ok(())
    }

    /// All send, then all are read until they are closed.
    fn hellos(&self, count: usize) -> io::Result<()> {
        let text = dense_request("connect", 64 * 1024);
        let mut hello = Vec::new();
        frame::write(&mut hello, TEXT, text.as_bytes());
        let mut sockets = Vec::new();
        for _ in 0..count {
            let stream = open(self.address)?;
            stream.set_nonblocking(true)?;
            sockets.push((stream, 0));
            if self.is_over() {
                return Ok(());
            }
        }
        while !sockets.is_empty() && !self.is_over() {
            sockets.retain_mut(|(stream, at)| {
                match stream.write(&hello[*at..]) {
                    Ok(len) => *at += len,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(_) => return false,
                }
                discard(stream).is_ok()
            });
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    fn rows(&self, count: usize) -> io::Result<()> {
        let mut clients = Vec::new();
        for number in 0..count {
            let mut stream = self.client(number)?;
            let mut beacon = Vec::new();
            frame::write(&mut beacon, TEXT, large_beacon(number).as_bytes());
            stream.write_all(&beacon)?;
            stream.set_nonblocking(true)?;
            clients.push(stream);
            if self.is_over() {
                return Ok(());
            }
        }
        while !self.is_over() {
            for stream in &mut clients {
                discard(stream)?;
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// A client that is let in and has no scope.
    fn client(&self, number: usize) -> io::Result<TcpStream> {
        let mut stream = open(self.address)?;
        let connect = format!(
            r#"{{"type":"req","id":"1","method":"connect","params":{{"minProtocol":3,"maxProtocol":4,"client":{{"id":"test","version":"1","platform":"linux","mode":"test","instanceId":"attacker-{number}"}},"auth":{{"token":"{}"}}}}}}"#,
            self.token
        );
        let mut bytes = Vec::new();
        frame::write(&mut bytes, TEXT, connect.as_bytes());
        stream.write_all(&bytes)?;
        read_until(&mut stream, b"hello-ok")?;
        Ok(stream)
    }
}

/// A WebSocket whose challenge has come.
fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    read_until(&mut stream, b"connect.challenge")?;
    Ok(stream)
}

fn read_until(stream: &mut TcpStream, wanted: &[u8]) -> io::Result<()> {
    let mut read = Vec::new();
    let mut buffer = [0; 16 * 1024];
    while frame::find(&read, wanted).is_none() {
        match stream.read(&mut buffer)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            len => read.extend_from_slice(&buffer[..len]),
        }
    }
    Ok(())
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

fn empty_frames(first: u8) -> Vec<u8> {
    let mut frame = EMPTY;
    frame[0] = first;
    frame.repeat(FLOOD_BYTES / frame.len())
}

/// A request of `bytes` whose parameters would be the largest tree.
fn dense_request(method: &str, bytes: usize) -> String {
    let head = format!(r#"{{"type":"req","id":"1","method":"{method}","params":{{"x":["#);
    let tail = "0]}}";
    let item = r#"{"":0},"#;
    let items = bytes.saturating_sub(head.len() + tail.len()) / item.len();
    format!("{head}{}{tail}", item.repeat(items))
}

/// One of a method that there is and one of a method that there is not.
fn large_frames() -> Vec<u8> {
    let mut bytes = Vec::new();
    for method in ["system-event", "no.such.method"] {
        frame::write(&mut bytes, TEXT, dense_request(method, 1024 * 1024).as_bytes());
    }
    bytes
}

/// A beacon about the client's own row: each string as long as it may be, and six times that as JSON.
fn large_beacon(number: usize) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_attackers_send_is_within_the_bounds_of_frames() {
        for (method, bytes) in [("connect", 64 * 1024), ("no.such", 1024 * 1024)] {
            let text = dense_request(method, bytes);
            assert!(text.len() <= bytes && text.len() > bytes - 8, "{}", text.len());
            assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        }
        assert!(serde_json::from_str::<serde_json::Value>(&large_beacon(3)).is_ok());
        assert_eq!(empty_frames(PING)[..7], [PING, 0x80, 0, 0, 0, 0, PING]);
    }
}
