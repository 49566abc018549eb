//! Attacks on WebSockets.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::payload::{connect, dense_request, large_beacon};
use super::{Attacker, PATIENCE, PAUSE, discard};
use crate::ws_frame::{self, TEXT};

impl Attacker {
    /// Writes `first`, then `chunk` in a loop, and discards the answers.
    pub(super) fn flood(&self, mut stream: TcpStream, first: &[u8], chunk: &[u8]) -> io::Result<()> {
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

    pub(super) fn hellos(&self, count: usize) -> io::Result<()> {
        let text = dense_request("connect", 64 * 1024);
        let mut hello = Vec::new();
        ws_frame::write(&mut hello, TEXT, text.as_bytes());
        self.all_send(count, || open(self.address), &hello)
    }

    pub(super) fn rows(&self, count: usize) -> io::Result<()> {
        let mut clients = Vec::new();
        for number in 0..count {
            let mut stream = self.client(number)?;
            let mut beacon = Vec::new();
            ws_frame::write(&mut beacon, TEXT, large_beacon(number).as_bytes());
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

    /// Sends a wrong token and closes without waiting for the answer.
    pub(super) fn guess(&self) -> io::Result<()> {
        open(self.address)?.write_all(&connect("wrong", 0))
    }

    /// A connected client without a scope.
    pub(super) fn client(&self, number: usize) -> io::Result<TcpStream> {
        let mut stream = open(self.address)?;
        stream.write_all(&connect(&self.token, number))?;
        read_until(&mut stream, b"hello-ok")?;
        Ok(stream)
    }
}

/// A WebSocket that has received its challenge.
pub(super) fn open(address: SocketAddr) -> io::Result<TcpStream> {
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
    while ws_frame::find(&read, wanted).is_none() {
        match stream.read(&mut buffer)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            len => read.extend_from_slice(&buffer[..len]),
        }
    }
    Ok(())
}
