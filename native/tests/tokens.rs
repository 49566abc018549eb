//! Named tokens over real sockets: their rights, their end, and their replacement.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;

use presence_core::model::Role;
use presence_core::server::Permit;
use presence_gateway::{AuthMode, GatewayConfig, NamedToken, Secret, Tokens};
use serde_json::{Value, json};
use support::{Client, TOKEN, config_with, connect_params, offering, raw_http, refusal, start_manual};

const READ: &[&str] = &["operator.read"];

/// Twenty seconds after the start of a manual clock.
const END_MS: u64 = 1_800_000_020_000;

fn token(name: &str, scopes: &[&str], expires_ms: Option<u64>) -> NamedToken {
    let permit = Permit {
        roles: [Role::Operator].into(),
        scopes: scopes.iter().map(|scope| (*scope).into()).collect(),
        hides_addresses: false,
    };
    let secret = Secret::new(&format!("secret of {name}")).unwrap();
    NamedToken::new(name, &secret, permit, expires_ms).unwrap()
}

fn config(tokens: &Tokens) -> GatewayConfig {
    config_with(|config| config.tokens = Some(tokens.clone()))
}

/// A handshake with the secret of this token.
fn with(name: &str, scopes: &[&str]) -> Value {
    let mut params = connect_params(&format!("client of {name}"), scopes);
    params["auth"] = json!({ "token": format!("secret of {name}") });
    params
}

#[tokio::test]
async fn a_token_grants_only_its_scopes() {
    let tokens = Tokens::new(vec![
        token("reader", READ, None),
        token("blind", &["operator.pairing"], None),
    ])
    .unwrap();
    let (gateway, _clock) = start_manual(config(&tokens));
    let address = gateway.address();
    let mut reader = Client::open(address, "").await;
    let hello = reader
        .hello(with("reader", &["operator.admin", "operator.read"]))
        .await;
    assert_eq!(hello["auth"]["scopes"], json!(READ));
    let beacon = json!({ "text": "x", "instanceId": "another", "deviceId": "d" });
    let refused = reader.request("system-event", beacon).await;
    assert_eq!(refused["ok"], false, "{refused}");

    let mut blind = Client::open(address, "").await;
    let hello = blind.hello(with("blind", READ)).await;
    assert_eq!(hello["auth"]["scopes"], json!([]));
    assert_eq!(hello["snapshot"]["presence"], json!([]));
    let refused = blind.request("system-presence", json!({})).await;
    assert_eq!(refused["error"]["message"], "missing scope: operator.read");

    let mut node = with("reader", &[]);
    node["role"] = json!("node");
    let (error, close) = refusal(address, "", node).await;
    assert_eq!(error["message"], "unauthorized role: node");
    assert_eq!(close.0, 1008);

    // The gateway's own secret permits everything, as before.
    let mut owner = Client::open(address, "").await;
    let hello = owner.hello(connect_params("owner", &["operator.admin"])).await;
    assert_eq!(hello["auth"]["scopes"], json!(["operator.admin"]));
    gateway.shutdown().await;
}

#[tokio::test]
async fn plain_http_needs_the_scopes_of_the_methods() {
    let tokens = Tokens::new(vec![
        token("reader", READ, None),
        token("writer", &["operator.write"], None),
        token("blind", &["operator.pairing"], None),
    ])
    .unwrap();
    let (gateway, _clock) = start_manual(config_with(|config| {
        config.tokens = Some(tokens.clone());
        config.metrics = true;
    }));
    let beacon = r#"{"text":"x","instanceId":"job"}"#;
    let cases = [
        ("reader", "GET /metrics", "", "200"),
        ("reader", "GET /api/presence", "", "200"),
        ("reader", "POST /api/beacon", beacon, "403"),
        ("writer", "GET /api/presence", "", "200"),
        ("writer", "POST /api/beacon", beacon, "200"),
        ("blind", "GET /metrics", "", "403"),
        ("blind", "GET /api/presence", "", "403"),
        ("nobody", "GET /api/presence", "", "401"),
    ];
    for (name, target, body, status) in cases {
        let request = format!(
            "{target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret of {name}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let answer = raw_http(gateway.address(), &request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{name} {target}: {answer}"
        );
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_token_ends_in_time_with_its_connections() {
    let tokens = Tokens::new(vec![
        token("short", READ, Some(END_MS)),
        token("long", READ, None),
    ])
    .unwrap();
    let (gateway, clock) = start_manual(config(&tokens));
    let address = gateway.address();
    let mut short = Client::open(address, "").await;
    short.hello(with("short", READ)).await;
    let mut long = Client::open(address, "").await;
    long.hello(with("long", READ)).await;
    for _ in 0..2 {
        assert_eq!(short.request("system-presence", json!({})).await["ok"], true);
        clock.advance(10_000);
    }
    assert_eq!(short.closed().await, (1008, "token expired".to_owned()));
    assert_eq!(long.request("system-presence", json!({})).await["ok"], true);
    // It does not count as a wrong secret: the eleventh is refused for the same reason.
    for _ in 0..11 {
        let (error, _) = refusal(address, "", with("short", READ)).await;
        assert_eq!(
            error["message"],
            "unauthorized: gateway token expired (ask for a new one)"
        );
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_new_set_closes_the_connections_that_it_does_not_permit() {
    let write: &[&str] = &["operator.write"];
    let tokens = Tokens::new(vec![
        token("gone", READ, None),
        token("less", write, None),
        token("more", READ, None),
    ])
    .unwrap();
    let (gateway, _clock) = start_manual(config(&tokens));
    let mut clients = Vec::new();
    for name in ["gone", "less", "more"] {
        let mut client = Client::open(gateway.address(), "").await;
        client.hello(with(name, READ)).await;
        clients.push(client);
    }
    let mut owner = Client::open(gateway.address(), "").await;
    owner.hello(connect_params("owner", READ)).await;

    let next = vec![token("less", READ, None), token("more", write, None)];
    assert_eq!(tokens.replace(next), Ok(2));
    let [mut gone, mut less, mut more] = <[Client; 3]>::try_from(clients).ok().unwrap();
    assert_eq!(gone.closed().await, (1008, "token revoked".to_owned()));
    assert_eq!(less.closed().await, (1008, "token revoked".to_owned()));
    for stays in [&mut more, &mut owner] {
        assert_eq!(stays.request("system-presence", json!({})).await["ok"], true);
    }
    // It reconnects with the remaining rights.
    let mut less = Client::open(gateway.address(), "").await;
    less.hello(with("less", READ)).await;
    let (error, _) = refusal(gateway.address(), "", with("gone", READ)).await;
    assert_eq!(error["details"]["code"], "AUTH_TOKEN_MISMATCH");
    gateway.shutdown().await;
}

#[tokio::test]
async fn tokens_work_with_a_password_and_while_others_guess() {
    let tokens = Tokens::new(vec![token("reader", READ, None)]).unwrap();
    let (gateway, _clock) = start_manual(config_with(|config| {
        config.auth = AuthMode::Password(Secret::new(TOKEN).unwrap());
        config.tokens = Some(tokens.clone());
    }));
    for n in 0..9 {
        let (error, _) = refusal(gateway.address(), "", offering(&format!("wrong {n}"))).await;
        assert_eq!(error["details"]["code"], "AUTH_PASSWORD_MISMATCH");
    }
    for _ in 0..20 {
        let mut reader = Client::open(gateway.address(), "").await;
        reader.hello(with("reader", READ)).await;
    }
    // The table of leases holds open connections only.
    let shared = Arc::new(tokens);
    gateway.settle().await;
    gateway.shutdown().await;
    assert!(!format!("{shared:?}").contains("secret of"));
}

#[tokio::test]
async fn metrics_count_the_connections_of_each_token_by_its_name() {
    let tokens = Tokens::new(vec![token("reader", READ, None), token("idle", READ, None)]).unwrap();
    let mut config = config(&tokens);
    config.metrics_bind = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    let (gateway, _clock) = start_manual(config);
    let scrapes = gateway.metrics_address().unwrap();
    let counts = async || {
        let answer = raw_http(scrapes, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert!(!answer.contains("secret"), "{answer}");
        let lines = answer
            .lines()
            .filter_map(|line| line.strip_prefix("presence_token_connections{token="));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(counts().await, ["\"reader\"} 0", "\"idle\"} 0"]);
    let mut clients = Vec::new();
    for _ in 0..2 {
        let mut client = Client::open(gateway.address(), "").await;
        client.hello(with("reader", READ)).await;
        clients.push(client);
    }
    let (_own, _) = Client::connect(gateway.address(), "a", READ).await;
    assert_eq!(counts().await, ["\"reader\"} 2", "\"idle\"} 0"]);
    // The names are those of the set in use.
    let renamed = NamedToken::new(
        "screen",
        &Secret::new("secret of reader").unwrap(),
        Permit {
            roles: [Role::Operator].into(),
            scopes: [Box::from("operator.read")].into(),
            hides_addresses: false,
        },
        None,
    );
    tokens.replace(vec![renamed.unwrap()]).unwrap();
    assert_eq!(counts().await, ["\"screen\"} 2"]);
    drop(clients);
    support::within("the end", async { while counts().await != ["\"screen\"} 0"] {} }).await;
    gateway.shutdown().await;
}
