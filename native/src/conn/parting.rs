//! Sockets that are let go. They hold no place any more, so there is a bound of their own on those that get time
//! to read why.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most sockets that are waited for at the same time. What is beyond gets what its buffer takes.
pub(crate) const MAX_PARTING: usize = 64;
/// How long a socket is waited for. Counted on the runtime's clock: it is about sockets, not about presence.
const PARTING_TIME: Duration = Duration::from_secs(1);
/// Most bytes that are read and thrown away of a socket that is not waited for.
const MAX_UNREAD_BYTES: usize = 16 * 1024;

/// Lets sockets go.
#[derive(Debug)]
pub(crate) struct Parting(Arc<Semaphore>);

impl Default for Parting {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_PARTING)))
    }
}

impl Parting {
    /// Leave to take some time; nobody waits for it.
    pub(crate) fn leave(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).try_acquire_owned().ok()
    }

    /// Sends a last answer and closes, without waiting here.
    pub(crate) fn dismiss(&self, stream: TcpStream, answer: Vec<u8>) {
        match self.leave() {
            Some(leave) => {
                tokio::spawn(async move {
                    see_off(stream, &answer).await;
                    drop(leave);
                });
            }
            None => dispatch(&stream, &answer),
        }
    }
}

/// Writes the answer and lets the client close first: closing with something unread would cut it off.
async fn see_off(mut stream: TcpStream, answer: &[u8]) {
    let _ = tokio::time::timeout(PARTING_TIME, async {
        stream.write_all(answer).await?;
        stream.shutdown().await?;
        while stream.read(&mut [0; 1024]).await? > 0 {}
        io::Result::Ok(())
    })
    .await;
}

/// Does at once what can be done at once. The runtime need not know the socket yet, so it is not asked.
fn dispatch(stream: &TcpStream, answer: &[u8]) {
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
