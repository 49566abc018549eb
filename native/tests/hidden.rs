//! Tokens from which addresses are hidden, over real sockets.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::net::SocketAddr;

use presence_core::model::Role;
use presence_core::server::Permit;
use presence_gateway::{NamedToken, RunningGateway, Secret, Tokens};
use serde_json::{Value, json};
use support::{Client, TOKEN, config_with, connect_params, raw_http, start, within};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The prefix of every address of these tests.
const NET: &str = "10.20.30.";
/// An `ip` that is no address, and is the key of a row.
const NAMED_IP: &str = "lan-7";
const SCOPES: &[&str] = &["operator.write", "operator.read", "operator.pairing"];

fn token(name: &str, hides_addresses: bool) -> NamedToken {
    let permit = Permit {
        roles: [Role::Operator].into(),
        scopes: ["operator.write".into(), "operator.pairing".into()].into(),
        hides_addresses,
    };
    NamedToken::new(name, &Secret::new(name).unwrap(), permit, None).unwrap()
}

/// A gateway with the tokens `hidden` and `shown`, and with rows that have addresses.
async fn gateway(history: Option<&std::path::Path>) -> (RunningGateway, Tokens) {
    let tokens = Tokens::new(vec![token("hidden", true), token("shown", false)]).unwrap();
    let gateway = start(config_with(|config| {
        config.tokens = Some(tokens.clone());
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        #[cfg(feature = "history")]
        if let Some(path) = history {
            config.history = Some(presence_gateway::HistoryConfig {
                path: path.to_owned(),
                max_age_ms: presence_gateway::DEFAULT_AGE_MS,
                max_bytes: presence_gateway::DEFAULT_BYTES,
            });
        }
        #[cfg(not(feature = "history"))]
        let _ = history;
    }));
    let answer = beacon(gateway.address(), TOKEN, "10.20.30.7").await;
    assert!(answer.ends_with(r#"{"ok":true}"#), "{answer}");
    let text = format!(
        "Node: unknown ({NAMED_IP}) \u{b7} app 1 \u{b7} last input 5s ago \u{b7} mode ui \u{b7} reason launch"
    );
    let body = json!({ "text": text }).to_string();
    let more = format!("Content-Length: {}\r\n\r\n{body}", body.len());
    let answer = http(gateway.address(), TOKEN, "POST /api/beacon", &more).await;
    assert!(answer.ends_with(r#"{"ok":true}"#), "{answer}");
    (gateway, tokens)
}

async fn http(address: SocketAddr, secret: &str, target: &str, more: &str) -> String {
    let request = format!(
        "{target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {secret}\r\nConnection: close\r\n{more}"
    );
    raw_http(address, &request).await
}

async fn beacon(address: SocketAddr, secret: &str, id: &str) -> String {
    let text =
        "Node: nas (10.20.30.8) \u{b7} app 1 \u{b7} last input 5s ago \u{b7} mode ui \u{b7} reason launch";
    let body =
        json!({ "text": text, "instanceId": id, "ip": "10.20.30.9", "host": "10.20.30.10" }).to_string();
    let more = format!("Content-Length: {}\r\n\r\n{body}", body.len());
    http(address, secret, "POST /api/beacon", &more).await
}

fn with(secret: &str, caps: &[&str]) -> Value {
    let mut params = connect_params(&format!("client of {secret}"), SCOPES);
    params["auth"] = json!({ "token": secret });
    params["caps"] = json!(caps);
    params
}

fn assert_hidden(value: &Value) {
    for hidden in [NET, NAMED_IP] {
        assert!(!value.to_string().contains(hidden), "{value}");
    }
}

#[tokio::test]
async fn a_websocket_is_sent_no_address() {
    let folder = tempfile::tempdir().unwrap();
    let (gateway, _) = gateway(Some(&folder.path().join("history.db"))).await;
    let address = gateway.address();
    let proxied = "X-Forwarded-For: 10.20.30.11\r\n";
    let mut node = Client::open(address, proxied).await;
    let mut params = connect_params("pi", &[]);
    params["role"] = json!("node");
    node.hello(params).await;

    let mut hidden = Client::open(address, proxied).await;
    let hello = hidden.hello(with("hidden", &["presence-delta"])).await;
    assert_hidden(&hello);
    let keys = hello["snapshot"]["keys"].as_array().unwrap();
    let key = keys
        .iter()
        .find(|key| key.as_str().unwrap().starts_with("HIDDEN:"));
    let key = key.unwrap_or_else(|| panic!("{keys:?}")).clone();
    let mut shown = Client::open(address, "").await;
    let hello = shown.hello(with("shown", &[])).await;
    assert!(hello.to_string().contains("10.20.30.9") && hello.to_string().contains("10.20.30.11"));

    beacon(address, TOKEN, "10.20.30.12").await;
    let delta = hidden.event_named("presence.delta").await;
    assert_hidden(&delta);
    for (method, params) in [
        ("system-presence", json!({})),
        ("presence.snapshot", json!({})),
        ("presence.explain", json!({})),
        ("presence.explain", json!({ "row": key })),
        ("node.list", json!({})),
        ("node.pair.list", json!({})),
        ("node.describe", json!({ "nodeId": "pi" })),
        ("status", json!({})),
    ] {
        let answer = hidden.request(method, params).await;
        assert_eq!(answer["ok"], true, "{method}: {answer}");
        assert_hidden(&answer);
    }
    let unknown = hidden
        .request("presence.explain", json!({ "row": "10.20.30.7" }))
        .await;
    assert_eq!(unknown["ok"], false, "{unknown}");
    let unknown = hidden
        .request("presence.explain", json!({ "row": NAMED_IP }))
        .await;
    assert_eq!(unknown["ok"], false, "{unknown}");
    #[cfg(feature = "history")]
    past(&mut hidden, &mut shown).await;
    gateway.shutdown().await;
}

/// The history, once it is written.
#[cfg(feature = "history")]
async fn past(hidden: &mut Client, shown: &mut Client) {
    within("the history", async {
        loop {
            let page = shown.request("presence.history", json!({})).await;
            let page = page.to_string();
            if page.contains(NET) && page.contains(NAMED_IP) {
                break;
            }
        }
    })
    .await;
    let page = hidden.request("presence.history", json!({})).await;
    assert!(page.to_string().contains("HIDDEN:"), "{page}");
    assert_hidden(&page);
    let guess = json!({ "instance": "10.20.30.7" });
    assert_eq!(shown.request("presence.history", guess.clone()).await["ok"], true);
    let refused = hidden.request("presence.history", guess).await;
    assert_eq!(refused["ok"], false, "{refused}");
    assert_hidden(&refused);
    // A key that comes from the `ip` does not find the row for a client from which addresses are hidden.
    for (client, found) in [(shown, 1), (hidden, 0)] {
        let page = client
            .request("presence.history", json!({ "instance": NAMED_IP }))
            .await;
        assert_eq!(
            page["payload"]["sessions"].as_array().unwrap().len(),
            found,
            "{page}"
        );
    }
}

#[tokio::test]
async fn plain_http_is_answered_without_addresses() {
    let (gateway, _) = gateway(None).await;
    let address = gateway.address();
    let shown = http(address, "shown", "GET /api/presence", "\r\n").await;
    assert!(shown.contains(NET), "{shown}");
    let hidden = http(address, "hidden", "GET /api/presence", "\r\n").await;
    assert!(hidden.contains("HIDDEN:") && !hidden.contains(NET), "{hidden}");
    let tag = |answer: &str| {
        let line = answer
            .lines()
            .find(|line| line.to_lowercase().starts_with("etag:"));
        line.unwrap().split_once(':').unwrap().1.trim().to_owned()
    };
    assert!(tag(&hidden).ends_with("-hidden\""), "{hidden}");
    for (of, status) in [(&shown, "200"), (&hidden, "304")] {
        let more = format!("If-None-Match: {}\r\n\r\n", tag(of));
        let again = http(address, "hidden", "GET /api/presence", &more).await;
        assert!(again.starts_with(&format!("HTTP/1.1 {status}")), "{again}");
    }

    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        "GET /api/presence/stream HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer hidden\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    for event in ["presence.snapshot", "presence.delta"] {
        within(event, async {
            while !text.contains(event) || !text.ends_with("\n\n") {
                let mut bytes = [0; 4096];
                let len = stream.read(&mut bytes).await.unwrap();
                assert!(len > 0, "{text}");
                text += std::str::from_utf8(&bytes[..len]).unwrap();
            }
        })
        .await;
        beacon(address, "hidden", "10.20.30.13").await;
    }
    assert!(text.contains("HIDDEN:") && !text.contains(NET), "{text}");
    gateway.shutdown().await;
}

#[tokio::test]
async fn hiding_addresses_for_a_token_closes_its_connections() {
    let (gateway, tokens) = gateway(None).await;
    let mut hidden = Client::open(gateway.address(), "").await;
    hidden.hello(with("hidden", &[])).await;
    let mut shown = Client::open(gateway.address(), "").await;
    shown.hello(with("shown", &[])).await;
    assert_eq!(
        tokens.replace(vec![token("hidden", false), token("shown", true)]),
        Ok(1)
    );
    assert_eq!(shown.closed().await, (1008, "token revoked".to_owned()));
    // Its connection stays, and gets addresses after a reconnect.
    assert_hidden(&hidden.request("system-presence", json!({})).await);
    let mut again = Client::open(gateway.address(), "").await;
    assert!(again.hello(with("hidden", &[])).await.to_string().contains(NET));
    let mut shown = Client::open(gateway.address(), "").await;
    assert_hidden(&shown.hello(with("shown", &[])).await);
    gateway.shutdown().await;
}
