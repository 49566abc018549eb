//! A socket before its upgrade: waiting for a request, or being answered.

use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use ::http::StatusCode;
use futures_util::FutureExt;
use socket2::SockRef;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tracing::warn;

use super::{counted_as, note_unattributed};
use crate::auth::proxy::Client;
use crate::auth::slots::{Refused, Slot};
use crate::auth::user_header::StatedUser;
use crate::clock::Clock;
use crate::conn::Shared;
use crate::net::answer::refusal;
use crate::net::head::Head;
use crate::net::refused::{log_refusal, refuse_slot};
use crate::tls::{ServerStream, Transport};

/// Bytes that a client has to accept within the stall time.
const PIECE_BYTES: usize = 64 * 1024;

pub(super) struct Caller<'a> {
    pub(super) stream: Transport<ServerStream>,
    pub(super) address: SocketAddr,
    pub(super) slot: Slot,
    pub(super) shared: &'a Arc<Shared>,
    /// When the gateway began to wait for the request, on the age clock.
    pub(super) asked_ms: u64,
}

impl Caller<'_> {
    /// Returns the user that a trusted proxy states.
    pub(super) fn user(&self, head: &Head) -> Option<Box<str>> {
        let proxy = self.address.ip().to_canonical();
        match &head.user {
            StatedUser::User(id) if self.shared.proxies.contains(proxy) => Some(id.clone()),
            StatedUser::Unusable if self.shared.proxies.contains(proxy) => {
                if self.shared.log.user.passes(self.asked_ms) {
                    warn!(%proxy, "the header for the user is repeated, too long or not UTF-8: the client has no user");
                }
                None
            }
            _ => None,
        }
    }

    /// Attributes the request to a client.
    pub(super) fn client(&self, head: &Head) -> Client {
        let client = self.shared.proxies.attribute(
            self.address.ip(),
            head.has_proxy_headers,
            head.forwarded_for.as_deref(),
        );
        if client.ip.is_none() {
            note_unattributed(self.shared, self.address, self.shared.clock.now());
        }
        client
    }

    /// Counts the socket against this client, and marks it as busy.
    pub(super) fn count(&mut self, client: Client) -> Result<(), Refused> {
        let now = self.shared.clock.now();
        let address = counted_as(self.shared, client.ip.unwrap_or(client.peer));
        self.slot.attribute(address, now.age_ms)?;
        self.slot.busy(now.age_ms)
    }

    /// Writes all bytes. `None`: the socket failed, its client reads too slowly, there are too many slow readers, or
    /// the gateway stops.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Option<()> {
        let shared = self.shared;
        let mut left = bytes;
        if let Transport::Plain(stream) = &self.stream {
            // The runtime may not have seen yet that the socket is writable.
            match (&*SockRef::from(stream)).write(bytes) {
                Ok(written) => left = &bytes[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return None,
            }
            if left.is_empty() {
                return Some(());
            }
        }
        let sending = send_in_time(&mut self.stream, left, &shared.clock, shared.limits.stall_ms);
        let mut sending = std::pin::pin!(sending);
        if let Some(sent) = sending.as_mut().now_or_never() {
            return sent.ok();
        }
        self.slot.downloading().ok()?;
        tokio::select! {
            sent = sending => sent.ok(),
            () = shared.stopping() => None,
        }
    }

    /// Whether the request comes by TLS.
    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self.stream, Transport::Tls(_))
    }

    /// Answers with a status and a line of text, logs both, and closes.
    pub(super) fn refuse<T>(
        self,
        client: Client,
        head: Option<&Head>,
        status: StatusCode,
        why: &str,
    ) -> Option<T> {
        log_refusal(self.shared, client, head, status, why, self.asked_ms);
        let answer = refusal(status, format!("{why}\n"), self.shared.clock.now());
        self.dismiss(answer);
        None
    }

    /// Answers that there is no slot, logs it, and closes.
    pub(super) fn turn_away<T>(self, client: Client, head: &Head, refused: Refused) -> Option<T> {
        let answer = refuse_slot(self.shared, client, Some(head), refused, self.asked_ms);
        self.dismiss(answer);
        None
    }

    /// Closes after these last bytes. The slot is free immediately.
    pub(super) fn dismiss(self, answer: Vec<u8>) {
        drop(self.slot);
        self.shared.parting.dismiss(self.stream, answer);
    }
}

/// Writes in pieces, each within `stall_ms`.
async fn send_in_time(
    stream: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
    clock: &Clock,
    stall_ms: u64,
) -> io::Result<()> {
    for piece in bytes.chunks(PIECE_BYTES) {
        let stalled_ms = clock.now().age_ms.saturating_add(stall_ms);
        tokio::select! {
            biased;
            written = write(stream, piece) => written?,
            () = clock.sleep_until(stalled_ms) => return Err(ErrorKind::TimedOut.into()),
        }
    }
    Ok(())
}

/// Writes a piece. An encrypted socket may have taken it without sending all of it.
async fn write(stream: &mut (impl AsyncWrite + Unpin), piece: &[u8]) -> io::Result<()> {
    stream.write_all(piece).await?;
    stream.flush().await
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use futures_util::FutureExt;
    use presence_core::Now;
    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::watch;

    use super::*;
    use crate::auth::slots::{Address, SlotLimits};
    use crate::auth::throttle::GuessLimiter;
    use crate::clock::Manual;
    use crate::config::GatewayConfig;

    const STALL_MS: u64 = 20_000;
    const START: Now = Now {
        age_ms: 1_000_000,
        wall_ms: 0,
    };

    /// What callers share, its clock, and what makes it stop.
    fn shared(slots: SlotLimits) -> (Arc<Shared>, Manual, watch::Sender<bool>) {
        let config = GatewayConfig {
            slots,
            ..GatewayConfig::ephemeral()
        };
        let manual = Manual::new(START);
        let (stop, stopping) = watch::channel(false);
        let limiter = GuessLimiter::new([0; 32]);
        let shared = Shared::new(
            config,
            limiter,
            0,
            manual.clock(),
            Arc::default(),
            stopping,
            Vec::new(),
        );
        (Arc::new(shared), manual, stop)
    }

    /// A caller whose client reads nothing and whose buffers are full, and the client.
    async fn full_caller(shared: &Arc<Shared>) -> (Caller<'_>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, address) = listener.accept().await.unwrap();
        loop {
            stream.writable().await.unwrap();
            // What is written may take a moment to reach the client's buffer.
            while stream.try_write(&[b'x'; 4_096]).is_ok() {}
            if (&*SockRef::from(&stream)).write(b"x").is_err() {
                break;
            }
        }
        let place = Address {
            network: IpAddr::from([127, 0, 0, 1]),
            is_shared: true,
        };
        let mut slot = shared.slots.take(place, START.age_ms).unwrap();
        slot.busy(START.age_ms).unwrap();
        let caller = Caller {
            stream: Transport::Plain(stream),
            address,
            slot,
            shared,
            asked_ms: START.age_ms,
        };
        (caller, client)
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_is_given_up() {
        let (shared, manual, stop) = shared(SlotLimits::default());
        let (mut caller, _client) = full_caller(&shared).await;
        let mut reply = Box::pin(caller.send(b"reply"));
        assert_eq!(reply.as_mut().now_or_never(), None);
        manual.advance(STALL_MS - 1);
        assert_eq!(reply.as_mut().now_or_never(), None);
        manual.advance(1);
        assert_eq!(reply.now_or_never(), Some(None));

        let mut reply = Box::pin(caller.send(b"reply"));
        assert_eq!(reply.as_mut().now_or_never(), None);
        stop.send(true).unwrap();
        assert_eq!(reply.now_or_never(), Some(None), "the gateway stops");
        drop(caller);
        assert_eq!(shared.slots.connections(), 0);
    }

    #[tokio::test]
    async fn only_so_many_clients_are_waited_for() {
        let (shared, _manual, _stop) = shared(SlotLimits {
            max_unauthenticated: 4,
            ..SlotLimits::default()
        });
        let (mut first, _client) = full_caller(&shared).await;
        let mut reply = Box::pin(first.send(b"reply"));
        assert_eq!(reply.as_mut().now_or_never(), None);
        let (mut second, _other) = full_caller(&shared).await;
        assert_eq!(second.send(b"reply").now_or_never(), Some(None));
    }

    /// Reads `bytes` each 19 s. Returns how the writer of three pieces ends.
    fn read_slowly(bytes: usize) -> io::Result<()> {
        let manual = Manual::new(START);
        let clock = manual.clock();
        let (mut near, mut far) = tokio::io::duplex(16);
        let body = vec![b'x'; 3 * PIECE_BYTES];
        let mut sending = Box::pin(send_in_time(&mut near, &body, &clock, STALL_MS));
        let mut buffer = vec![0; bytes];
        loop {
            let mut reading = Box::pin(far.read_exact(&mut buffer));
            while reading.as_mut().now_or_never().is_none() {
                if let Some(sent) = sending.as_mut().now_or_never() {
                    return sent;
                }
            }
            manual.advance(STALL_MS - 1_000);
        }
    }

    #[test]
    fn a_slow_reader_has_time_and_a_dripping_one_has_not() {
        read_slowly(PIECE_BYTES).unwrap();
        for bytes in [1, 1_024, PIECE_BYTES / 2] {
            let error = read_slowly(bytes).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut, "{bytes}");
        }
    }
}
