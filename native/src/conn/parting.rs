//! Refused sockets. They hold no slot, so a separate bound limits how many of them get time to read the reason.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::tls::{ServerStream, Transport};

/// Most sockets that get time at once. Others get as much of the response as their buffers take.
pub(crate) const MAX_PARTING: usize = 64;
/// Time for a socket. Counted on the runtime's clock, because it does not affect presence.
const PARTING_TIME: Duration = Duration::from_secs(1);
/// Most bytes discarded from a socket that gets no time.
const MAX_UNREAD_BYTES: usize = 16 * 1024;

/// Sends last responses and closes.
#[derive(Debug)]
pub(crate) struct Parting(Arc<Semaphore>);

impl Default for Parting {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_PARTING)))
    }
}

impl Parting {
    /// Returns a permit for a socket that gets time, if one is free.
    pub(crate) fn leave(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).try_acquire_owned().ok()
    }

    /// Sends a last response and closes, in the background.
    pub(crate) fn dismiss(&self, stream: Transport<ServerStream>, answer: Vec<u8>) {
        match self.leave() {
            Some(leave) => {
                tokio::spawn(async move {
                    send_and_close(stream, &answer).await;
                    drop(leave);
                });
            }
            None => dispatch(&stream, &answer),
        }
    }
}

/// Writes the response and lets the client close first: a close with unread input would cut the response off.
async fn send_and_close(mut stream: Transport<ServerStream>, answer: &[u8]) {
    let _ = tokio::time::timeout(PARTING_TIME, async {
        stream.write_all(answer).await?;
        stream.shutdown().await?;
        while stream.read(&mut [0; 1024]).await? > 0 {}
        io::Result::Ok(())
    })
    .await;
}

/// Writes and reads without waiting, directly on the socket: the runtime may not have noticed yet that it is ready.
/// Over TLS nothing is written, because encryption may have to wait for the socket.
fn dispatch(stream: &Transport<ServerStream>, answer: &[u8]) {
    let Transport::Plain(stream) = stream else {
        return;
    };
    let socket = SockRef::from(stream);
    let _ = (&*socket).write(answer);
    let _ = socket.shutdown(Shutdown::Write);
    let mut buffer = [0; 4096];
    for _ in 0..MAX_UNREAD_BYTES / buffer.len() {
        if !(&*socket).read(&mut buffer).is_ok_and(|read| read > 0) {
            return;
        }
    }
}
