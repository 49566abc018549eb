//! The socket as tungstenite sees it: it reads from the real one, and what it writes (pongs, the
//! answer to a close) joins the connection's other frames.

use std::io::{self, Read, Write};
use std::sync::Arc;

use super::Peer;

#[derive(Debug)]
pub(super) struct PeerStream(pub(super) Arc<Peer>);

impl Read for PeerStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl Write for PeerStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.control(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
