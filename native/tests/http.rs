//! Plain HTTP on the gateway's port, and requests that are neither.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;

use presence_gateway::RunningGateway;
use presence_gateway::WebRoot;
use support::{config, config_with, raw_http, serves_a_client, start};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

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

/// Serves a page with one script, with another file outside its folder.
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
    (start(config_with(|config| config.web_root = web_root)), folder)
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
async fn an_unchanged_file_is_not_sent_again() {
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
async fn no_file_outside_the_web_root_is_served() {
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
        post.starts_with("HTTP/1.1 405 ") && post.contains("allow: GET,HEAD\r\n"),
        "{post}"
    );
    serves_a_client(gateway.address(), "normal").await;
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
        post.starts_with("HTTP/1.1 405 ") && post.contains("allow: GET,HEAD\r\n"),
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
async fn invalid_requests_get_an_error_with_the_reason() {
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
async fn requests_follow_rfc_9112_and_rfc_6455() {
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
    serves_a_client(gateway.address(), "normal").await;
    gateway.shutdown().await;
}

#[tokio::test]
async fn without_a_secret_a_foreign_host_is_refused_by_plain_http() {
    let gateway = start(config_with(|config| {
        config.auth = presence_gateway::AuthMode::None;
    }));
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
    // The check applies to every request of a connection.
    let both = get("/healthz").replace("Connection: close\r\n", "")
        + &get("/healthz").replace("localhost", "rebound.example.org");
    let answer = raw_http(gateway.address(), &both).await;
    assert!(
        answer.contains("HTTP/1.1 200 ") && answer.contains("HTTP/1.1 403 "),
        "{answer}"
    );
    serves_a_client(gateway.address(), "normal").await;
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
