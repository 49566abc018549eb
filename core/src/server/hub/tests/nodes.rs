//! Bounds of what is known about nodes.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use serde_json::Value;

use super::super::nodes::MAX_NODE_BYTES;
use super::*;

fn node(n: usize, is_verified: bool) -> Handshake {
    let name = format!("node-{n}");
    Handshake {
        role: Role::Node,
        device_id: is_verified.then(|| name.as_str().into()),
        ..handshake(&name, "node", &[])
    }
}

fn ids(hub: &Hub) -> Vec<Box<str>> {
    let shown = hub.node_list(START);
    let nodes = shown["nodes"].as_array().unwrap();
    nodes
        .iter()
        .map(|node| node["nodeId"].as_str().unwrap().into())
        .collect()
}

#[test]
fn a_node_takes_eight_kibibytes_whatever_it_offers() {
    let mut hub = hub();
    let mut large = node(1, true);
    large.caps = (0..64).map(|n| format!("{n}{}", "c".repeat(60)).into()).collect();
    large.commands = (0..1_024)
        .map(|n| format!("{n}{}", "\u{1}".repeat(60)).into())
        .collect();
    hub.join(large, START);
    let shown = hub.node_list(START);
    let item = &shown["nodes"][0];
    assert!(
        format!("{item}").len() <= MAX_NODE_BYTES + 200,
        "moments come on top"
    );
    assert_eq!(item["caps"].as_array().unwrap().len(), 64, "what fits stays");
    assert_eq!(
        item["commands"],
        Value::Array(Vec::new()),
        "what does not is left out"
    );
}

#[test]
fn nodes_that_went_go_with_their_rows() {
    let mut hub = hub();
    let cap = hub.config.max_entries;
    for n in 0..5 * cap {
        let conn = hub.join(node(n, true), START);
        hub.leave(conn, LeaveCause::PeerClosed, START);
    }
    assert_eq!(
        ids(&hub).len(),
        cap - 1,
        "as many as there are rows beside the gateway's own"
    );
    assert!(
        hub.nodes.len() <= 2 * cap + 1,
        "{} are remembered",
        hub.nodes.len()
    );
    let later = START.after(300_001);
    hub.handle_timeout(later);
    assert!(ids(&hub).is_empty());
}

#[test]
fn a_claim_to_the_id_of_another_device_is_a_node_of_its_own() {
    let mut hub = hub();
    hub.join(node(1, true), START);
    let mut claim = node(2, false);
    claim.client = Arc::new(ClientInfo {
        instance_id: Some("node-1".into()),
        ..(*claim.client).clone()
    });
    hub.join(claim, START);
    assert_eq!(*ids(&hub), ["node-1".into(), "conn-node-2".into()]);
}

#[test]
fn a_claim_that_loses_its_row_to_a_device_is_listed_by_its_connection() {
    let mut hub = hub();
    let mut claim = node(2, false);
    claim.client = Arc::new(ClientInfo {
        instance_id: Some("node-1".into()),
        ..(*claim.client).clone()
    });
    hub.join(claim, START);
    assert_eq!(*ids(&hub), ["node-1".into()]);
    hub.join(node(1, true), START);
    assert_eq!(*ids(&hub), ["node-1".into(), "conn-node-2".into()]);
}
