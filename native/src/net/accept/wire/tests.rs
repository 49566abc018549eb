use std::net::IpAddr;
use std::sync::Arc;

use futures_util::FutureExt;
use presence_core::Now;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::auth::slots::{Address, SlotLimits, Slots};
use crate::clock::Manual;

const STALL_MS: u64 = 20_000;
const START: Now = Now {
    age_ms: 1_000_000,
    wall_ms: 0,
};

impl TryWrite for DuplexStream {
    fn try_write(&self, _: &[IoSlice<'_>]) -> io::Result<usize> {
        Err(ErrorKind::WouldBlock.into())
    }
}

fn slots(max_unauthenticated: usize) -> Arc<Slots> {
    Slots::new(
        SlotLimits {
            max_unauthenticated,
            ..SlotLimits::default()
        },
        false,
    )
}

fn busy_slot(slots: &Arc<Slots>) -> Slot {
    let place = Address {
        network: IpAddr::from([127, 0, 0, 1]),
        is_shared: true,
    };
    let mut slot = slots.take(place, START.age_ms).unwrap();
    slot.busy(START.age_ms).unwrap();
    slot
}

fn wire<'a, S>(stream: &'a mut S, slot: &'a Mutex<&'a mut Slot>, clock: &'a Clock) -> Wire<'a, S> {
    Wire {
        stream,
        request: b"",
        body_left: 0,
        is_endless: false,
        pace: Pace::new(slot, clock, STALL_MS),
    }
}

/// A socket whose client reads nothing and whose buffers are full, and the client.
async fn full_socket() -> (Transport<ServerStream>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    loop {
        stream.writable().await.unwrap();
        // Written bytes may take a moment to reach the client's buffer.
        while stream.try_write(&[b'x'; 4_096]).is_ok() {}
        if (&*SockRef::from(&stream)).write(b"x").is_err() {
            break;
        }
    }
    (Transport::Plain(stream), client)
}

#[tokio::test]
async fn a_client_that_does_not_read_is_disconnected() {
    let (slots, manual) = (slots(2_048), Manual::new(START));
    let (mut slot, clock) = (busy_slot(&slots), manual.clock());
    let (mut stream, _client) = full_socket().await;
    let slot = Mutex::new(&mut slot);
    let mut wire = wire(&mut stream, &slot, &clock);
    let mut reply = Box::pin(wire.write(b"reply"));
    assert!(reply.as_mut().now_or_never().is_none());
    manual.advance(STALL_MS - 1);
    assert!(reply.as_mut().now_or_never().is_none());
    manual.advance(1);
    let error = reply.now_or_never().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

#[tokio::test]
async fn the_number_of_refused_sockets_that_stay_open_is_bounded() {
    let (slots, manual) = (slots(4), Manual::new(START));
    let (mut first, mut second, clock) = (busy_slot(&slots), busy_slot(&slots), manual.clock());
    let (mut stream, _client) = full_socket().await;
    let (mut other_stream, _other) = full_socket().await;
    let (first, second) = (Mutex::new(&mut first), Mutex::new(&mut second));
    let mut waiting = wire(&mut stream, &first, &clock);
    assert!(waiting.write(b"reply").now_or_never().is_none());
    let mut refused = wire(&mut other_stream, &second, &clock);
    let error = refused.write(b"reply").now_or_never().unwrap().unwrap_err();
    assert!(error.to_string().contains("Too many downloads"), "{error}");
}

/// Reads `bytes` each 19 s. Returns how the writer of three pieces ends.
fn read_slowly(bytes: usize) -> io::Result<()> {
    let (slots, manual) = (slots(2_048), Manual::new(START));
    let (mut slot, clock) = (busy_slot(&slots), manual.clock());
    let (mut near, mut far) = tokio::io::duplex(16);
    let body = vec![b'x'; 3 * PIECE_BYTES];
    let slot = Mutex::new(&mut slot);
    let mut wire = wire(&mut near, &slot, &clock);
    let mut sending = Box::pin(wire.write_all(&body));
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
fn a_slow_reader_is_tolerated_up_to_the_minimum_rate() {
    read_slowly(PIECE_BYTES).unwrap();
    for bytes in [1, 1_024, PIECE_BYTES / 2] {
        let error = read_slowly(bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{bytes}");
    }
}

#[tokio::test]
async fn hyper_reads_one_request_and_no_byte_of_the_next() {
    let (slots, manual) = (slots(2_048), Manual::new(START));
    let (mut slot, clock) = (busy_slot(&slots), manual.clock());
    let (mut near, mut far) = tokio::io::duplex(64);
    far.write_all(b"dyGET / HTTP/1.1").await.unwrap();
    let slot = Mutex::new(&mut slot);
    let mut wire = Wire {
        request: b"HEAD bo",
        body_left: 2,
        ..wire(&mut near, &slot, &clock)
    };
    let mut read = Vec::new();
    wire.read_to_end(&mut read).await.unwrap();
    assert_eq!(read, b"HEAD body");
    // Bytes from a client are discarded while events are written to it, up to its end.
    wire.is_endless = true;
    drop(far);
    wire.read_to_end(&mut read).await.unwrap();
    assert_eq!(read, b"HEAD body");
}
