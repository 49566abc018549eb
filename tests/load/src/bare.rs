//! The limit: a server that only writes prepared bytes to open sockets.
//! No gateway can be faster on this machine and this kernel.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use rustls::ServerConfig;
use socket2::SockRef;

use crate::line::Line;
use crate::{certificate, ws_frame};

/// Response of the server to received bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum BareWork {
    /// One frame to every client, for any bytes
    Broadcast,
    /// One frame to the sender, for each request
    Answer,
}

impl BareWork {
    /// The frame that it sends, with a text of `len` bytes. It looks like the gateway's, so that receiving it costs the
    /// load generator as much.
    fn frame(self, len: usize) -> Vec<u8> {
        let (begin, end) = match self {
            Self::Broadcast => (
                r#"{"type":"event","event":"presence","payload":""#,
                r#"","stateVersion":{"presence":1,"health":1},"seq":1}"#,
            ),
            Self::Answer => (r#"{"type":"res","id":"1","ok":true,"payload":""#, r#""}"#),
        };
        let filler = len.saturating_sub(begin.len() + end.len());
        let text = [begin, &"x".repeat(filler), end].concat();
        ws_frame::server_frame(ws_frame::TEXT, text.as_bytes())
    }
}

/// Options of the bare server.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct BareOptions {
    /// Response to received bytes
    #[arg(long)]
    pub(crate) work: BareWork,
    /// Bytes of the text in a frame
    #[arg(long)]
    pub(crate) text_bytes: usize,
    /// Bytes of one request
    #[arg(long, default_value_t = 1)]
    pub(crate) request_bytes: usize,
    /// Certificate in PEM: encrypts
    #[arg(long, requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Its private key
    #[arg(long)]
    pub(crate) tls_key: Option<PathBuf>,
}

/// Send buffer of a socket: the gateway's `net::accept::SEND_BUFFER_BYTES`, so that its options are not what is
/// measured.
const SEND_BUFFER_BYTES: usize = 128 * 1024;
const LISTENER: Token = Token(usize::MAX);

struct Socket {
    line: Line,
    /// Bytes to be written.
    owed: usize,
    /// Bytes of an incomplete request.
    rest: usize,
}

/// Serves until standard input ends, which is when its parent has exited.
///
/// # Errors
/// When the system refuses a socket.
pub(crate) fn serve(options: &BareOptions) -> io::Result<()> {
    crate::system::raise_open_files();
    let frame = options.work.frame(options.text_bytes);
    let mut listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let mut stdout = io::stdout();
    writeln!(stdout, "{}", listener.local_addr()?.port())?;
    stdout.flush()?;
    std::thread::spawn(|| {
        // Only the end of the input matters.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        std::process::exit(0);
    });
    let files = options.tls_cert.as_ref().zip(options.tls_key.as_ref());
    let tls = files
        .map(|(cert, key)| certificate::server(cert, key))
        .transpose()?;
    let mut poll = Poll::new()?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(1024);
    let mut sockets: Vec<Option<Socket>> = Vec::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            outcome => outcome?,
        }
        for event in &events {
            if event.token() == LISTENER {
                accept(&listener, &poll, &mut sockets, tls.as_ref())?;
                continue;
            }
            let number = event.token().0;
            let Some(place) = sockets.get_mut(number) else {
                continue;
            };
            if event.is_writable()
                && let Some(socket) = place
            {
                socket.write(&frame);
            }
            if !event.is_readable() && !event.is_read_closed() {
                continue;
            }
            let Some(received) = place.as_mut().and_then(|socket| socket.read(&mut buffer)) else {
                *place = None;
                continue;
            };
            match options.work {
                BareWork::Answer => {
                    if let Some(socket) = place {
                        let total = socket.rest + received;
                        socket.rest = total % options.request_bytes.max(1);
                        socket.owe(total / options.request_bytes.max(1), &frame);
                    }
                }
                BareWork::Broadcast if received > 0 => {
                    // A client is connected as soon as the kernel has its socket, perhaps before the listener's event.
                    accept(&listener, &poll, &mut sockets, tls.as_ref())?;
                    for socket in sockets.iter_mut().flatten() {
                        socket.owe(1, &frame);
                    }
                }
                BareWork::Broadcast => {}
            }
        }
    }
}

fn accept(
    listener: &TcpListener,
    poll: &Poll,
    sockets: &mut Vec<Option<Socket>>,
    tls: Option<&Arc<ServerConfig>>,
) -> io::Result<()> {
    loop {
        let mut stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        let _ = stream.set_nodelay(true);
        let _ = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER_BYTES);
        poll.registry().register(
            &mut stream,
            Token(sockets.len()),
            Interest::READABLE | Interest::WRITABLE,
        )?;
        sockets.push(Some(Socket {
            line: Line::server(stream, tls)?,
            owed: 0,
            rest: 0,
        }));
    }
}

impl Socket {
    fn owe(&mut self, frames: usize, frame: &[u8]) {
        let was_idle = self.owed == 0;
        self.owed += frames * frame.len();
        if was_idle && frames > 0 {
            self.write(frame);
        }
    }

    fn write(&mut self, frame: &[u8]) {
        while self.owed > 0 {
            // The rest of the current frame.
            let left = match self.owed % frame.len() {
                0 => frame.len(),
                left => left,
            };
            match self.line.write(&frame[frame.len() - left..]) {
                Ok(len) => self.owed -= len,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Full or closed: the next read shows which.
                Err(_) => return,
            }
        }
        // The same as in the loop.
        let _ = self.line.flush();
    }

    /// Number of bytes read; `None` at the end.
    fn read(&mut self, buffer: &mut [u8]) -> Option<usize> {
        let mut total = 0;
        loop {
            match self.line.read(buffer) {
                Ok(0) => return None,
                Ok(len) => {
                    total += len;
                    if len < buffer.len() && !self.line.is_encrypted() {
                        return Some(total);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Some(total),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
    }
}
