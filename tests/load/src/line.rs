//! One end of a connection, with TLS or without.

use std::cell::RefCell;
use std::io::{self, ErrorKind, Read, Write};
use std::net::IpAddr;
use std::sync::Arc;

use mio::net::TcpStream;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection};

/// Most encrypted bytes of one read.
const RAW_BYTES: usize = 64 * 1024;

thread_local! {
    /// The buffer of encrypted bytes, which all connections share.
    static RAW: RefCell<Vec<u8>> = RefCell::new(vec![0; RAW_BYTES]);
}

/// A socket that is read and written without waiting.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) socket: TcpStream,
    tls: Option<Box<Connection>>,
}

impl Line {
    /// The end of a client of the server at this address, encrypted if there is a configuration for that.
    pub(crate) fn client(
        socket: TcpStream,
        server: IpAddr,
        tls: Option<&Arc<ClientConfig>>,
    ) -> io::Result<Self> {
        let name = ServerName::from(server);
        let tls = tls
            .map(|config| ClientConnection::new(Arc::clone(config), name))
            .transpose()
            .map_err(io::Error::other)?;
        Ok(Self {
            socket,
            tls: tls.map(|tls| Box::new(tls.into())),
        })
    }

    /// The server's end.
    pub(crate) fn server(socket: TcpStream, tls: Option<&Arc<ServerConfig>>) -> io::Result<Self> {
        let tls = tls
            .map(|config| ServerConnection::new(Arc::clone(config)))
            .transpose()
            .map_err(io::Error::other)?;
        Ok(Self {
            socket,
            tls: tls.map(|tls| Box::new(tls.into())),
        })
    }

    /// Whether it has TLS.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// Whether the TLS handshake is not done.
    pub(crate) fn is_handshaking(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_handshaking())
    }
}

/// The buffer has room for more than [`RAW_BYTES`]. With TLS a short read does not mean that the socket is drained.
impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else {
            return self.socket.read(buffer);
        };
        loop {
            match tls.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                outcome => return outcome,
            }
            let len = RAW.with_borrow_mut(|raw| {
                let read = self.socket.read(raw)?;
                decrypt(tls, &raw[..read], buffer)
            })?;
            write_encrypted(tls, &mut self.socket)?;
            if len > 0 {
                return Ok(len);
            }
        }
    }
}

/// Decrypts all the bytes; no bytes mean the end of the stream.
fn decrypt(tls: &mut Connection, mut bytes: &[u8], buffer: &mut [u8]) -> io::Result<usize> {
    let mut len = 0;
    loop {
        tls.read_tls(&mut bytes)?;
        tls.process_new_packets().map_err(io::Error::other)?;
        while let Ok(read @ 1..) = tls.reader().read(&mut buffer[len..]) {
            len += read;
        }
        if bytes.is_empty() {
            return Ok(len);
        }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else {
            return self.socket.write(bytes);
        };
        write_encrypted(tls, &mut self.socket)?;
        if !tls.is_handshaking() && tls.wants_write() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let len = tls.writer().write(bytes)?;
        write_encrypted(tls, &mut self.socket)?;
        Ok(len)
    }

    /// Writes encrypted bytes until the socket is full.
    fn flush(&mut self) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => write_encrypted(tls, &mut self.socket),
            None => Ok(()),
        }
    }
}

fn write_encrypted(tls: &mut Connection, socket: &mut TcpStream) -> io::Result<()> {
    while tls.wants_write() {
        match tls.write_tls(socket) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            outcome => outcome?,
        };
    }
    Ok(())
}
