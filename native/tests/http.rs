//! Plain HTTP on the gateway's port, and requests that are neither.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;

use presence_gateway::slots::SlotLimits;
use presence_gateway::web::WebRoot;
use presence_gateway::{GatewayConfig, RunningGateway};
use support::{config, raw_http, start};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}

#[tokio::test]
async fn health_readiness_and_the_page() {
    let gateway = start(config());
    for path in ["/healthz", "/health"] {
        let answer = raw_http(gateway.address(), &get(path)).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(
            answer.ends_with("\r\n\r\n{\"ok\":true,\"status\":\"live\"}"),
            "{answer}"
        );
    }
    for path in ["/readyz", "/ready"] {
        let answer = raw_http(gateway.address(), &get(path)).await;
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!((&body["ready"], &body["status"]), (&true.into(), &"ready".into()));
    }
    let page = raw_http(gateway.address(), &get("/")).await;
    assert!(page.contains("content-type: text/html"), "{page}");
    assert!(page.contains(env!("CARGO_PKG_VERSION")), "{page}");
    assert!(
        page.contains(&format!("ws://127.0.0.1:{}", gateway.address().port())),
        "{page}"
    );
    assert!(!page.contains('{') || !page.contains("{version}"), "{page}");
    gateway.shutdown().await;
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let gateway = start(config());
    for path in ["/", "/healthz", "/readyz", "/nowhere"] {
        let answer = raw_http(gateway.address(), &get(path)).await;
        for header in [
            "content-security-policy: default-src 'none'",
            "x-content-type-options: nosniff",
            "no-store",
        ] {
            assert!(answer.contains(header), "{path} lacks {header}: {answer}");
        }
    }
    gateway.shutdown().await;
}

/// Serves a page with one script, and a file beside it that is none of it.
fn start_with_page() -> (RunningGateway, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page");
    std::fs::create_dir(&page).unwrap();
    for (name, text) in [
        ("index.html", "<!doctype html><title>Roster</title>"),
        ("main-0123ABCD.js", "export {};"),
        ("core.wasm", "\0asm"),
        ("\u{fc}ber uns.html", "<p>"),
        ("gateway.json", r#"{"gateway":false}"#),
    ] {
        std::fs::write(page.join(name), text).unwrap();
    }
    std::fs::write(folder.path().join("secret"), "s3cret").unwrap();
    let web_root = Some(Arc::new(WebRoot::read(&page).unwrap()));
    (start(GatewayConfig { web_root, ..config() }), folder)
}

#[tokio::test]
async fn the_files_of_the_web_root() {
    let (gateway, _folder) = start_with_page();
    for (path, kind, caching) in [
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/index.html", "text/html; charset=utf-8", "no-cache"),
        ("/?a=b", "text/html; charset=utf-8", "no-cache"),
        (
            "/main-0123ABCD.js",
            "text/javascript; charset=utf-8",
            "public, max-age=31536000, immutable",
        ),
        ("/core.wasm", "application/wasm", "no-cache"),
        ("/%63ore.wasm", "application/wasm", "no-cache"),
        ("/%C3%BCber%20uns.html", "text/html; charset=utf-8", "no-cache"),
        ("http://localhost/core.wasm", "application/wasm", "no-cache"),
    ] {
        let answer = raw_http(gateway.address(), &get(path)).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{path}: {answer}");
        for line in [
            format!("content-type: {kind}\r\n"),
            format!("cache-control: {caching}\r\n"),
            "content-security-policy: default-src 'none'; script-src 'self' 'wasm-unsafe-eval'".to_owned(),
            "x-frame-options: SAMEORIGIN\r\n".to_owned(),
            "x-content-type-options: nosniff\r\n".to_owned(),
        ] {
            assert!(answer.contains(&line), "{path} lacks {line}: {answer}");
        }
    }
    let health = raw_http(gateway.address(), &get("/healthz")).await;
    assert!(health.ends_with("\"status\":\"live\"}"), "{health}");
    let about = raw_http(gateway.address(), &get("/gateway.json")).await;
    let (_, body) = about.split_once("\r\n\r\n").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((&body["gateway"], &body["auth"]), (&true.into(), &"token".into()));
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_file_that_is_known_is_not_sent_again() {
    let (gateway, _folder) = start_with_page();
    let first = raw_http(gateway.address(), &get("/")).await;
    let tag = first
        .lines()
        .find_map(|line| line.strip_prefix("etag: "))
        .expect("an ETag");
    let again = get("/").replace("\r\n\r\n", &format!("\r\nIf-None-Match: {tag}\r\n\r\n"));
    let again = raw_http(gateway.address(), &again).await;
    assert!(again.starts_with("HTTP/1.1 304 "), "{again}");
    assert!(again.ends_with("\r\n\r\n") && again.contains(tag), "{again}");
    gateway.shutdown().await;
}

#[tokio::test]
async fn nothing_beside_the_web_root_can_be_had() {
    let (gateway, _folder) = start_with_page();
    for path in [
        "/../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "/..%5csecret",
        "/.%2e/secret",
        "/%252e%252e/secret",
        "/index.html%00",
        "//secret",
        "/./../secret",
        "/..\\secret",
        "/nowhere",
        "/index.html/",
    ] {
        let answer = raw_http(gateway.address(), &get(path)).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
        assert!(!answer.contains("s3cret"), "{path}: {answer}");
    }
    let head = raw_http(gateway.address(), &get("/").replace("GET", "HEAD")).await;
    assert!(
        head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
    assert!(head.contains("content-length: 36\r\n"), "{head}");
    let post = raw_http(gateway.address(), &get("/").replace("GET", "POST")).await;
    assert!(
        post.starts_with("HTTP/1.1 405 ") && post.contains("allow: GET, HEAD"),
        "{post}"
    );
    gateway.shutdown().await;
}

#[tokio::test]
async fn other_methods_and_paths() {
    let gateway = start(config());
    let head = raw_http(gateway.address(), &get("/healthz").replace("GET", "HEAD")).await;
    assert!(
        head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
    let post = raw_http(gateway.address(), &get("/healthz").replace("GET", "POST")).await;
    assert!(
        post.starts_with("HTTP/1.1 405 ") && post.contains("allow: GET, HEAD"),
        "{post}"
    );
    assert!(
        raw_http(gateway.address(), &get("/nowhere"))
            .await
            .starts_with("HTTP/1.1 404 ")
    );
    gateway.shutdown().await;
}

#[tokio::test]
async fn two_requests_on_one_connection_sent_in_pieces() {
    let gateway = start(config());
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    let both = get("/healthz").replace("Connection: close\r\n", "") + &get("/readyz");
    for piece in both.as_bytes().chunks(13) {
        stream.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut answer = String::new();
    support::within("both answers", stream.read_to_string(&mut answer))
        .await
        .unwrap();
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2, "{answer}");
    gateway.shutdown().await;
}

#[tokio::test]
async fn what_is_no_request_is_told_so() {
    let gateway = start(config());
    let garbage = raw_http(gateway.address(), "\u{16}\u{3}\u{1} what?\r\n\r\n").await;
    assert!(garbage.starts_with("HTTP/1.1 400 "), "{garbage}");
    let huge = raw_http(
        gateway.address(),
        &format!("GET / HTTP/1.1\r\nX: {}\r\n", "x".repeat(40_000)),
    )
    .await;
    assert!(huge.starts_with("HTTP/1.1 431 "), "{huge}");
    let upgrade = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    let malformed = raw_http(gateway.address(), upgrade).await;
    assert!(
        malformed.starts_with("HTTP/1.1 426 ") && malformed.contains("Sec-WebSocket-Version"),
        "{malformed}"
    );
    gateway.shutdown().await;
}

#[tokio::test]
async fn requests_are_as_rfc_9112_and_rfc_6455_have_them() {
    let gateway = start(config());
    let upgrade = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let plain = get("/healthz");
    for (request, status, words) in [
        (plain.replace("Host: localhost\r\n", ""), 400, "no Host"),
        (plain.replace("Host", "Host: a\r\nHost"), 400, "two Host"),
        (
            plain.replace("Host: localhost", "Host: a b"),
            400,
            "names no host",
        ),
        (plain.replace("\r\n", "\n"), 400, "CR LF"),
        (plain.replace("localhost\r\n", "localhost\n"), 400, "CR LF"),
        (plain.replace("Host:", "Host :"), 400, "colon"),
        (
            plain.replace("Connection", "Content-Length: 3\r\nConnection"),
            400,
            "no body",
        ),
        (upgrade.replace("Host: localhost\r\n", ""), 400, "no Host"),
        (upgrade.replace("Host", "Host: a\r\nHost"), 400, "two Host"),
        (upgrade.replace("\r\n", "\n"), 400, "CR LF"),
        (upgrade.replace("dGhl", "!!!!"), 400, "base64"),
        (upgrade.replace("1.1", "1.0"), 400, "HTTP/1.1"),
        (upgrade.replace("Version: 13", "Version: 12"), 426, "Version"),
    ] {
        let answer = raw_http(gateway.address(), &request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains(words),
            "{request:?}: {answer}"
        );
        assert!(!answer.contains("live"), "{request:?}: {answer}");
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn without_a_secret_a_foreign_name_learns_nothing_by_plain_http() {
    let gateway = start(GatewayConfig {
        auth: presence_gateway::auth::AuthMode::None,
        ..config()
    });
    for path in ["/", "/healthz", "/readyz", "/nowhere"] {
        for foreign in [
            get(path).replace("localhost", "rebound.example.org"),
            get(&format!("http://rebound.example.org{path}")),
            get(path).replace("Host: localhost\r\n", "").replace("1.1", "1.0"),
        ] {
            let answer = raw_http(gateway.address(), &foreign).await;
            assert!(
                answer.starts_with("HTTP/1.1 403 ") && answer.contains("origin not allowed"),
                "{foreign}: {answer}"
            );
        }
    }
    let own = raw_http(gateway.address(), &get("/healthz")).await;
    assert!(own.starts_with("HTTP/1.1 200 "), "{own}");
    // The check is for every request of a connection.
    let both = get("/healthz").replace("Connection: close\r\n", "")
        + &get("/healthz").replace("localhost", "rebound.example.org");
    let answer = raw_http(gateway.address(), &both).await;
    assert!(
        answer.contains("HTTP/1.1 200 ") && answer.contains("HTTP/1.1 403 "),
        "{answer}"
    );
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_proxy_may_open_a_websocket_on_a_connection_it_used_before() {
    let gateway = start(config());
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    let both = get("/healthz").replace("Connection: close\r\n", "")
        + "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
           Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(both.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    support::within("the challenge", async {
        while !String::from_utf8_lossy(&heard).contains("connect.challenge") {
            assert_ne!(stream.read_buf(&mut heard).await.unwrap(), 0);
        }
    })
    .await;
    gateway.shutdown().await;
}

#[tokio::test]
async fn requests_of_one_connection_are_bounded() {
    let gateway = start(config());
    let many = get("/healthz").replace("Connection: close\r\n", "").repeat(101);
    let answer = raw_http(gateway.address(), &many).await;
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 100);
    assert_eq!(answer.matches("connection: close").count(), 1);
    gateway.shutdown().await;
}

/// A page with one file of this many bytes.
fn page_of(bytes: usize) -> Option<Arc<WebRoot>> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "x").unwrap();
    std::fs::write(folder.path().join("large.wasm"), vec![b'x'; bytes]).unwrap();
    Some(Arc::new(WebRoot::read(folder.path()).unwrap()))
}

/// Asks for the large file on a socket with little room.
async fn ask_for_large(address: std::net::SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    stream.write_all(get("/large.wasm").as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn a_large_file_takes_as_long_as_it_takes_and_silence_ends_it() {
    const MIB: usize = 1024 * 1024;
    let bytes = 31 * MIB;
    let slots = SlotLimits {
        unauthenticated: 4,
        ..SlotLimits::default()
    };
    let (gateway, clock) = support::start_manual(GatewayConfig {
        web_root: page_of(bytes),
        slots,
        ..config()
    });
    // 1 MiB each 15 s: two orders of magnitude slower than the bound on all of it was.
    let mut slow = ask_for_large(gateway.address()).await;
    let mut left = vec![0; MIB];
    let mut read = 0;
    while read < bytes {
        support::within("a piece", slow.read_exact(&mut left))
            .await
            .unwrap();
        read += MIB;
        clock.advance(15_000);
    }
    let mut rest = Vec::new();
    support::within("the rest", slow.read_to_end(&mut rest))
        .await
        .unwrap();
    assert!(!rest.is_empty() && rest.iter().rev().take(100).all(|byte| *byte == b'x'));

    // One download at a time, so the next says whether the last one ended.
    let mut stuck = ask_for_large(gateway.address()).await;
    support::within("its beginning", stuck.read_exact(&mut left))
        .await
        .unwrap();
    let large = get("/large.wasm").replace("GET", "HEAD");
    let busy = raw_http(gateway.address(), &large).await;
    assert!(busy.starts_with("HTTP/1.1 503 "), "{busy}");
    support::within("the end of what stalls", async {
        while !raw_http(gateway.address(), &large)
            .await
            .starts_with("HTTP/1.1 200 ")
        {
            clock.advance(20_000);
        }
    })
    .await;
    gateway.shutdown().await;
}

#[tokio::test]
async fn downloads_are_bounded_and_small_answers_are_not() {
    let slots = SlotLimits {
        unauthenticated: 8,
        ..SlotLimits::default()
    };
    let gateway = start(GatewayConfig {
        web_root: page_of(8 * 1024 * 1024),
        slots,
        ..config()
    });
    let mut two = [
        ask_for_large(gateway.address()).await,
        ask_for_large(gateway.address()).await,
    ];
    for download in &mut two {
        support::within("a beginning", download.read_u8()).await.unwrap();
    }
    let third = raw_http(gateway.address(), &get("/large.wasm")).await;
    assert!(
        third.starts_with("HTTP/1.1 503 ") && third.contains("retry-after: 1"),
        "{third}"
    );
    let small = raw_http(gateway.address(), &get("/")).await;
    assert!(small.starts_with("HTTP/1.1 200 "), "{small}");
    drop(two);
    gateway.shutdown().await;
}

#[tokio::test]
async fn clients_of_one_address_behind_a_proxy_are_bounded() {
    let slots = SlotLimits {
        unauthenticated_per_address: 1,
        ..SlotLimits::default()
    };
    let trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    let gateway = start(GatewayConfig {
        slots,
        trusted_proxies,
        ..config()
    });
    let from = |address: &str| format!("X-Forwarded-For: {address}\r\n");
    let _first = support::Client::open(gateway.address(), &from("192.0.2.1")).await;
    let _other = support::Client::open(gateway.address(), &from("192.0.2.2")).await;
    // Loopback is only bounded in all.
    let _local = [
        support::Client::open(gateway.address(), "").await,
        support::Client::open(gateway.address(), "").await,
    ];
    let second = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let answer = raw_http(gateway.address(), &format!("{second}{}\r\n", from("192.0.2.1"))).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    gateway.shutdown().await;
}
