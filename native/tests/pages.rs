//! Pages of other origins: access to the API, and refusals.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use presence_gateway::{AllowedOrigins, RunningGateway};
use support::{TOKEN, config_with, connect_params, raw_http, refusal, start};

const PAGE: &str = "https://dash.example.org";
const ALLOWS: &str = "access-control-allow-origin: https://dash.example.org\r\n";

fn gateway() -> RunningGateway {
    start(config_with(|config| {
        config.allowed_origins = AllowedOrigins::parse(&[PAGE]).unwrap();
    }))
}

/// The head of the answer.
async fn request(gateway: &RunningGateway, line: &str, headers: &str) -> String {
    let request = format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    let answer = raw_http(gateway.address(), &request).await;
    let (head, _) = answer.split_once("\r\n\r\n").unwrap();
    format!("{head}\r\n")
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_reads_the_list() {
    let gateway = gateway();
    let secret = format!("Authorization: Bearer {TOKEN}\r\n");
    let preflight = format!(
        "Origin: {PAGE}\r\nAccess-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: authorization\r\n"
    );
    for path in ["/api/presence", "/api/presence/stream"] {
        let head = request(&gateway, &format!("OPTIONS {path}"), &preflight).await;
        assert!(head.starts_with("HTTP/1.1 204 "), "{head}");
        for line in [
            ALLOWS,
            "access-control-allow-methods: GET\r\n",
            "access-control-allow-headers: authorization, if-none-match, last-event-id\r\n",
            "access-control-max-age: 600\r\n",
            "vary: origin\r\n",
        ] {
            assert!(head.contains(line), "{line}: {head}");
        }
    }
    let page = format!("Origin: {PAGE}\r\n");
    let head = request(&gateway, "GET /api/presence", &format!("{page}{secret}")).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(
        head.contains(ALLOWS) && head.contains("access-control-expose-headers: etag\r\n"),
        "{head}"
    );
    assert!(
        head.contains("vary: authorization\r\n") && head.contains("vary: origin\r\n"),
        "{head}"
    );
    assert!(!head.contains("allow-credentials"), "{head}");
    // The page may read why it is refused, too.
    let head = request(&gateway, "GET /api/presence", &page).await;
    assert!(
        head.starts_with("HTTP/1.1 401 ") && head.contains(ALLOWS),
        "{head}"
    );
    // A stream has no end, so only its head is read.
    let head = request(&gateway, "HEAD /api/presence/stream", &format!("{page}{secret}")).await;
    assert!(
        head.starts_with("HTTP/1.1 200 ") && head.contains(ALLOWS),
        "{head}"
    );
    gateway.shutdown().await;
}

#[tokio::test]
async fn other_pages_and_other_paths_are_not_allowed() {
    let gateway = gateway();
    let secret = format!("Authorization: Bearer {TOKEN}\r\n");
    for origin in ["Origin: https://evil.example\r\n", "Origin: null\r\n", ""] {
        for line in [
            "OPTIONS /api/presence",
            "OPTIONS /api/presence/stream",
            "GET /api/presence",
            "HEAD /api/presence/stream",
        ] {
            let head = request(&gateway, line, &format!("{origin}{secret}")).await;
            assert!(!head.contains("access-control-"), "{origin}{line}: {head}");
            assert!(head.contains("vary: origin\r\n"), "{origin}{line}: {head}");
        }
    }
    let page = format!("Origin: {PAGE}\r\n");
    for line in ["OPTIONS /api/beacon", "OPTIONS /readyz", "GET /readyz"] {
        let head = request(&gateway, line, &page).await;
        assert!(!head.contains("access-control-"), "{line}: {head}");
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn the_refusal_of_a_page_names_its_origin() {
    let gateway = gateway();
    let headers = "Origin: https://evil.example\r\n";
    let (error, (code, reason)) = refusal(gateway.address(), headers, connect_params("a", &[])).await;
    let message = error["message"].as_str().unwrap();
    assert!(
        message.starts_with("origin not allowed: https://evil.example ("),
        "{message}"
    );
    assert_eq!(code, 1008);
    assert!(
        message.starts_with(reason.trim_end_matches('\u{2026}')),
        "{reason}"
    );
    let long = format!("Origin: https://{}.example\r\n", "x".repeat(1_000));
    let (error, _) = refusal(gateway.address(), &long, connect_params("a", &[])).await;
    assert!(error["message"].as_str().unwrap().len() < 300, "{error}");
    gateway.shutdown().await;
}
