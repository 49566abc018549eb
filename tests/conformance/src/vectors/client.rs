//! A WebSocket client that sends no pong and no close by itself. Libraries answer pings automatically,
//! and a script must be able to leave them unanswered.

use std::io::Cursor;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::Failure;
use super::target::Opening;
use crate::fail;

/// The header in which the trusted proxy names the user.
pub(super) const USER_HEADER: &str = "x-vector-user";

/// The client's end of one socket.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    /// Read and not parsed yet.
    buffer: Vec<u8>,
}

/// One frame from the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Text.
    Text(String),
    /// A ping and its payload.
    Ping(Vec<u8>),
    /// A pong and its payload.
    Pong(Vec<u8>),
    /// A close: code (1005 if it has none) and reason.
    Close(u16, String),
}

impl Client {
    /// Connects and upgrades. An address that is not loopback is given by the header that a trusted
    /// proxy would add.
    ///
    /// # Errors
    /// When the gateway does not upgrade.
    pub async fn open(gateway: SocketAddr, opening: &Opening) -> Result<Self, Failure> {
        let mut stream = TcpStream::connect(gateway).await?;
        stream.set_nodelay(true)?;
        let mut request = format!(
            "GET / HTTP/1.1\r\nHost: {gateway}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        );
        if opening.from != "127.0.0.1" {
            request.push_str(&format!("X-Forwarded-For: {}\r\n", opening.from));
        }
        if let Some(user) = &opening.user {
            request.push_str(&format!("{USER_HEADER}: {user}\r\n"));
        }
        if let Some(origin) = &opening.origin {
            request.push_str(&format!("Origin: {origin}\r\n"));
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut client = Self {
            stream,
            buffer: Vec::new(),
        };
        let head = client.read_head().await?;
        if !head.starts_with("HTTP/1.1 101 ") {
            fail!("not upgraded: {head}");
        }
        Ok(client)
    }

    /// The response's head; what follows it stays in the buffer.
    async fn read_head(&mut self) -> Result<String, Failure> {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let rest = self.buffer.split_off(end + 4);
                let head = std::mem::replace(&mut self.buffer, rest);
                return Ok(String::from_utf8_lossy(&head).into_owned());
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                fail!("closed instead of an HTTP response");
            }
        }
    }

    /// Sends text.
    ///
    /// # Errors
    /// When the transport is gone.
    pub async fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.write(OpCode::Data(Data::Text), text.as_bytes()).await
    }

    /// Sends a ping.
    ///
    /// # Errors
    /// When the transport is gone.
    pub async fn ping(&mut self, payload: &[u8]) -> Result<(), Failure> {
        self.write(OpCode::Control(Control::Ping), payload).await
    }

    /// Sends a pong.
    ///
    /// # Errors
    /// When the transport is gone.
    pub async fn pong(&mut self, payload: &[u8]) -> Result<(), Failure> {
        self.write(OpCode::Control(Control::Pong), payload).await
    }

    /// Sends a close.
    ///
    /// # Errors
    /// When the transport is gone.
    pub async fn close(&mut self, code: u16) -> Result<(), Failure> {
        self.write(OpCode::Control(Control::Close), &code.to_be_bytes())
            .await
    }

    async fn write(&mut self, opcode: OpCode, payload: &[u8]) -> Result<(), Failure> {
        // A mask of zeros is a mask: the payload goes out as it is.
        let header = FrameHeader {
            opcode,
            mask: Some([0; 4]),
            ..FrameHeader::default()
        };
        let mut bytes = Vec::with_capacity(payload.len() + 16);
        header
            .format(payload.len() as u64, &mut bytes)
            .map_err(|error| Failure::new(error.to_string()))?;
        bytes.extend_from_slice(payload);
        // The gateway may close while a large frame is under way; what it says then must be read.
        let (mut reader, mut writer) = self.stream.split();
        let write = writer.write_all(&bytes);
        tokio::pin!(write);
        loop {
            tokio::select! {
                written = &mut write => return Ok(written?),
                read = reader.read_buf(&mut self.buffer) => {
                    if read? == 0 {
                        fail!("closed while a frame was sent");
                    }
                }
            }
        }
    }

    /// Waits for the next frame. `None`: the transport ended.
    ///
    /// # Errors
    /// When the gateway does not speak WebSocket.
    pub async fn read(&mut self) -> Result<Option<Frame>, Failure> {
        loop {
            if let Some(frame) = self.parse()? {
                return Ok(Some(frame));
            }
            // A reset is an end like another.
            if self.stream.read_buf(&mut self.buffer).await.unwrap_or(0) == 0 {
                return Ok(None);
            }
        }
    }

    fn parse(&mut self) -> Result<Option<Frame>, Failure> {
        let mut cursor = Cursor::new(self.buffer.as_slice());
        let header = FrameHeader::parse(&mut cursor).map_err(|error| Failure::new(error.to_string()))?;
        let Some((header, length)) = header else {
            return Ok(None);
        };
        let start = usize::try_from(cursor.position()).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        if self.buffer.len() < end {
            return Ok(None);
        }
        if header.mask.is_some() || !header.is_final {
            fail!("a masked or split frame");
        }
        let rest = self.buffer.split_off(end);
        let payload = std::mem::replace(&mut self.buffer, rest).split_off(start);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| Failure::new("not UTF-8"));
        Ok(Some(match header.opcode {
            OpCode::Data(Data::Text) => Frame::Text(text(&payload)?),
            OpCode::Control(Control::Ping) => Frame::Ping(payload),
            OpCode::Control(Control::Pong) => Frame::Pong(payload),
            OpCode::Control(Control::Close) => match payload.split_first_chunk() {
                Some((code, reason)) => Frame::Close(u16::from_be_bytes(*code), text(reason)?),
                None => Frame::Close(1005, String::new()),
            },
            other => fail!("a frame of type {other:?}"),
        }))
    }
}
