//! Durations since the socket was accepted.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

/// A connection that is 40 ms old when its second request is answered, and on which this request follows.
async fn after_other_requests(gateway: &RunningGateway, clock: &Manual, request: &str) -> TcpStream {
    let address = gateway.address();
    let mut stream = TcpStream::connect(address).await.unwrap();
    for after_ms in [0, 40] {
        clock.advance(after_ms);
        let ready = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(ready.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.trim_ascii_end().ends_with(b"}") {
            assert!(stream.read_buf(&mut answer).await.unwrap() > 0);
        }
        gateway.settle().await;
    }
    let request = format!("GET {request} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn refused_requests_count_from_the_accept() {
    let (gateway, clock, log, _guard) = started();
    for request in ["/api/presence", "/no-request HTTP"] {
        let _stream = after_other_requests(&gateway, &clock, request).await;
        let line = log.line("refused").await;
        assert_eq!(line["duration_ms"], 40, "{request}: {line}");
        log.clear();
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn websockets_after_other_requests_count_from_the_accept() {
    let (gateway, clock, log, _guard) = started();
    let upgrade = "/ HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX: x";
    let mut stream = after_other_requests(&gateway, &clock, upgrade).await;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
    drop(stream);
    let line = log.line("closed before the handshake was done").await;
    assert_eq!(line["duration_ms"], 40, "{line}");
    gateway.shutdown().await;
}
