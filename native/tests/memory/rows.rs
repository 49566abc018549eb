//! Rows, and what stays of clients that disconnected.

use super::*;

/// Fewest bytes that a list may have, as PROTOCOL.md states.
const MIN_LIST_BYTES: usize = 2_000_000;

/// Most memory that is left when the rows stay, in kB: a full list, and free memory that the allocator keeps.
const LIST_LEFT_KB: u64 = MIN_LIST_BYTES as u64 / 1024 + 2 * LEFT_KB;

/// Connects once for each of these handshakes, one after the other, and closes. The witness reads every list.
async fn come_and_go(gateway: &mut Watched, handshakes: impl Iterator<Item = serde_json::Value>) {
    let address = gateway.address;
    let visits = async {
        for params in handshakes {
            let mut client = Client::open(address, "").await;
            client.hello(params).await;
        }
        // Answered after all earlier closes are handled.
        let (mut other, _) = Client::connect(address, "other", &["operator.read"]).await;
        assert_eq!(other.request("health", json!({})).await["ok"], true);
    };
    gateway.witness.during(visits).await;
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
    let mut gateway = Watched::start().await;
    come_and_go(&mut gateway, (0..400).map(|n| node_params(n, "a"))).await;
    // The newest rows stay.
    let left_kb = LEFT_KB + LEFT_KB / 2;
    gateway.check("nodes with many commands", left_kb).await;
    // Just below the 8 KiB of a node, and above.
    for command in ["abcd", "abcdefgh"] {
        come_and_go(&mut gateway, (0..400).map(|n| node_params(n, command))).await;
        gateway.check("nodes of 8 KiB", left_kb).await;
    }
}

#[tokio::test]
async fn the_memory_of_rows_without_connections_is_bounded() {
    let mut gateway = Watched::start().await;
    let scopes: Vec<_> = (0..64).map(|n| format!("{n}{}", "s".repeat(900))).collect();
    let scopes: Vec<_> = scopes.iter().map(|scope| &**scope).collect();
    come_and_go(
        &mut gateway,
        (0..199).map(|n| connect_params(&format!("app-{n}"), &scopes)),
    )
    .await;
    gateway.check("scopes of closed connections", LIST_LEFT_KB).await;
}

#[tokio::test]
async fn the_memory_of_beacons_with_control_characters_is_bounded() {
    let mut gateway = Watched::start().await;
    // Six bytes each as JSON.
    let control = |units: usize| "\u{1}".repeat(units);
    let mut senders = Vec::new();
    for n in 0..190 {
        let (mut sender, _) = Client::connect(gateway.address, &format!("app-{n}"), &[]).await;
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
    let (mut late, hello) = Client::connect(gateway.address, "late", &["operator.read"]).await;
    assert_eq!(late.request("health", json!({})).await["ok"], true);
    let list = hello["snapshot"]["presence"].to_string();
    assert!(
        (MIN_LIST_BYTES / 2..MIN_LIST_BYTES).contains(&list.len()),
        "{} bytes",
        list.len()
    );
    drop((senders, late, hello));
    gateway.check("beacons of control characters", LIST_LEFT_KB).await;
}
