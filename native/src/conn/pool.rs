//! Bounds on memory for all connections together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Most bytes of incomplete messages of more than 8 KiB, of all accepted clients together. Their buffers can be twice
/// as large.
pub(crate) const UNFINISHED_BYTES: usize = 16 * 1024 * 1024;
/// Undelivered bytes of all connections together. Above it, the requests of each connection with more than 16 KiB of
/// undelivered responses wait.
pub(crate) const UNDELIVERED_BYTES: usize = 32 * 1024 * 1024;

/// Bytes that all connections use.
#[derive(Debug)]
pub(crate) struct Pool {
    used: AtomicUsize,
    limit: usize,
}

impl Pool {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            used: AtomicUsize::new(0),
            limit,
        })
    }

    /// Whether more than the limit is used.
    pub(super) fn is_exceeded(&self) -> bool {
        self.used.load(Ordering::Relaxed) > self.limit
    }
}

/// The bytes of one connection; given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    pool: Arc<Pool>,
    bytes: usize,
}

impl Share {
    /// No bytes yet.
    pub(super) fn of(pool: &Arc<Pool>) -> Self {
        Self {
            pool: Arc::clone(pool),
            bytes: 0,
        }
    }

    /// The connection uses this many bytes now.
    pub(super) fn set(&mut self, bytes: usize) {
        if bytes > self.bytes {
            self.pool.used.fetch_add(bytes - self.bytes, Ordering::Relaxed);
        } else if bytes < self.bytes {
            self.pool.used.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
    }

    /// Whether all connections together use more than the limit.
    pub(super) fn is_exceeded(&self) -> bool {
        self.pool.is_exceeded()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use presence_core::server::Item;
    use presence_core::wire::ResponseFrame;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::conn::Peer;
    use crate::conn::peer::SCARCE_BYTES;
    use crate::conn::socket::Socket;
    use crate::tls::Transport;

    #[test]
    fn bytes_are_counted_once_and_given_back() {
        let pool = Pool::new(10);
        let (mut one, mut other) = (Share::of(&pool), Share::of(&pool));
        one.set(7);
        one.set(3);
        other.set(7);
        assert!(!pool.is_exceeded(), "10 of 10");
        other.set(8);
        assert!(one.is_exceeded() && other.is_exceeded());
        drop(other);
        assert!(!one.is_exceeded());
        drop(one);
        assert_eq!(pool.used.load(Ordering::Relaxed), 0);
    }

    async fn peer(pool: &Arc<Pool>) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (_client, accepted) = tokio::join!(client, listener.accept());
        let socket = Socket::new(Transport::Plain(accepted.unwrap().0));
        Peer::new(socket, Box::default(), usize::MAX, Share::of(pool), None)
    }

    fn push(peer: &Peer, bytes: usize) {
        let response = ResponseFrame::text("x".repeat(bytes));
        peer.push(Item::Response(response)).unwrap();
    }

    #[tokio::test]
    async fn while_many_responses_wait_in_all_each_connection_waits_earlier() {
        let pool = Pool::new(SCARCE_BYTES * 3);
        let (one, other, small) = (peer(&pool).await, peer(&pool).await, peer(&pool).await);
        push(&one, SCARCE_BYTES * 2);
        push(&small, 100);
        assert!(!one.is_backed_up(), "there is room in all");
        push(&other, SCARCE_BYTES * 2);
        assert!(one.is_backed_up() && other.is_backed_up() && !small.is_backed_up());
        drop(other);
        assert!(!one.is_backed_up());
    }
}
