//! `/metrics` over sockets: counts match the clients, and no text of a client becomes a label.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use presence_core::model::Role;
use presence_core::server::Permit;
use presence_gateway::{AuthMode, NamedToken, RunningGateway, Secret, Tokens};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[cfg(unix)]
use support::process::{Process, line_with};
use support::{Client, TOKEN, config, config_with, connect_params, raw_http, refusal, start};

const READ: &[&str] = &["operator.read"];

fn metered() -> RunningGateway {
    start(config_with(|config| {
        config.metrics_bind = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    }))
}

async fn get(address: SocketAddr, headers: &str) -> (String, String) {
    let request = format!("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    let answer = raw_http(address, &request).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn value(text: &str, series: &str) -> f64 {
    let mut lines = text.lines();
    let line = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let line = line.unwrap_or_else(|| panic!("no {series} in\n{text}"));
    line.parse().unwrap()
}

/// Scrapes until a series has a value. Values of the hub are computed at most once a second.
async fn until(gateway: &RunningGateway, series: &str, wanted: f64) -> String {
    until_at(gateway.metrics_address().unwrap(), series, wanted).await
}

async fn until_at(address: SocketAddr, series: &str, wanted: f64) -> String {
    let mut text = String::new();
    for _ in 0..200 {
        text = get(address, "").await.1;
        if (value(&text, series) - wanted).abs() < f64::EPSILON {
            return text;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{series} is not {wanted} in\n{text}");
}

#[tokio::test]
async fn off_by_default() {
    let gateway = start(config());
    assert_eq!(gateway.metrics_address(), None);
    assert!(get(gateway.address(), "").await.0.starts_with("HTTP/1.1 404 "));
    gateway.shutdown().await;
}

#[tokio::test]
async fn metrics_on_the_gateways_port_need_the_secret() {
    let gateway = start(config_with(|config| {
        config.metrics = true;
        config.auth = AuthMode::Token(Secret::new(TOKEN).unwrap());
    }));
    let (head, body) = get(gateway.address(), "").await;
    assert!(
        head.starts_with("HTTP/1.1 401 ") && head.contains("www-authenticate: Bearer"),
        "{head}"
    );
    assert!(body.contains("AUTH_TOKEN_MISSING"), "{body}");
    let (head, body) = get(gateway.address(), "Authorization: Bearer wrong\r\n").await;
    assert!(
        head.starts_with("HTTP/1.1 401 ") && body.contains("AUTH_TOKEN_MISMATCH"),
        "{head} {body}"
    );
    let right = format!("Authorization: Bearer {TOKEN}\r\n");
    let (head, body) = get(
        gateway.address(),
        &format!("{right}Origin: https://evil.example\r\n"),
    )
    .await;
    assert!(head.starts_with("HTTP/1.1 403 "), "{head} {body}");

    let (head, body) = get(gateway.address(), &right).await;
    assert!(
        head.contains("content-type: application/openmetrics-text; version=1.0.0"),
        "{head}"
    );
    assert!(body.ends_with("# EOF\n"), "{body}");
    assert!(
        body.contains("# TYPE presence_joins counter\npresence_joins_total 0\n"),
        "{body}"
    );
    assert!((value(&body, r#"presence_refusals_total{code="HTTP_401"}"#) - 2.0).abs() < f64::EPSILON);
    let (head, body) = get(gateway.address(), &format!("{right}Accept: text/plain\r\n")).await;
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    assert!(
        body.contains("# TYPE presence_joins_total counter\npresence_joins_total 0\n"),
        "{body}"
    );
    assert!(!body.contains("# EOF") && !body.contains("# UNIT"), "{body}");
    gateway.shutdown().await;
}

#[tokio::test]
async fn wrong_secrets_for_metrics_are_throttled() {
    let gateway = start(config_with(|config| {
        config.metrics = true;
        config.auth = AuthMode::Token(Secret::new(TOKEN).unwrap());
    }));
    for n in 0..10 {
        let head = get(gateway.address(), &format!("Authorization: Bearer guess{n}\r\n"))
            .await
            .0;
        assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
    }
    let (head, body) = get(gateway.address(), &format!("Authorization: Bearer {TOKEN}\r\n")).await;
    assert!(
        head.starts_with("HTTP/1.1 429 ") && head.contains("retry-after: "),
        "{head} {body}"
    );
    gateway.shutdown().await;
}

#[tokio::test]
async fn counts_follow_clients_that_join_report_are_refused_and_leave() {
    let gateway = metered();
    let (mut client, _) = Client::connect(gateway.address(), "a", &["operator.read", "operator.write"]).await;
    let answer = client
        .request("system-event", json!({ "text": "Node: pi", "instanceId": "pi" }))
        .await;
    assert_eq!(answer["ok"], true, "{answer}");
    client.event_named("presence").await;
    let text = until(&gateway, r#"presence_rows{status="active"}"#, 3.0).await;
    for (series, wanted) in [
        (
            r#"presence_connections{role="operator",mode="ui",protocol="4"}"#,
            1.0,
        ),
        (
            r#"presence_connections{role="node",mode="node",protocol="3"}"#,
            0.0,
        ),
        ("presence_joins_total", 1.0),
        (r#"presence_beacons_total{result="ok"}"#, 1.0),
        ("presence_handshake_duration_seconds_count", 1.0),
        ("presence_max_overstay_seconds", 0.0),
    ] {
        assert!(
            (value(&text, series) - wanted).abs() < f64::EPSILON,
            "{series} is not {wanted} in\n{text}"
        );
    }
    for series in [
        "presence_changes_total",
        r#"presence_broadcasts_total{kind="list"}"#,
        r#"presence_sent_frames_total{kind="broadcast"}"#,
        "presence_sent_bytes_total",
        "presence_received_bytes_total",
        "presence_sent_frame_size_bytes_count",
        "presence_fanout_duration_seconds_count",
        "presence_sockets",
    ] {
        assert!(value(&text, series) >= 1.0, "{series} is 0 in\n{text}");
    }

    let mut params = connect_params("b", READ);
    params["minProtocol"] = 9.into();
    params["maxProtocol"] = 9.into();
    refusal(gateway.address(), "", params).await;
    until(
        &gateway,
        r#"presence_refusals_total{code="PROTOCOL_MISMATCH"}"#,
        1.0,
    )
    .await;

    drop(client);
    let text = until(&gateway, r#"presence_leaves_total{reason="client"}"#, 1.0).await;
    // Prometheus computes quantiles of histograms with an infinite bucket only.
    let last = r#"presence_handshake_duration_seconds_bucket{le="+Inf"}"#;
    assert!(value(&text, last) > 0.0, "{text}");
    let series = r#"presence_connections{role="operator",mode="ui",protocol="4"}"#;
    assert!(value(&text, series).abs() < f64::EPSILON, "{text}");
    until(&gateway, r#"presence_rows{status="left"}"#, 1.0).await;
    gateway.shutdown().await;
}

#[tokio::test]
async fn nothing_that_a_client_states_is_a_label() {
    let gateway = metered();
    let before: Vec<String> = names(&get(gateway.metrics_address().unwrap(), "").await.1);
    let hostile = "evil\"} 1\npresence_joins_total 99\n#";
    let mut params = connect_params(hostile, READ);
    for member in ["id", "mode", "version", "platform", "displayName"] {
        params["client"][member] = hostile.into();
    }
    let headers = "User-Agent: evil\"} 1\r\nX-Forwarded-For: evil\r\n";
    let mut client = Client::open(gateway.address(), headers).await;
    client.hello(params.clone()).await;
    params["role"] = "evil".into();
    refusal(gateway.address(), headers, params).await;
    let request = "evil\"}=1 /evil HTTP/1.1\r\nHost: evil\r\n\r\n";
    raw_http(gateway.address(), request).await;
    let text = until(&gateway, "presence_joins_total", 1.0).await;
    assert_eq!(names(&text), before);
    assert!(!text.contains("evil"), "{text}");
    let series = r#"presence_connections{role="operator",mode="other",protocol="4"}"#;
    assert!((value(&text, series) - 1.0).abs() < f64::EPSILON, "{text}");
    gateway.shutdown().await;
}

/// The names of all series with their labels.
fn names(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap().0.to_owned())
        .collect()
}

#[tokio::test]
async fn the_port_of_metrics_answers_nothing_else() {
    let gateway = metered();
    let address = gateway.metrics_address().unwrap();
    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "404"),
        ("POST /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "405"),
        ("GET /metrics\r\n\r\n", "400"),
        (
            "GET /metrics HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
            "400",
        ),
        ("GET /metrics?x=1 HTTP/1.1\r\nHost: any.example\r\n\r\n", "200"),
    ] {
        let answer = raw_http(address, request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request}: {answer}"
        );
        assert_eq!(answer.contains("\r\nallow: GET\r\n"), status == "405", "{answer}");
    }
    assert!(get(gateway.address(), "").await.0.starts_with("HTTP/1.1 404 "));
    gateway.shutdown().await;
}

#[tokio::test]
async fn sockets_that_send_nothing_do_not_keep_a_scrape_out() {
    let gateway = metered();
    let address = gateway.metrics_address().unwrap();
    let mut silent = Vec::new();
    for _ in 0..16 {
        silent.push(tokio::net::TcpStream::connect(address).await.unwrap());
    }
    let text = get(address, "").await.1;
    assert!(text.ends_with("# EOF\n"), "{text}");
    // The oldest one was closed for it; the newest is still served.
    assert_eq!(silent[0].read(&mut [0; 16]).await.unwrap_or_default(), 0);
    let newest = silent.last_mut().unwrap();
    let request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    newest.write_all(request).await.unwrap();
    let mut answer = String::new();
    newest.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    gateway.shutdown().await;
}

#[tokio::test]
async fn the_first_scrape_after_a_pause_has_the_values_of_now() {
    let gateway = metered();
    let (_client, _) = Client::connect(gateway.address(), "studio", READ).await;
    // The gateway's own row and that of the client.
    let text = get(gateway.metrics_address().unwrap(), "").await.1;
    assert!(
        (value(&text, r#"presence_rows{status="active"}"#) - 2.0).abs() < f64::EPSILON,
        "{text}"
    );
    gateway.shutdown().await;
}

#[tokio::test]
async fn the_end_of_a_named_token_is_a_reason_of_its_own() {
    let named = |secret: &str| {
        let permit = Permit {
            roles: [Role::Operator].into(),
            scopes: ["operator.read".into()].into(),
            hides_addresses: false,
        };
        NamedToken::new("reader", &Secret::new(secret).unwrap(), permit, None).unwrap()
    };
    let tokens = Tokens::new(vec![named("for reading")]).unwrap();
    let gateway = start(config_with(|config| {
        config.metrics_bind = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        config.auth = AuthMode::Token(Secret::new(TOKEN).unwrap());
        config.tokens = Some(tokens.clone());
    }));
    let mut params = connect_params("studio", READ);
    params["auth"] = json!({ "token": "for reading" });
    let mut client = Client::open(gateway.address(), "").await;
    client.hello(params).await;
    assert_eq!(tokens.replace(vec![named("another")]), Ok(1));
    assert_eq!(client.closed().await, (1008, "token revoked".to_owned()));
    let text = until(&gateway, r#"presence_leaves_total{reason="token"}"#, 1.0).await;
    assert!(value(&text, r#"presence_leaves_total{reason="protocol"}"#).abs() < f64::EPSILON);
    gateway.shutdown().await;
}

#[tokio::test]
async fn scrapes_go_on_while_clients_come_and_go() {
    let gateway = metered();
    let address = gateway.address();
    let churn: Vec<_> = (0..8)
        .map(|n| {
            tokio::spawn(async move {
                for round in 0..25 {
                    drop(Client::connect(address, &format!("{n}-{round}"), READ).await);
                }
            })
        })
        .collect();
    for _ in 0..20 {
        let (head, text) = get(gateway.metrics_address().unwrap(), "").await;
        assert!(
            head.starts_with("HTTP/1.1 200 ") && text.ends_with("# EOF\n"),
            "{head}"
        );
    }
    for task in churn {
        task.await.unwrap();
    }
    let text = until(&gateway, r#"presence_leaves_total{reason="client"}"#, 200.0).await;
    assert!((value(&text, "presence_joins_total") - 200.0).abs() < f64::EPSILON);
    let open: f64 = text
        .lines()
        .filter(|line| line.starts_with("presence_connections{"))
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
        .sum();
    assert!(open.abs() < f64::EPSILON, "{text}");
    gateway.shutdown().await;
}

#[cfg(unix)]
#[tokio::test]
async fn the_program_answers_scrapes_inside_its_sandbox() {
    let options = ["--port", "0", "--metrics", "--metrics-bind", "127.0.0.1:0"];
    let (gateway, mut log) = Process::start_logging(&options).await;
    let line = line_with(&mut log, "metrics are answered").await;
    let address = line
        .split("address=")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap();
    let series = r#"presence_rows{status="active"}"#;
    until_at(address.parse().unwrap(), series, 1.0).await;
    let (head, _) = get(gateway.address, &format!("Authorization: Bearer {TOKEN}\r\n")).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
}
