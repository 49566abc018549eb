//! Attacks of one step, each repeated on many connections. Each ends with a normal client.

use std::process::Stdio;
use std::time::Instant;

use presence_gateway::bounds::BURST;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::support::process::Process;
use super::support::slow::unread_answers;
use super::support::witness::{LEFT_KB, Witness};
use super::support::{Client, connect_params, offering, raw_http, refusal, row, within};
use super::support_device::signed;
use super::{CONNECTIONS, READ};

/// Upgrades to WebSocket, without the empty line.
const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}

/// Sends these requests over and over, each on its own connection. Each has to be refused with its status and words.
async fn are_refused(witness: &mut Witness, requests: &[(String, u16, &str)]) {
    for (request, status, words) in requests.iter().cycle().take(CONNECTIONS) {
        let answer = raw_http(witness.address(), request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains(words),
            "{request:?}: {answer}"
        );
        for secret in ["s3cret", "\"live\"", "hello-ok"] {
            assert!(!answer.contains(secret), "{request:?}: {answer}");
        }
    }
    witness.is_unharmed(&[], LEFT_KB).await;
}

#[tokio::test]
async fn paths_that_leave_the_web_root_are_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page");
    std::fs::create_dir(&page).unwrap();
    std::fs::write(page.join("index.html"), "<!doctype html>").unwrap();
    std::fs::write(folder.path().join("secret"), "s3cret").unwrap();
    let mut witness = Witness::start(&["--web-root", page.to_str().unwrap()]).await;
    let found = raw_http(witness.address(), &get("/")).await;
    assert!(found.starts_with("HTTP/1.1 200 "), "{found}");
    let paths = [
        "/../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "/..%5csecret",
        "/%252e%252e/secret",
        "//secret",
        "/./../secret",
        "/index.html%00",
        "/../../../../etc/passwd",
    ];
    are_refused(&mut witness, &paths.map(|path| (get(path), 404, ""))).await;
}

#[tokio::test]
async fn without_a_secret_a_foreign_host_is_refused() {
    let mut witness = Witness::start(&["--auth", "none"]).await;
    let foreign = |request: &str| request.replace("localhost", "rebound.example.org");
    for _ in 0..10 {
        let mut page = Client::open_with_host(witness.address(), "rebound.example.org", "").await;
        page.event().await;
        let answer = page.request("connect", connect_params("guest", READ)).await;
        let code = &answer["error"]["details"]["code"];
        assert_eq!(code, "CONTROL_UI_ORIGIN_NOT_ALLOWED", "{answer}");
    }
    let words = "origin not allowed";
    let requests = [
        (foreign(&get("/")), 403, words),
        (foreign(&get("/healthz")), 403, words),
        (foreign(&get("/readyz")), 403, words),
        (get("http://rebound.example.org/healthz"), 403, words),
        (
            get("/healthz")
                .replace("Host: localhost\r\n", "")
                .replace("1.1", "1.0"),
            403,
            words,
        ),
    ];
    are_refused(&mut witness, &requests).await;
}

#[tokio::test]
async fn heads_that_deviate_from_the_rfcs_are_refused() {
    let mut witness = Witness::start(&[]).await;
    let (plain, upgrade) = (get("/healthz"), format!("{UPGRADE}\r\n"));
    let requests = [
        (plain.replace("Host: localhost\r\n", ""), 400, "no Host"),
        (plain.replace("Host", "Host: a\r\nHost"), 400, "two Host"),
        (plain.replace("\r\n", "\n"), 400, "CR LF"),
        (upgrade.replace("Host: localhost\r\n", ""), 400, "no Host"),
        (upgrade.replace("Host", "Host: a\r\nHost"), 400, "two Host"),
        (upgrade.replace("\r\n", "\n"), 400, "CR LF"),
        (upgrade.replace("dGhl", "!!!!"), 400, "base64"),
    ];
    are_refused(&mut witness, &requests).await;
}

/// The code of the answer to `connect`, on a new connection.
async fn code(witness: &Witness, headers: &str, params: Value) -> Value {
    let (mut error, _) = refusal(witness.address(), headers, params).await;
    match error["details"]["code"].take() {
        Value::Null => error["code"].take(),
        code => code,
    }
}

#[tokio::test]
async fn pages_and_proxies_guess_few_secrets_and_gain_nothing_by_their_headers() {
    let options = ["--trusted-proxy", "192.0.2.1/32", "--user-header", "x-user"];
    let mut witness = Witness::start(&options).await;
    let evil = "Origin: https://evil.example.org\r\n";
    let of_proxy = "X-Forwarded-For: 192.0.2.7\r\nX-User: ana\r\n";
    for _ in 0..CONNECTIONS / 3 {
        let refused = code(&witness, evil, connect_params("guest", READ)).await;
        assert_eq!(refused, "CONTROL_UI_ORIGIN_NOT_ALLOWED");
        let mut client = Client::open(witness.address(), of_proxy).await;
        let hello = client.hello(connect_params("guest", READ)).await;
        let own = row(&hello["snapshot"]["presence"], "guest");
        assert!(own.get("ip").is_none() && own.get("user").is_none(), "{own}");
    }
    // A page changes its origin, and a program behind the proxy closes without waiting.
    let (begun, mut compared) = (Instant::now(), 0);
    for n in 0..CONNECTIONS as u64 {
        let page = format!("Origin: http://g{n}.localhost\r\n");
        match code(&witness, &page, offering(&format!("guess-{n}")))
            .await
            .as_str()
        {
            Some("AUTH_TOKEN_MISMATCH") => compared += 1,
            other => assert_eq!(other, Some("UNAVAILABLE")),
        }
        if n % 4 == 0 {
            // A success between guesses does not allow more of them.
            let mut right = Client::open(witness.address(), &page).await;
            right.event().await;
            right.request("connect", connect_params("guest", READ)).await;
        }
        let mut hasty = Client::open(witness.address(), of_proxy).await;
        hasty
            .send_request("connect", offering(&format!("hasty-{n}")))
            .await;
    }
    let most = BURST + begun.elapsed().as_secs() + 1;
    assert!((BURST..=most).contains(&compared), "{compared} guesses");
    let proxied = code(&witness, of_proxy, connect_params("guest", READ)).await;
    assert_eq!(proxied, "UNAVAILABLE");
    witness.is_unharmed(&["guest"], LEFT_KB).await;
}

#[tokio::test]
async fn a_device_is_neither_claimed_nor_replayed() {
    let mut witness = Witness::start(&[]).await;
    let address = witness.address();
    // Before the device connects, a client claims its id.
    let mut challenged = Client::open(address, "").await;
    let challenge = challenged.event().await;
    let mut proof = signed("guest-device", &challenge, 0);
    proof["client"].as_object_mut().unwrap().remove("instanceId");
    let device = &proof["device"]["id"];
    let (mut thief, _) = Client::connect(address, "guest-thief", READ).await;
    let claim = json!({ "text": "mine", "instanceId": "guest-thief", "deviceId": device, "host": "stolen" });
    assert_eq!(thief.request("system-event", claim).await["ok"], true);
    assert_eq!(challenged.request("connect", proof.clone()).await["ok"], true);
    let list = thief.request("system-presence", json!({})).await["payload"].take();
    let is_own = |row: &&Value| row["host"] == "guest-device" && row["deviceId"] == *device;
    let own = list.as_array().unwrap().iter().find(is_own);
    assert!(own.is_some_and(|row| row["reason"] == "connect"), "{list}");
    assert_eq!(row(&list, "guest-thief")["host"], "stolen");
    // The proof of another connection, and the same with the nonce of this one.
    for n in 0..CONNECTIONS {
        let mut replaying = Client::open(address, "").await;
        let challenge = replaying.event().await;
        let mut replayed = proof.clone();
        if n % 2 == 0 {
            replayed["device"]["nonce"] = challenge["payload"]["nonce"].clone();
        }
        let answer = replaying.request("connect", replayed).await;
        let code = answer["error"]["details"]["code"].as_str().unwrap_or_default();
        assert!(code.starts_with("DEVICE_AUTH_"), "{answer}");
    }
    let rows = witness.is_unharmed(&["guest-"], LEFT_KB).await;
    assert!(rows.len() == 2 && rows.iter().any(|row| is_own(&row)), "{rows:?}");
}

#[tokio::test]
async fn clients_that_read_nothing_are_closed() {
    let mut witness = Witness::start(&["--stall-ms", "500"]).await;
    let address = witness.address();
    // Later rounds reuse the memory of the first one, so that only a leak exceeds the bound.
    for _ in 0..4 {
        let mut deaf = Vec::new();
        for n in 0..10 {
            deaf.push(unread_answers(address, &format!("guest-{n}")).await);
        }
        let (mut reader, _) = Client::connect(address, "guest-reader", READ).await;
        let are_closed = async {
            let mut is_closed = false;
            while !is_closed {
                let list = reader.request("system-presence", json!({})).await["payload"].take();
                is_closed = (0..10).all(|n| row(&list, &format!("guest-{n}"))["reason"] == "disconnect");
            }
        };
        within("the end of the deaf clients", are_closed).await;
        drop(deaf);
    }
    // Once 2.9 MB of responses waited.
    witness.is_unharmed(&["guest-"], 6 * LEFT_KB).await;
}

#[tokio::test]
async fn clients_that_freeze_are_closed() {
    let mut witness = Witness::start(&["--ping-interval-ms", "500"]).await;
    let address = witness.address();
    let rounds = async {
        for _ in 0..3 {
            let mut frozen = Vec::new();
            for n in 0..CONNECTIONS / 3 {
                let (client, _) = Client::connect(address, &format!("guest-{n}"), &[]).await;
                frozen.push(client.into_stream());
            }
            for mut stream in frozen {
                // Reads pings without an answer.
                let mut heard = Vec::new();
                within("the end", stream.read_to_end(&mut heard)).await.unwrap();
                let heard = String::from_utf8_lossy(&heard);
                assert!(heard.contains("ping timeout"), "{heard}");
            }
        }
    };
    witness.during(rounds).await;
    // Most of it is for the rows that stay.
    witness.is_unharmed(&["guest-"], 4 * LEFT_KB).await;
}

#[tokio::test]
async fn a_log_that_cannot_be_written_ends_nothing() {
    let options = ["--port", "0", "--log-level", "debug"];
    let (closed, log) = Process::start_logging(&options).await;
    drop(log);
    let mut gateways = vec![closed];
    if cfg!(target_os = "linux") {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        gateways.push(Process::spawn("", &options, Stdio::from(full)).await);
    }
    for process in gateways {
        let mut witness = Witness::of(process).await;
        for n in 0..CONNECTIONS {
            let mut stream = TcpStream::connect(witness.address()).await.unwrap();
            stream.write_all(b"GET / HT").await.unwrap();
            stream.shutdown().await.unwrap();
            within("the end", stream.read_to_end(&mut Vec::new()))
                .await
                .unwrap();
            if n % 100 == 0 {
                let refused = code(&witness, "", offering("wrong")).await;
                assert_eq!(refused, "AUTH_TOKEN_MISMATCH");
            }
        }
        witness.is_unharmed(&[], LEFT_KB).await;
    }
}
