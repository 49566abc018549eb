//! Clients that do not read, and clients that send records without contents.

use std::sync::Arc;

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::{ClientConfig, ClientConnection, ConnectionTrafficSecrets, RootCertStore};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsConnector;

use super::*;
use crate::tls::{Tls, provider};

/// The gateway's side of a connection, and the client's.
async fn connected() -> (TcpStream, Box<Encryption>, TcpStream, ClientConnection) {
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&cert, issued.cert.pem()).unwrap();
    std::fs::write(&key, issued.signing_key.serialize_pem()).unwrap();
    let tls = Tls::from_files(&cert, &key).unwrap();

    let mut roots = RootCertStore::empty();
    roots.add(issued.cert.der().clone()).unwrap();
    let mut provider = (*provider()).clone();
    provider.cipher_suites = vec![TLS13_AES_128_GCM_SHA256];
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.enable_secret_extraction = true;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let name = "localhost".try_into().unwrap();
    let client = async {
        let socket = TcpStream::connect(listener.local_addr().unwrap()).await?;
        TlsConnector::from(Arc::new(config)).connect(name, socket).await
    };
    let server = async { tls.accept(listener.accept().await.unwrap().0).await };
    let (client, server) = futures_util::future::join(client, server).await;
    let (stream, encryption) = Encryption::split(server.unwrap());
    let (socket, connection) = client.unwrap().into_inner();
    (stream, encryption, socket, connection)
}

#[tokio::test]
async fn bytes_encrypted_ahead_of_a_slow_client_are_bounded() {
    let (stream, encryption, mut socket, mut client) = connected().await;
    let bytes = vec![7; 1024 * 1024];
    let slices = [IoSlice::new(&bytes)];
    let mut accepted = 0;
    loop {
        match encryption.write(&stream, &slices) {
            Ok(len) => {
                assert!((1..=MAX_AHEAD_BYTES).contains(&len), "{len}");
                accepted += len;
            }
            Err(error) => break assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    }
    assert!(encryption.has_rest());
    // Only bytes in the buffers of the sockets arrive: the rest waits at the gateway.
    drop(stream);
    let mut arrived = Vec::new();
    // The socket ends without a close of TLS.
    let _ = socket.read_to_end(&mut arrived).await;
    let (mut arrived, mut read) = (&*arrived, 0);
    while client.read_tls(&mut arrived).unwrap() > 0 {
        read += client.process_new_packets().unwrap().plaintext_bytes_to_read();
        let mut plain = Vec::new();
        let _ = client.reader().read_to_end(&mut plain);
    }
    assert!(read < accepted, "{read} of {accepted}");
    // The socket may hold a part of one record more.
    assert!(
        accepted - read <= MAX_AHEAD_BYTES + 16 * 1024,
        "{read} of {accepted}"
    );
}

/// One byte of a handshake message that is never complete.
const HANDSHAKE: u8 = 22;
/// Bytes for the application.
const DATA: u8 = 23;

/// Records of TLS 1.3 with these types and contents, from the client's first one on.
fn records(client: ClientConnection, contents: impl Iterator<Item = (u8, Option<u8>)>) -> Vec<u8> {
    let (first, ConnectionTrafficSecrets::Aes128Gcm { key, iv }) =
        client.dangerous_extract_secrets().unwrap().tx
    else {
        panic!("another cipher");
    };
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, key.as_ref()).unwrap());
    let mut records = Vec::new();
    for (number, (kind, byte)) in (first..).zip(contents) {
        let mut nonce: [u8; 12] = iv.as_ref().try_into().unwrap();
        for (byte, bits) in nonce[4..].iter_mut().zip(number.to_be_bytes()) {
            *byte ^= bits;
        }
        let mut record: Vec<u8> = byte.into_iter().chain([kind]).collect();
        let len = u8::try_from(record.len() + AES_128_GCM.tag_len()).unwrap();
        let header = [DATA, 3, 3, 0, len];
        let nonce = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(nonce, Aad::from(header), &mut record)
            .unwrap();
        records.extend(header);
        records.extend(record);
    }
    records
}

#[tokio::test]
async fn a_flood_of_records_without_data_leaves_others_their_turns() {
    /// rustls reads a record at most at a time.
    const MAX_READ_BYTES: usize = 17 * 1024;

    let (stream, encryption, _socket, client) = connected().await;
    // A message of 65,535 bytes in records of one; rustls refuses the rest of it.
    let message = [24, 0, 0xff, 0xff].into_iter().chain(std::iter::repeat(0));
    let flood = records(client, message.map(|byte| (HANDSHAKE, Some(byte))).take(2_500));
    assert!(flood.len() > MAX_TURN_BYTES + MAX_READ_BYTES);
    let mut rest = &*flood;
    let mut turns = 0;
    loop {
        let before = rest.len();
        let read = |buffer: &mut [u8]| match Read::read(&mut rest, buffer) {
            Ok(0) => Err(ErrorKind::WouldBlock.into()),
            outcome => outcome,
        };
        let error = encryption.read(&stream, read, &mut [0; 1024]).unwrap_err();
        let read = before - rest.len();
        assert!(
            read <= MAX_TURN_BYTES + MAX_READ_BYTES,
            "{read} bytes in one turn"
        );
        if error.kind() == ErrorKind::WouldBlock {
            break;
        }
        assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
        turns += 1;
    }
    assert_eq!(rest, b"");
    assert_eq!(turns, 1);
}

#[tokio::test]
async fn a_flood_of_empty_records_is_refused() {
    let (stream, encryption, _socket, client) = connected().await;
    let flood = records(client, std::iter::repeat_n((DATA, None), 100));
    let mut rest = &*flood;
    let read = |buffer: &mut [u8]| Read::read(&mut rest, buffer);
    let error = encryption.read(&stream, read, &mut [0; 1024]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
}
