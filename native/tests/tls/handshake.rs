//! Handshakes that do not end, are too long, or fail.

use std::io::{Read as _, Write as _};

use rustls::ClientConnection;

use super::*;

/// The first bytes of a client.
fn client_hello(client: &Arc<ClientConfig>) -> Vec<u8> {
    let name = "localhost".try_into().unwrap();
    let mut connection = ClientConnection::new(Arc::clone(client), name).unwrap();
    let mut bytes = Vec::new();
    connection.write_tls(&mut bytes).unwrap();
    bytes
}

/// Reads to the end, by a close or a reset.
async fn end_of(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = within("the end", stream.read_to_end(&mut bytes)).await;
    bytes
}

fn scarce(authority: &Authority) -> GatewayConfig {
    let mut config = authority.config();
    config.slots.max_connections = 64;
    config.slots.max_unauthenticated = 16;
    config.slots.max_unauthenticated_per_address = 2;
    config
}

#[tokio::test]
async fn silent_and_half_open_sockets_hold_no_place() {
    let authority = Authority::new();
    let gateway = start(scarce(&authority));
    let client = authority.client(&VERSIONS);
    let hello = client_hello(&client);
    let mut silent = Vec::new();
    for n in 0..60 {
        let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
        stream.write_all(&hello[..n * 3]).await.unwrap();
        silent.push(stream);
    }
    let mut normal = open(&client, gateway.address(), "").await;
    normal.hello(connect_params("normal", READ)).await;
    // The oldest were closed, without an answer in plain text.
    assert_eq!(end_of(&mut silent[0]).await, b"");
    assert_eq!(end_of(&mut silent[1]).await, b"");
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_handshake_that_stops_half_way_is_given_up_in_time() {
    let authority = Authority::new();
    let (log, _guard) = Log::start();
    let (gateway, clock) = start_manual(authority.config());
    let hello = client_hello(&authority.client(&VERSIONS));
    let mut half = TcpStream::connect(gateway.address()).await.unwrap();
    half.write_all(&hello[..hello.len() / 2]).await.unwrap();
    // Sending byte by byte does not extend the deadline, which is that of the whole handshake.
    let mut drip = TcpStream::connect(gateway.address()).await.unwrap();
    for byte in &hello[..14] {
        drip.write_all(&[*byte]).await.unwrap();
        // Both are accepted: a request of another client that is accepted after them is answered.
        connect(&authority.client(&VERSIONS), gateway.address()).await;
        clock.advance(1_000);
    }
    clock.advance(1_000);
    assert_eq!(end_of(&mut half).await, b"");
    assert_eq!(end_of(&mut drip).await, b"");
    let line = log.line("refused: no TLS handshake").await;
    assert_eq!(line["reason"], "the TLS handshake took too long", "{line}");
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_client_hello_in_single_bytes_is_accepted() {
    let authority = Authority::new();
    let gateway = start(authority.config());
    let client = authority.client(&VERSIONS);
    let name = "localhost".try_into().unwrap();
    let mut connection = ClientConnection::new(client, name).unwrap();
    let mut hello = Vec::new();
    connection.write_tls(&mut hello).unwrap();
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for byte in hello {
        stream.write_all(&[byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    while connection.is_handshaking() {
        let mut bytes = vec![0; 16 * 1024];
        let len = within("the handshake", stream.read(&mut bytes)).await.unwrap();
        assert!(len > 0);
        connection.read_tls(&mut &bytes[..len]).unwrap();
        connection.process_new_packets().unwrap();
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn the_bytes_of_a_handshake_are_bounded() {
    let authority = Authority::new();
    let (log, _guard) = Log::start();
    let gateway = start(authority.config());
    // A ClientHello of 60,000 bytes, in records of 16,000.
    let mut bytes = vec![1, 0, 0xea, 0x60];
    bytes.resize(4 + 60_000, 0);
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    for piece in bytes.chunks(16_000) {
        let mut record = vec![0x16, 3, 1];
        record.extend(u16::try_from(piece.len()).unwrap().to_be_bytes());
        record.extend(piece);
        if stream.write_all(&record).await.is_err() {
            break;
        }
    }
    end_of(&mut stream).await;
    let line = log.line("refused: no TLS handshake").await;
    assert!(
        line["reason"].as_str().unwrap().contains("too many bytes"),
        "{line}"
    );
    gateway.shutdown().await;
}

/// A client whose hello has about this many bytes, by a list of many protocols.
fn wordy(authority: &Authority, hello_bytes: usize) -> Arc<ClientConfig> {
    let mut client = (*authority.client(&VERSIONS)).clone();
    let rest_bytes = hello_bytes - client_hello(&Arc::new(client.clone())).len();
    client.alpn_protocols = vec![b"http/1.1".to_vec()];
    client
        .alpn_protocols
        .extend(vec![vec![b'x'; 99]; rest_bytes / 100]);
    Arc::new(client)
}

#[tokio::test]
async fn a_long_handshake_is_accepted_up_to_its_bound() {
    const MAX_HANDSHAKE_BYTES: usize = 8 * 1024;

    let authority = Authority::new();
    let gateway = start(authority.config());
    // The client's last flight takes less than 200 bytes.
    let client = wordy(&authority, MAX_HANDSHAKE_BYTES - 300);
    let answer = get(&client, gateway.address(), "/healthz").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");

    let (log, _guard) = Log::start();
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    let hello = client_hello(&wordy(&authority, MAX_HANDSHAKE_BYTES + 300));
    assert!(hello.len() > MAX_HANDSHAKE_BYTES);
    stream.write_all(&hello).await.unwrap();
    // It has its answer; further bytes are read only for the end of the handshake.
    end_of(&mut stream).await;
    let line = log.line("refused: no TLS handshake").await;
    assert!(
        line["reason"].as_str().unwrap().contains("too many bytes"),
        "{line}"
    );
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_certificate_is_logged() {
    let authority = Authority::new();
    let (log, _guard) = Log::start();
    let gateway = start(authority.config());
    let stream = TcpStream::connect(gateway.address()).await.unwrap();
    assert!(
        encrypt(&Authority::new().client(&VERSIONS), stream)
            .await
            .is_err()
    );
    let line = log.line("refused: no TLS handshake").await;
    assert!(line["reason"].as_str().unwrap().contains("UnknownCA"), "{line}");
    gateway.shutdown().await;
}

/// The last message of the handshake and a large request come in one flight, as browsers with large cookies send them.
#[tokio::test]
async fn a_large_request_right_behind_the_handshake_is_no_part_of_it() {
    let authority = Authority::new();
    let gateway = start(authority.config());
    let client = authority.client(&VERSIONS);
    let address = gateway.address();
    let head = format!(
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {}\r\n\r\n",
        "a".repeat(15_000)
    );
    let exchange = tokio::task::spawn_blocking(move || {
        let mut connection = ClientConnection::new(client, "localhost".try_into().unwrap()).unwrap();
        // Kept until there are keys for it.
        connection.writer().write_all(head.as_bytes()).unwrap();
        let mut socket = std::net::TcpStream::connect(address).unwrap();
        let mut answer = String::new();
        let _ = rustls::Stream::new(&mut connection, &mut socket).read_to_string(&mut answer);
        answer
    });
    let answer = within("the answer", exchange).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    gateway.shutdown().await;
}
