//! TLS: HTTP and WebSocket on one encrypted port, the certificate, and clients that misbehave before or by it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod handshake;
mod plain;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/tls.rs"]
mod support_tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use presence_core::model::setting::MAX_SPAN_MS;
use presence_gateway::{GatewayConfig, Tls};
use rustls::client::{
    ClientSessionMemoryCache, ClientSessionStore, Resumption, Tls12ClientSessionValue,
    Tls13ClientSessionValue,
};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, HandshakeKind, NamedGroup};
use serde_json::json;
use support::log::Log;
use support::slow::{small_socket, stops_reading};
use support::{Client, config, connect_params, raw_http, row, start, start_manual, within};
use support_tls::{Authority, VERSIONS, connect, encrypt, filled, open};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const READ: &[&str] = &["operator.read"];
const ADMIN: &[&str] = &["operator.admin"];
/// Most bytes of a PEM file.
const MAX_PEM_BYTES: usize = 64 * 1024;

/// The answer to a request by TLS.
async fn get(client: &Arc<ClientConfig>, address: SocketAddr, path: &str) -> String {
    let mut stream = connect(client, address).await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    within("an answer", stream.read_to_string(&mut answer))
        .await
        .unwrap();
    answer
}

#[tokio::test]
async fn http_and_websocket_share_the_port_in_both_versions() {
    let authority = Authority::new();
    let gateway = start(authority.config());
    assert!(gateway.url().starts_with("wss://"), "{}", gateway.url());
    for version in VERSIONS {
        let client = authority.client(&[version]);
        let answer = get(&client, gateway.address(), "/healthz").await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{version:?} {answer}");
        assert!(!answer.contains("strict-transport-security"), "{answer}");
        let page = get(&client, gateway.address(), "/").await;
        assert!(page.contains("--url wss://127.0.0.1:"), "{page}");

        let name = format!("{version:?}");
        let mut websocket = open(&client, gateway.address(), "").await;
        assert_eq!(
            websocket.stream().get_ref().1.protocol_version(),
            Some(version.version)
        );
        websocket.hello(connect_params(&name, ADMIN)).await;
        // Frames of many records, both ways.
        let text = "x".repeat(4_000);
        for n in 0..30 {
            let params =
                json!({ "text": text, "instanceId": format!("{name} {n}"), "padding": "y".repeat(100_000) });
            assert_eq!(websocket.request("system-event", params).await["ok"], true);
        }
        let list = websocket.request("system-presence", json!({})).await["payload"].clone();
        assert_eq!(row(&list, &format!("{name} 29"))["text"], text);
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn plain_http_on_a_tls_port_gets_a_sentence() {
    let authority = Authority::new();
    let gateway = start(authority.config());
    for request in ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "x"] {
        let answer = raw_http(gateway.address(), request).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(
            answer.contains("this port speaks HTTPS: use https://"),
            "{answer}"
        );
        assert!(answer.contains("content-type: text/plain"), "{answer}");
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn tls_on_a_plain_port_is_logged() {
    let authority = Authority::new();
    let (log, _guard) = Log::start();
    let gateway = start(config());
    let client = authority.client(&VERSIONS);
    let stream = TcpStream::connect(gateway.address()).await.unwrap();
    assert!(encrypt(&client, stream).await.is_err());
    let line = log.line("refused").await;
    assert!(
        line["reason"]
            .as_str()
            .unwrap()
            .contains("this is a TLS handshake"),
        "{line}"
    );
    gateway.shutdown().await;
}

#[tokio::test]
async fn hsts_is_sent_only_if_configured() {
    let authority = Authority::new();
    let mut config = authority.config();
    config.hsts_s = Some(31_536_000);
    let gateway = start(config);
    let answer = get(&authority.client(&VERSIONS), gateway.address(), "/").await;
    assert!(
        answer.contains("\r\nstrict-transport-security: max-age=31536000\r\n"),
        "{answer}"
    );
    gateway.shutdown().await;

    let gateway = start(authority.config());
    let answer = get(&authority.client(&VERSIONS), gateway.address(), "/").await;
    assert!(!answer.contains("strict-transport-security"), "{answer}");
    gateway.shutdown().await;

    for (seconds, is_valid) in [(0, true), (MAX_SPAN_MS, true), (MAX_SPAN_MS + 1, false)] {
        let mut config = authority.config();
        config.hsts_s = Some(seconds);
        assert_eq!(config.validate().is_ok(), is_valid, "{seconds}");
    }
}

#[tokio::test]
async fn pages_of_the_gateways_own_https_origin_may_connect_and_others_not() {
    let authority = Authority::new();
    let gateway = start(authority.config());
    let client = authority.client(&VERSIONS);
    let cases = [
        ("gw.local:18789", "https://gw.local:18789", true),
        ("gw.local", "https://gw.local", true),
        ("gw.local:443", "https://gw.local", true),
        ("gw.local:18789", "https://gw.local", false),
        ("gw.local:18789", "https://other.local:18789", false),
        ("gw.example.org", "https://gw.example.org", false),
        ("localhost", "https://localhost:8443", true),
    ];
    for (host, origin, is_allowed) in cases {
        let stream = connect(&client, gateway.address()).await;
        let mut websocket = Client::over(stream, ("/", host), &format!("Origin: {origin}\r\n")).await;
        websocket.event().await;
        let response = websocket.request("connect", connect_params("page", READ)).await;
        assert_eq!(response["ok"], is_allowed, "{host} {origin}: {response}");
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_new_certificate_is_used_and_a_bad_one_is_not() {
    let authority = Authority::new();
    let config = authority.config();
    let tls = config.tls.clone().unwrap();
    let gateway = start(config);
    let client = authority.client(&VERSIONS);
    let used = |stream: &tokio_rustls::client::TlsStream<TcpStream>| {
        stream.get_ref().1.peer_certificates().unwrap()[0].clone()
    };
    let first = used(&connect(&client, gateway.address()).await);
    let mut open = open(&client, gateway.address(), "").await;
    open.hello(connect_params("open", READ)).await;

    let (cert, key) = (authority.path("cert.pem"), authority.path("key.pem"));
    let (good_cert, good_key) = (
        std::fs::read_to_string(&cert).unwrap(),
        std::fs::read_to_string(&key).unwrap(),
    );
    let fingerprint = tls.fingerprint();
    authority.issue(&["127.0.0.1", "localhost"], |_| {});
    let (new_cert, new_key) = (
        std::fs::read_to_string(&cert).unwrap(),
        std::fs::read_to_string(&key).unwrap(),
    );
    let damaged = good_cert.replacen("MI", "!!", 1);
    let bad_issuer = format!("{good_cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let full = |text: &str| filled(text, MAX_PEM_BYTES);
    let long = full(&good_cert) + "\n";
    for (cert, key, option, why) in [
        (
            &*new_cert,
            &*good_key,
            "tls-key",
            "does not belong to the certificate",
        ),
        ("", &new_key, "tls-cert", "holds no certificate in PEM"),
        (&damaged, &new_key, "tls-cert", "damaged"),
        (
            &bad_issuer,
            &good_key,
            "tls-cert",
            "certificate number 2 is damaged",
        ),
        (&long, &good_key, "tls-cert", "it has more than 65536 bytes"),
        (&good_key, &good_key, "tls-cert", "holds no certificate in PEM"),
        (&good_cert, &good_cert, "tls-key", "holds no private key in PEM"),
        (&good_cert, "\u{1}", "tls-key", "holds no private key in PEM"),
    ] {
        authority.write("cert.pem", cert);
        authority.write("key.pem", key);
        let error = tls.reload().unwrap_err();
        assert_eq!(error.option(), option, "{error}");
        assert!(error.to_string().contains(why), "{error}");
        let path = authority.path(if option == "tls-cert" {
            "cert.pem"
        } else {
            "key.pem"
        });
        assert!(error.to_string().starts_with(&*path.to_string_lossy()), "{error}");
        assert_eq!(used(&connect(&client, gateway.address()).await), first);
    }
    std::fs::remove_file(&key).unwrap();
    assert!(
        tls.reload()
            .unwrap_err()
            .to_string()
            .contains("key.pem: cannot be read: ")
    );
    assert_eq!(tls.fingerprint(), fingerprint);

    authority.write("cert.pem", &full(&new_cert));
    authority.write("key.pem", &full(&new_key));
    assert_ne!(tls.reload().unwrap(), fingerprint);
    assert_ne!(used(&connect(&client, gateway.address()).await), first);
    assert_eq!(open.request("health", json!({})).await["ok"], true);
    gateway.shutdown().await;
}

#[tokio::test]
async fn sessions_are_resumed_until_the_certificate_changes() {
    let authority = Authority::new();
    let config = authority.config();
    let tls = config.tls.clone().unwrap();
    let gateway = start(config);
    for version in VERSIONS {
        let client = authority.client(&[version]);
        let kind = async || {
            let mut websocket = open(&client, gateway.address(), "").await;
            // The ticket comes with it.
            websocket.event().await;
            websocket.stream().get_ref().1.handshake_kind()
        };
        assert_eq!(kind().await, Some(HandshakeKind::Full));
        assert_eq!(kind().await, Some(HandshakeKind::Resumed));
        tls.reload().unwrap();
        assert_eq!(kind().await, Some(HandshakeKind::Full));
    }
    gateway.shutdown().await;
}

/// Stores sessions, and counts the tickets of TLS 1.3.
#[derive(Debug)]
struct Counted(ClientSessionMemoryCache, AtomicUsize);

impl ClientSessionStore for Counted {
    fn set_kx_hint(&self, server_name: ServerName<'static>, group: NamedGroup) {
        self.0.set_kx_hint(server_name, group);
    }
    fn kx_hint(&self, server_name: &ServerName<'_>) -> Option<NamedGroup> {
        self.0.kx_hint(server_name)
    }
    fn set_tls12_session(&self, server_name: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.0.set_tls12_session(server_name, value);
    }
    fn tls12_session(&self, server_name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.0.tls12_session(server_name)
    }
    fn remove_tls12_session(&self, server_name: &ServerName<'static>) {
        self.0.remove_tls12_session(server_name);
    }
    fn insert_tls13_ticket(&self, server_name: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.insert_tls13_ticket(server_name, value);
    }
    fn take_tls13_ticket(&self, server_name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.0.take_tls13_ticket(server_name)
    }
}

#[tokio::test]
async fn each_connection_gets_few_tickets() {
    /// Tickets of one connection.
    const TICKETS: usize = 1;
    let authority = Authority::new();
    let gateway = start(authority.config());
    let store = Arc::new(Counted(ClientSessionMemoryCache::new(8), AtomicUsize::new(0)));
    let mut client = Arc::unwrap_or_clone(authority.client(&VERSIONS));
    client.resumption = Resumption::store(store.clone());
    let client = Arc::new(client);
    for connections in 1..4 {
        let mut websocket = open(&client, gateway.address(), "").await;
        // The tickets come with it.
        websocket.event().await;
        assert_eq!(store.1.load(Ordering::Relaxed), connections * TICKETS);
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_reader_that_stops_is_closed_in_time() {
    let authority = Authority::new();
    let (gateway, clock) = start_manual(authority.config());
    let client = authority.client(&VERSIONS);
    let mut writer = open(&client, gateway.address(), "").await;
    writer.hello(connect_params("writer", ADMIN)).await;
    let stream = encrypt(&client, small_socket(gateway.address()).await)
        .await
        .unwrap();
    let stopped = Client::over(stream, ("/", "localhost"), "").await;
    stops_reading(stopped, &mut writer, (&gateway, &clock)).await;
    gateway.shutdown().await;
}

#[tokio::test]
async fn the_end_of_the_gateway_is_a_close_of_websocket_and_of_tls() {
    let authority = Authority::new();
    let gateway = start(authority.config());
    let client = authority.client(&VERSIONS);
    let mut websocket = open(&client, gateway.address(), "").await;
    websocket.hello(connect_params("a", READ)).await;
    let end = tokio::spawn(gateway.shutdown());
    assert_eq!(websocket.closed().await.0, 1012);
    end.await.unwrap();
    // rustls would report a close of TCP alone as an error.
    assert_eq!(
        within("the end", websocket.stream().read(&mut [0]))
            .await
            .unwrap(),
        0
    );
}

#[test]
fn a_pair_that_cannot_be_read_is_named() {
    let authority = Authority::new();
    let error = Tls::from_files(&authority.path("none.pem"), &authority.path("key.pem")).unwrap_err();
    assert_eq!(error.option(), "tls-cert");
    assert!(
        error.to_string().contains("none.pem: cannot be read: "),
        "{error}"
    );
}
