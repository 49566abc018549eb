//! `serve --observe`: the clients of another gateway are listed too.

use super::*;
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tokio::time::{Duration, sleep};
use tokio_tungstenite::tungstenite::Message;

/// The list of a gateway process, once it satisfies `is_wanted`: rows of other gateways arrive with a delay.
async fn list_when(url: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
    within("the rows of the other gateway", async {
        loop {
            let output = run(program(&[client("list", url), vec!["--json"]].concat())).await;
            let list: Value = serde_json::from_str(&output.stdout).unwrap();
            if is_wanted(&list) {
                return list;
            }
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await
}

fn observer<'a>(home: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let own = [
        "serve",
        "--port",
        "0",
        "--token",
        support::TOKEN,
        "--observe",
        home,
    ];
    [&own[..], more].concat()
}

fn has(list: &Value, instance: &str) -> bool {
    let rows = list.as_array().unwrap();
    rows.iter().any(|row| row["instanceId"] == instance)
}

#[tokio::test]
async fn clients_of_another_gateway_are_listed_and_leave() {
    let home = start(config());
    let (at_home, _) = Client::connect(home.address(), "studio", &["operator.read"]).await;
    let name = format!("home={}", home.url());
    let token = format!("home={}", support::TOKEN);
    let (_child, url) = serve(&observer(&name, &["--observe-token", &token])).await;

    let list = list_when(&url, |list| has(list, "studio")).await;
    let rows = list.as_array().unwrap();
    assert_eq!(rows.len(), 3, "this gateway, the other one, its client: {list}");
    assert_eq!(rows[0]["reason"], "self");
    assert!(rows.iter().all(|row| row.get("gateway").is_none()), "{list}");
    assert_eq!(row(&list, "studio")["reason"], "connect");
    let there = list_when(&home.url(), |list| has(list, "studio")).await;
    assert_eq!(
        there.as_array().unwrap().len(),
        2,
        "no row of the observer: {there}"
    );

    let table = run(program(&client("list", &url))).await.stdout;
    let studio = table.lines().find(|line| line.contains("studio")).unwrap();
    assert!(studio.ends_with("  home"), "{table}");

    // Readers of deltas get the gateway of a row, and changes of the row there.
    let address = url.strip_prefix("http://").unwrap().trim_end_matches('/');
    let mut reader = Client::open(address.parse().unwrap(), "").await;
    let mut params = support::connect_params("reader", &["operator.read"]);
    params["caps"] = serde_json::json!(["presence-delta"]);
    let hello = reader.hello(params).await;
    let snapshot = &hello["snapshot"]["presence"];
    assert_eq!(row(snapshot, "studio")["gateway"], "home");
    assert_eq!(row(snapshot, "reader").get("gateway"), None);

    let (_second, _) = Client::connect(home.address(), "laptop", &["operator.read"]).await;
    let delta = loop {
        let event = reader.event_named("presence.delta").await;
        if event["payload"].to_string().contains("laptop") {
            break event["payload"].clone();
        }
    };
    assert_eq!(delta["upserts"][0]["entry"]["gateway"], "home", "{delta}");

    drop(at_home);
    list_when(&url, |list| row(list, "studio")["reason"] == "disconnect").await;
    home.shutdown().await;
}

#[tokio::test]
async fn one_row_for_a_client_of_both_gateways() {
    let home = start(config());
    let name = format!("home={}", home.url());
    let token = format!("home={}", support::TOKEN);
    let (_child, url) = serve(&observer(&name, &["--observe-token", &token])).await;
    let address = url.strip_prefix("http://").unwrap().trim_end_matches('/');
    let (_here, _) = Client::connect(address.parse().unwrap(), "Tab-1", &["operator.read"]).await;
    let (_there, _) = Client::connect(home.address(), "tab-1", &["operator.read"]).await;
    let (_far, _) = Client::connect(home.address(), "far", &["operator.read"]).await;
    let list = list_when(&url, |list| has(list, "far")).await;
    assert_eq!(list.as_array().unwrap().len(), 4, "{list}");
    home.shutdown().await;
}

/// The lines of the log of a gateway that observes, until one has all of `words`.
async fn log_until(arguments: &[&str], words: &[&str]) -> Vec<String> {
    let mut child = program(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut seen = Vec::new();
    within("the line of the log", async {
        loop {
            let line = lines.next_line().await.unwrap().expect("the gateway ended");
            let is_it = words.iter().all(|word| line.contains(word));
            seen.push(line);
            if is_it {
                return;
            }
        }
    })
    .await;
    child.kill().await.unwrap();
    seen
}

#[tokio::test]
async fn a_wrong_token_is_logged_once_with_the_remedy() {
    let home = start(config());
    let name = format!("home={}", home.url());
    let arguments = observer(&name, &["--observe-token", "home=wr0ng"]);
    let lines = log_until(&arguments, &["gateway=home", "AUTH_TOKEN_MISMATCH"]).await;
    let line = lines.last().unwrap();
    assert!(line.contains("WARN") && line.contains("retry_s=300"), "{line}");
    assert!(line.contains("--observe-token-file home=FILE"), "{line}");
    assert!(lines.iter().all(|line| !line.contains("wr0ng")), "{lines:#?}");
    home.shutdown().await;
}

/// Landlock applies only to threads that start later. So the note about the device key must wait, and so must the
/// threads of all other parts of this build. None of the servers exists.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn no_thread_starts_before_the_sandbox() {
    let authority = support_tls::Authority::new();
    authority.issue(&["localhost"], |_| {});
    authority.write("webhook.secret", "a secret of some length\n");
    let path = |name| authority.path(name).to_str().unwrap().to_owned();
    let mut more = vec![
        ("--metrics-bind", "127.0.0.1:0".to_owned()),
        ("--record", path("recording")),
    ];
    if cfg!(feature = "tls") {
        more.push(("--tls-cert", path("cert.pem")));
        more.push(("--tls-key", path("key.pem")));
    }
    if cfg!(feature = "history") {
        more.push(("--history", path("history.db")));
    }
    if cfg!(feature = "webhook") {
        more.push(("--webhook", "http://192.0.2.1:2/".to_owned()));
        more.push(("--webhook-secret-file", path("webhook.secret")));
    }
    if cfg!(feature = "cluster") {
        more.push(("--cluster", "nats://192.0.2.1:3".to_owned()));
    }
    let more: Vec<&str> = more.iter().flat_map(|(option, value)| [*option, value]).collect();
    let lines = log_until(&observer("far=ws://192.0.2.1:1", &more), &["listening"]).await;
    assert!(
        lines.iter().any(|line| line.contains("no device key")),
        "{lines:#?}"
    );
    assert!(
        lines.iter().all(|line| !line.contains("keep all rights")),
        "{lines:#?}"
    );
}

/// Refuses a client with this `error`.
async fn refuse(listener: TcpListener, error: Value) {
    let (stream, _) = listener.accept().await.unwrap();
    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
    let challenge =
        json!({ "type": "event", "event": "connect.challenge", "payload": { "nonce": "n", "ts": 1 } });
    socket.send(Message::text(challenge.to_string())).await.unwrap();
    let connect = socket.next().await.unwrap().unwrap().into_text().unwrap();
    let connect: Value = serde_json::from_str(&connect).unwrap();
    let refusal = json!({ "type": "res", "id": connect["id"], "ok": false, "error": error });
    socket.send(Message::text(refusal.to_string())).await.unwrap();
    let _ = socket.close(None).await;
}

#[tokio::test]
async fn an_observer_that_needs_approval_retries_and_shows_the_command() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let name = format!("home=ws://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(refuse(
        listener,
        json!({
            "code": "NOT_PAIRED", "message": "pairing required",
            "details": { "code": "PAIRING_REQUIRED", "requestId": "r-1" },
        }),
    ));
    let lines = log_until(&observer(&name, &[]), &["gateway=home", "PAIRING_REQUIRED"]).await;
    let line = lines.last().unwrap();
    for words in ["WARN", "openclaw devices approve", "r-1", "retry_s=30"] {
        assert!(line.contains(words), "{words}: {line}");
    }
    within("the refusal", server).await.unwrap();
}

#[tokio::test]
async fn the_code_of_another_gateway_cannot_write_lines_into_the_log() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let name = format!("home=ws://{}", listener.local_addr().unwrap());
    let code = format!(
        "X\n2026 INFO accepted FORGED\u{1b}]0;x\u{7}\u{202e}{}",
        "A".repeat(100_000)
    );
    let server = tokio::spawn(refuse(listener, json!({ "code": code, "message": code })));
    let lines = log_until(&observer(&name, &[]), &["gateway=home", "cannot observe home"]).await;
    let line = lines.last().unwrap();
    assert!(
        line.contains(r"code=X\n2026 INFO accepted FORGED\u{1b}"),
        "{line}"
    );
    assert!(
        line.len() < 2_000 && !line.contains(['\u{1b}', '\u{7}', '\u{202e}']),
        "{line}"
    );
    within("the refusal", server).await.unwrap();
}

fn listed(response: &Value) -> usize {
    response["payload"].as_array().unwrap().len()
}

/// Sends a hello and a list of many rows, then sets `is_sent`, and waits for the end.
async fn send_long_list(listener: TcpListener, is_sent: &AtomicBool) {
    let (stream, _) = listener.accept().await.unwrap();
    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
    let challenge =
        json!({ "type": "event", "event": "connect.challenge", "payload": { "nonce": "n", "ts": 1 } });
    socket.send(Message::text(challenge.to_string())).await.unwrap();
    let connect = socket.next().await.unwrap().unwrap().into_text().unwrap();
    let connect: Value = serde_json::from_str(&connect).unwrap();
    let hello = json!({ "type": "res", "id": connect["id"], "ok": true, "payload": {
        "type": "hello-ok", "protocol": 4, "server": { "version": "1", "bootId": "b", "connId": "c" },
        "features": { "methods": ["system-presence"], "events": ["presence"] },
        "snapshot": { "presence": [], "stateVersion": { "presence": 1, "health": 1 }, "health": {}, "uptimeMs": 1 },
        "auth": { "role": "operator", "scopes": ["operator.read"] },
        "policy": { "maxPayload": 1, "maxBufferedBytes": 1, "tickIntervalMs": 30_000 },
    } });
    socket.send(Message::text(hello.to_string())).await.unwrap();
    let rows: Vec<String> = (0..800_000)
        .map(|number| format!(r#"{{"instanceId":"i{number}"}}"#))
        .collect();
    let list = format!(
        r#"{{"type":"event","event":"presence","seq":1,"stateVersion":{{"presence":2,"health":1}},"payload":{{"presence":[{}]}}}}"#,
        rows.join(",")
    );
    socket.send(Message::text(list)).await.unwrap();
    is_sent.store(true, Relaxed);
    while let Some(Ok(_)) = socket.next().await {}
}

#[tokio::test]
async fn long_lists_of_another_gateway_do_not_delay_clients() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let name = format!("home=ws://{}", listener.local_addr().unwrap());
    // In a thread: it must not delay the client of this test.
    let is_sent = Arc::new(AtomicBool::new(false));
    let home = std::thread::spawn({
        let is_sent = is_sent.clone();
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let run = async { send_long_list(TcpListener::from_std(listener).unwrap(), &is_sent).await };
            runtime.unwrap().block_on(run);
        }
    });
    let (child, url) = serve(&observer(&name, &[])).await;
    let address = url.strip_prefix("http://").unwrap().trim_end_matches('/');
    let (mut reader, _) = Client::connect(address.parse().unwrap(), "reader", &["operator.read"]).await;
    let mut answers = 0;
    within("the list", async {
        // Until the rows of the list are listed here too.
        while listed(&reader.request("system-presence", json!({})).await) < 10 {
            answers += usize::from(is_sent.load(Relaxed));
        }
    })
    .await;
    drop(child);
    home.join().unwrap();
    // A few arrive while the last bytes of the list are received.
    assert!(answers > 100, "{answers} answers while the list was read");
}

#[tokio::test]
async fn an_unreachable_gateway_is_listed_as_stale() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let name = format!("home=ws://{}", listener.local_addr().unwrap());
    drop(listener);
    let (_child, url) = serve(&observer(&name, &[])).await;
    let table = run(program(&client("list", &url))).await;
    let home = table.stdout.lines().find(|line| line.contains("home")).unwrap();
    assert!(home.starts_with("Stale"), "{}", table.stdout);
    let lines = log_until(&observer(&name, &[]), &["gateway=home", "cannot observe home"]).await;
    assert!(lines.last().unwrap().contains("WARN"));
}

#[tokio::test]
async fn a_gateway_does_not_observe_itself() {
    // Its port has to be known before it starts.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    drop(listener);
    let (own, token) = (
        format!("own=ws://127.0.0.1:{port}"),
        format!("own={}", support::TOKEN),
    );
    let arguments = [
        "serve",
        "--port",
        &port,
        "--token",
        support::TOKEN,
        "--observe",
        &own,
        "--observe-token",
        &token,
    ];
    log_until(&arguments, &["gateway=own", "this gateway itself"]).await;
}

#[tokio::test]
async fn a_client_that_left_two_mutual_observers_is_removed_on_both() {
    // Their ports have to be known before they start.
    let listeners = [
        TcpListener::bind("127.0.0.1:0").await.unwrap(),
        TcpListener::bind("127.0.0.1:0").await.unwrap(),
    ];
    let ports = listeners.map(|listener| listener.local_addr().unwrap().port().to_string());
    let token = format!("other={}", support::TOKEN);
    let mut gateways = Vec::new();
    for (own, other) in [(&ports[0], &ports[1]), (&ports[1], &ports[0])] {
        let other = format!("other=ws://127.0.0.1:{other}");
        let more = ["--port", own, "--observe-token", &token, "--observe", &other];
        gateways.push(serve(&[&["serve", "--token", support::TOKEN][..], &more].concat()).await);
    }
    let mut clients = Vec::new();
    for port in &ports {
        let address = format!("127.0.0.1:{port}").parse().unwrap();
        clients.push(Client::connect(address, "both", &["operator.read"]).await);
    }
    for (_, url) in &gateways {
        // The other gateway answered, so its own row replaced the placeholder.
        list_when(url, |list| !list.to_string().contains("no answer yet")).await;
    }
    drop(clients);
    for (_, url) in &gateways {
        list_when(url, |list| row(list, "both")["reason"] == "disconnect").await;
    }
}
