//! Rows, and what stays of clients that disconnected.

use super::*;

/// Fewest bytes that a list may have, as PROTOCOL.md states.
const MIN_LIST_BYTES: usize = 2_000_000;

/// Connects once for each of these handshakes, one after the other, and closes.
async fn come_and_go(process: &Watched, handshakes: impl Iterator<Item = serde_json::Value>) {
    for params in handshakes {
        let mut client = Client::open(process.address, "").await;
        client.hello(params).await;
    }
    // Answered after all earlier closes are handled.
    let (mut other, _) = Client::connect(process.address, "other", &["operator.read"]).await;
    assert_eq!(other.request("health", json!({})).await["ok"], true);
}

fn node_params(n: usize, command: &str) -> serde_json::Value {
    let mut params = connect_params(&format!("node-{n}"), &[]);
    params["role"] = "node".into();
    params["client"]["mode"] = "node".into();
    params["commands"] = vec![command; 1_024].into();
    params
}

#[tokio::test]
async fn the_memory_of_disconnected_nodes_is_bounded() {
    let process = Watched::start().await;
    come_and_go(&process, (0..400).map(|n| node_params(n, "a"))).await;
    process.check("nodes with many commands").await;
    // Just below the 8 KiB of a node, and above.
    for command in ["abcd", "abcdefgh"] {
        come_and_go(&process, (0..400).map(|n| node_params(n, command))).await;
        process.check("nodes of 8 KiB").await;
    }
}

#[tokio::test]
async fn the_memory_of_rows_without_connections_is_bounded() {
    let process = Watched::start().await;
    let scopes: Vec<_> = (0..64).map(|n| format!("{n}{}", "s".repeat(900))).collect();
    let scopes: Vec<_> = scopes.iter().map(|scope| &**scope).collect();
    come_and_go(
        &process,
        (0..199).map(|n| connect_params(&format!("app-{n}"), &scopes)),
    )
    .await;
    process.check("scopes of closed connections").await;
}

#[tokio::test]
async fn the_memory_of_beacons_with_control_characters_is_bounded() {
    let mut process = Watched::start().await;
    // Six bytes each as JSON.
    let control = |units: usize| "\u{1}".repeat(units);
    let mut senders = Vec::new();
    for n in 0..199 {
        let (mut sender, _) = Client::connect(process.address, &format!("app-{n}"), &[]).await;
        let instance = format!("app-{n}");
        let longest = json!({ "instanceId": instance, "text": control(4_096), "host": control(1_024) });
        let refused = sender.request("system-event", longest).await;
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(
            message.contains("at /text: must NOT have more than 4096 bytes"),
            "{message}"
        );
        let mut largest = json!({ "instanceId": instance, "text": control(682), "reason": control(100) });
        for name in ["host", "ip", "version"] {
            largest[name] = control(170).into();
        }
        let answer = sender.request("system-event", largest).await;
        assert_eq!(answer["ok"], true, "{answer}");
        senders.push(sender);
    }
    let (mut late, hello) = Client::connect(process.address, "late", &["operator.read"]).await;
    assert_eq!(late.request("health", json!({})).await["ok"], true);
    let list = hello["snapshot"]["presence"].to_string();
    assert!(
        (MIN_LIST_BYTES / 2..MIN_LIST_BYTES).contains(&list.len()),
        "{} bytes",
        list.len()
    );
    drop((senders, late, hello));
    // The rows stay.
    process.before_kb += MIN_LIST_BYTES as u64 / 1024;
    process.check("beacons of control characters").await;
}
