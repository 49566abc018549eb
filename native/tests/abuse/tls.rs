//! Hostile bytes at a port that speaks TLS. Each attack ends with a normal client by TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::{ClientConfig, ClientConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::CONNECTIONS;
use super::support::process::Process;
use super::support::within;
use super::support::witness::{LEFT_KB, Witness};
use super::support_tls::{Authority, VERSIONS, connect};

/// Types of records.
const ALERT: u8 = 0x15;
const HANDSHAKE: u8 = 0x16;
const DATA: u8 = 0x17;
/// Level of an alert that ends the connection.
const FATAL: u8 = 2;
/// Number of the alert about a version that the gateway does not speak (RFC 8446, 6.2).
const PROTOCOL_VERSION: u8 = 70;
/// A handshake may take longer than this test waits for the end of a connection: only a refusal ends it in time.
const PATIENT: &[&str] = &["--handshake-ms", "600000"];

/// A gateway with a certificate, and a normal client by TLS.
async fn start(options: &[&str]) -> (Witness, Arc<ClientConfig>) {
    let authority = Authority::new();
    authority.issue(&["localhost"], |_| {});
    let (cert, key) = (authority.path("cert.pem"), authority.path("key.pem"));
    let own = ["--port", "0", "--tls-cert", cert.to_str().unwrap(), "--tls-key"];
    let options = [&own[..], &[key.to_str().unwrap()], options].concat();
    let process = Process::start_with("", &options).await;
    let client = authority.client(&VERSIONS);
    (Witness::by_tls(process, Arc::clone(&client)).await, client)
}

/// A record of this type and version.
fn record(first: u8, version: u8, bytes: &[u8]) -> Vec<u8> {
    let len = u16::try_from(bytes.len()).unwrap().to_be_bytes();
    [&[first, 3, version][..], &len, bytes].concat()
}

/// The first bytes of a client that is right.
fn client_hello(client: &Arc<ClientConfig>) -> Vec<u8> {
    let name = "localhost".try_into().unwrap();
    let mut connection = ClientConnection::new(Arc::clone(client), name).unwrap();
    let mut bytes = Vec::new();
    connection.write_tls(&mut bytes).unwrap();
    bytes
}

/// The first bytes of a client that speaks at most 3.`version`: 0 is SSL 3.0, 1 is TLS 1.0, 2 is TLS 1.1.
fn old_hello(version: u8) -> Vec<u8> {
    // Suites, signatures and groups of today, so that only the version is wrong.
    let suites = [0xc0, 0x2b, 0xc0, 9, 0xc0, 0x13, 0, 0x2f];
    let signatures = [0, 13, 0, 8, 0, 6, 4, 3, 8, 4, 4, 1];
    let groups = [0, 10, 0, 4, 0, 2, 0, 23];
    let mut body = vec![3, version];
    body.extend([7; 32]);
    body.push(0);
    body.extend([0, suites.len() as u8]);
    body.extend(suites);
    body.extend([1, 0]);
    body.extend([0, (signatures.len() + groups.len()) as u8]);
    body.extend(signatures);
    body.extend(groups);
    let message = [&[1, 0, 0, body.len() as u8][..], &body].concat();
    record(HANDSHAKE, version, &message)
}

/// Reads to the end, by a close or a reset.
async fn end_of(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = within("the end", stream.read_to_end(&mut bytes)).await;
    bytes
}

/// Sends these bytes; returns what the gateway sends until it closes the connection.
async fn answer(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    end_of(&mut stream).await
}

/// Whether these bytes are one fatal alert.
fn is_alert(bytes: &[u8]) -> bool {
    matches!(bytes, [ALERT, 3, _, 0, 2, FATAL, _])
}

#[tokio::test]
async fn bytes_that_are_no_tls_are_refused() {
    let (mut witness, client) = start(PATIENT).await;
    let address = witness.address();
    let plain = [
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        b"\0".to_vec(),
        record(DATA, 3, &[0x5a; 100]),
        record(ALERT, 3, &[2, 0]),
        // The first bytes of SSL 2.0.
        vec![0x80, 0x2e, 1, 0, 2],
    ];
    let hello = client_hello(&client);
    let mut wrong_length = hello.clone();
    wrong_length[3] = 0xff;
    let garbage = [
        record(HANDSHAKE, 3, &[0xaa, 0, 0, 2, 0xaa, 0xaa]),
        // A ServerHello, a Finished, and a ClientHello without a body.
        record(HANDSHAKE, 3, &[2, 0, 0, 0]),
        record(HANDSHAKE, 3, &[20, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        record(HANDSHAKE, 1, &[1, 0, 0, 0]),
        record(HANDSHAKE, 3, &[]).repeat(100),
        wrong_length,
    ];
    for n in 0..CONNECTIONS / 3 {
        let bytes = &plain[n % plain.len()];
        let text = String::from_utf8(answer(address, bytes).await).unwrap();
        let is_refused = text.starts_with("HTTP/1.1 400 ") && text.contains("this port speaks HTTPS");
        assert!(is_refused, "{bytes:?}: {text}");

        let bytes = &garbage[n % garbage.len()];
        let heard = answer(address, bytes).await;
        assert!(heard.is_empty() || is_alert(&heard), "{bytes:?}: {heard:?}");

        // Behind a hello that is right; the gateway answers that one first.
        let bytes = [&hello[..], &record(HANDSHAKE, 3, &[0xaa; 100])].concat();
        let heard = answer(address, &bytes).await;
        assert_eq!(heard.first(), Some(&HANDSHAKE), "{heard:?}");
    }
    witness.is_unharmed(&[], LEFT_KB).await;
}

#[tokio::test]
async fn old_versions_of_tls_are_refused() {
    let (mut witness, _) = start(PATIENT).await;
    for n in 0..CONNECTIONS {
        let version = (n % 3) as u8;
        let heard = answer(witness.address(), &old_hello(version)).await;
        assert!(is_alert(&heard), "3.{version}: {heard:?}");
        assert_eq!(heard.last(), Some(&PROTOCOL_VERSION), "3.{version}: {heard:?}");
    }
    // The same bytes with TLS 1.2 are accepted.
    let mut stream = TcpStream::connect(witness.address()).await.unwrap();
    stream.write_all(&old_hello(3)).await.unwrap();
    let first = within("an answer", stream.read_u8()).await.unwrap();
    assert_eq!(first, HANDSHAKE);
    drop(stream);
    witness.is_unharmed(&[], LEFT_KB).await;
}

#[tokio::test]
async fn tls_handshakes_that_stop_in_the_middle_are_closed_in_time() {
    let (mut witness, client) = start(&["--handshake-ms", "1000"]).await;
    let hello = client_hello(&client);
    // Later rounds reuse the memory of the first one, so that only a leak exceeds the bound.
    for _ in 0..3 {
        let mut stopped = Vec::new();
        for n in 0..CONNECTIONS / 3 {
            let mut stream = TcpStream::connect(witness.address()).await.unwrap();
            // Every third one is a whole hello, whose answer is not answered.
            let len = if n % 3 == 0 {
                hello.len()
            } else {
                n * 7 % hello.len()
            };
            stream.write_all(&hello[..len]).await.unwrap();
            if n % 3 == 1 {
                // With an end instead of silence.
                stream.shutdown().await.unwrap();
            }
            stopped.push((stream, len == hello.len()));
        }
        for (mut stream, is_whole) in stopped {
            let heard = end_of(&mut stream).await;
            assert_eq!(heard.first() == Some(&HANDSHAKE), is_whole, "{heard:?}");
        }
    }
    // Once 33 answers of 20 KB waited.
    witness.is_unharmed(&[], 3 * LEFT_KB).await;
}

#[tokio::test]
async fn bytes_in_the_clear_end_an_encrypted_connection() {
    let (mut witness, client) = start(PATIENT).await;
    let hello = client_hello(&client);
    // A new handshake is refused, too: there is no renegotiation.
    for bytes in [&hello[..], &record(DATA, 3, &[0x5a; 100]), b"GET / HTTP/1.1\r\n"] {
        for _ in 0..CONNECTIONS / 3 {
            let mut encrypted = connect(&client, witness.address()).await;
            let (stream, _) = encrypted.get_mut();
            stream.write_all(bytes).await.unwrap();
            end_of(stream).await;
        }
    }
    witness.is_unharmed(&[], LEFT_KB).await;
}
