//! Admission of clients, over real sockets.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use presence_gateway::bounds::{BURST, MAX_BUCKETS};
use serde_json::json;
use support::{Client, TOKEN, config, config_with, connect_params, offering, refusal, start_manual};

const READ: &[&str] = &["operator.read"];

/// Eleven wrong secrets from one place, then the right one, which is accepted within three seconds.
async fn an_old_secret_does_not_keep_the_new_one_out(guesser: &str, sharer: &str, hint: &str) {
    let (gateway, clock) = start_manual(config());
    for n in 0..10 {
        let (error, close) = refusal(gateway.address(), guesser, offering(&format!("old-{n}"))).await;
        assert_eq!(error["details"]["code"], "AUTH_TOKEN_MISMATCH");
        assert_eq!(close.0, 1008);
    }
    for params in [offering("old-10"), offering(TOKEN)] {
        let (error, close) = refusal(gateway.address(), sharer, params).await;
        assert_eq!(
            (&error["code"], &error["retryable"], &error["retryAfterMs"]),
            (&json!("UNAVAILABLE"), &json!(true), &json!(3_000))
        );
        assert_eq!(error.get("details"), None);
        assert!(error["message"].as_str().unwrap().contains(hint), "{error}");
        assert_eq!(close.0, 1013);
        assert!(
            close.1.starts_with("unauthorized: too many failed"),
            "{}",
            close.1
        );
    }
    clock.advance(3_000);
    let mut client = Client::open(gateway.address(), sharer).await;
    client.hello(connect_params("a", READ)).await;
    gateway.shutdown().await;
}

#[tokio::test]
async fn an_old_page_does_not_block_the_new_one() {
    an_old_secret_does_not_keep_the_new_one_out(
        "Origin: http://g1.localhost\r\n",
        "Origin: http://127.0.0.1:5173\r\n",
        "from this address",
    )
    .await;
}

#[tokio::test]
async fn clients_behind_an_untrusted_proxy_are_throttled_with_the_reason() {
    an_old_secret_does_not_keep_the_new_one_out(
        "X-Forwarded-For: 203.0.113.7\r\n",
        "X-Forwarded-For: 203.0.113.8\r\n",
        "`trusted-proxy`",
    )
    .await;
}

#[tokio::test]
async fn programs_of_this_machine_wait_no_longer() {
    an_old_secret_does_not_keep_the_new_one_out("", "", "from this address").await;
}

#[tokio::test]
async fn one_repeated_stale_secret_affects_nobody() {
    let (gateway, _clock) = start_manual(config());
    let page = "Origin: http://127.0.0.1:5173\r\n";
    for _ in 0..50 {
        let (error, _) = refusal(gateway.address(), page, offering("old")).await;
        assert_eq!(error["details"]["code"], "AUTH_TOKEN_MISMATCH");
    }
    let mut client = Client::open(gateway.address(), page).await;
    client.hello(connect_params("a", READ)).await;
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_flood_of_addresses_resets_no_bucket_and_shares_one() {
    let (gateway, _clock) = start_manual(config_with(|config| {
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    }));
    let address = gateway.address();
    let from = |n: usize| format!("X-Forwarded-For: 10.{}.{}.{}\r\n", n >> 16, n >> 8 & 255, n & 255);
    let guess = async |n: usize, token: String| {
        let mut client = Client::open(address, &from(n)).await;
        client.event().await;
        client.request("connect", offering(&token)).await["error"].take()
    };
    for n in 0..BURST as usize {
        guess(0, format!("guess-{n}")).await;
    }
    for n in 1..MAX_BUCKETS {
        assert_eq!(
            guess(n, "x".to_owned()).await["details"]["code"],
            "AUTH_TOKEN_MISMATCH"
        );
    }
    for n in 0..BURST as usize {
        let error = guess(MAX_BUCKETS + n, format!("y-{n}")).await;
        assert_eq!(error["details"]["code"], "AUTH_TOKEN_MISMATCH");
    }
    // The shared bucket and that of the first address are empty; the others are unchanged.
    assert_eq!(
        guess(MAX_BUCKETS + 100, "z".to_owned()).await["code"],
        "UNAVAILABLE"
    );
    assert_eq!(guess(0, TOKEN.to_owned()).await["code"], "UNAVAILABLE");
    let mut client = Client::open(address, &from(1)).await;
    client.hello(connect_params("a", READ)).await;
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_secret_where_none_is_read_is_named() {
    let (gateway, _clock) = start_manual(config());
    let mut params = connect_params("a", READ);
    params.as_object_mut().unwrap().remove("auth");
    let header = "Authorization: Bearer example-token\r\n";
    let (error, _) = refusal(gateway.address(), header, params.clone()).await;
    assert_eq!(error["details"]["code"], "AUTH_TOKEN_MISSING");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("Authorization header was not read"), "{message}");
    assert!(message.contains("auth.token"), "{message}");

    let mut client = Client::open_at(gateway.address(), "/?token=example-token", "").await;
    client.event().await;
    let response = client.request("connect", params).await;
    let message = response["error"]["message"].as_str().unwrap();
    assert!(message.contains("URL's query was not read"), "{message}");
    gateway.shutdown().await;
}
