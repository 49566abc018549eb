//! Bounds on the data about nodes.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;

use super::super::nodes::{MAX_ENDED, MAX_EVENTS, MAX_NODE_BYTES};
use super::*;
use crate::model::entry::MAX_SAFE_INTEGER;

fn node(n: usize, is_verified: bool) -> Handshake {
    let name = format!("node-{n}");
    Handshake {
        role: Role::Node,
        device_id: is_verified.then(|| name.as_str().into()),
        ..handshake(&name, "node", &[])
    }
}

fn shown(hub: &Hub) -> Vec<Value> {
    match json(&hub.node_list(START))["nodes"].take() {
        Value::Array(nodes) => nodes,
        other => panic!("{other}"),
    }
}

fn ids(hub: &Hub) -> Vec<Box<str>> {
    let nodes = shown(hub);
    nodes
        .iter()
        .map(|node| node["nodeId"].as_str().unwrap().into())
        .collect()
}

#[test]
fn the_size_of_a_node_is_bounded() {
    let mut hub = hub();
    let mut large = node(1, true);
    large.caps = (0..64).map(|n| format!("{n}{}", "c".repeat(60)).into()).collect();
    large.commands = (0..1_024)
        .map(|n| format!("{n}{}", "\u{1}".repeat(60)).into())
        .collect();
    hub.join(large, START);
    let item = &shown(&hub)[0];
    assert!(format!("{item}").len() <= MAX_NODE_BYTES);
    assert_eq!(item["caps"].as_array().unwrap().len(), 64, "what fits stays");
    assert_eq!(
        item["commands"],
        Value::Array(Vec::new()),
        "what does not is left out"
    );
}

/// A node with all members at their greatest length, and one command of this length.
fn full_node(command: usize) -> Value {
    let mut hub = hub();
    // The greatest time that is stated.
    let late = Now {
        age_ms: 0,
        wall_ms: MAX_SAFE_INTEGER,
    };
    let mut full = node(1, true);
    full.conn_id = "c".repeat(6).into();
    full.may_report_input = true;
    full.client = Arc::new(ClientInfo {
        display_name: Some("d".into()),
        device_family: Some("f".into()),
        model_identifier: Some("m".into()),
        ..(*full.client).clone()
    });
    full.caps = vec!["cap".into()];
    full.commands = vec!["\u{1}\"".into(), "c".repeat(command).into()];
    let conn = hub.join(full, late);
    for event in [
        json!({"event": "node.presence.alive", "payload": {"trigger": "significant_location"}}),
        json!({"event": "node.presence.activity", "payload": {"idleSeconds": 0}}),
    ] {
        let answer = call(&mut hub, conn, "node.event", event, late);
        assert_eq!(answer["payload"]["handled"], true);
    }
    let mut item = shown(&hub)[0].take();
    // "true" is shorter than "false".
    item["connected"] = Value::Bool(false);
    item
}

#[test]
fn the_size_of_a_node_is_exact() {
    let bytes = |item: &Value| format!("{item}").len();
    let commands = |item: &Value| item["commands"].as_array().unwrap().len();
    let most = MAX_NODE_BYTES - bytes(&full_node(0));
    let (full, over) = (full_node(most), full_node(most + 1));
    assert_eq!((bytes(&full), commands(&full)), (MAX_NODE_BYTES, 2));
    assert_eq!(commands(&over), 0);
}

#[test]
fn disconnected_nodes_are_removed_with_their_rows() {
    let mut hub = hub();
    let cap = hub.config.max_entries;
    for n in 0..5 * cap {
        let conn = hub.join(node(n, true), START);
        hub.leave(conn, LeaveCause::PeerClosed, START);
        let most = cap + cap / 16 + 1;
        assert!(hub.nodes.len() <= most, "{} are remembered", hub.nodes.len());
    }
    assert_eq!(
        ids(&hub).len(),
        cap - 1,
        "as many as there are rows beside the gateway's own"
    );
    hub.handle_timeout(START.after(300_001));
    assert_eq!((ids(&hub).len(), hub.nodes.len()), (0, 0));
}

#[test]
fn the_last_node_is_removed_with_its_row() {
    let mut hub = hub();
    let conn = hub.join(node(1, true), START);
    hub.leave(conn, LeaveCause::PeerClosed, START);
    hub.handle_timeout(START.after(300_000));
    assert_eq!(hub.nodes.len(), 1);
    hub.handle_timeout(START.after(300_001));
    assert_eq!(hub.nodes.len(), 0);
}

/// Settings that were not validated.
#[test]
fn the_largest_cap_is_accepted() {
    let mut hub = hub_of(usize::MAX);
    let conn = hub.join(node(1, true), START);
    hub.leave(conn, LeaveCause::PeerClosed, START);
    assert_eq!(*ids(&hub), ["node-1".into()]);
}

/// Readers, and nodes that reported an activity just now.
fn crowd(readers: usize, nodes: usize, now: Now) -> (Hub, Vec<ConnId>) {
    let mut hub = hub();
    hub.join_all(
        (0..readers).map(|n| handshake(&format!("r-{n}"), "cli", &["operator.read"])),
        now,
    );
    let reporting = (0..nodes).map(|n| {
        let mut node = node(n, true);
        node.may_report_input = true;
        node.client = Arc::new(ClientInfo {
            mode: "cli".into(),
            ..(*node.client).clone()
        });
        node
    });
    let conns = hub.join_all(reporting, now);
    taken(&mut hub);
    (hub, conns)
}

fn report(hub: &mut Hub, conn: ConnId, now: Now) {
    let params = json!({"event": "node.presence.activity", "payload": {"idleSeconds": 0}});
    hub.call(conn, &request("node.event", params), now);
}

/// The ids of the nodes whose events go to the first reader, and how many events go to all.
fn taken(hub: &mut Hub) -> (Vec<String>, usize) {
    let (mut ids, mut count) = (Vec::new(), 0);
    while let Some(output) = hub.poll_output() {
        if let HubOutput::Send(conn, Item::Droppable(event)) = output {
            count += 1;
            if conn.slot == 0 {
                let event = json(&(event.segments().concat() + "}"));
                ids.push(event["payload"]["nodeId"].as_str().unwrap().into());
            }
        }
    }
    (ids, count)
}

#[test]
fn events_of_many_nodes_to_many_readers_are_spread_over_windows() {
    let (mut hub, conns) = crowd(1_000, 1_000, START);
    let mut seen = BTreeMap::new();
    for &conn in &conns {
        report(&mut hub, conn, START);
        for id in taken(&mut hub).0 {
            *seen.entry(id).or_insert(0) += 1;
        }
    }
    assert_eq!(seen.len(), 1, "the first at once, the others after the window");
    let mut windows = 0;
    while let Some(due_ms) = hub.nodes.poll_timeout() {
        windows += 1;
        assert_eq!(due_ms, windows * 50);
        hub.handle_timeout(START.after(due_ms));
        // A node whose turn was or will be: no other node is skipped for it.
        report(&mut hub, conns[0], START.after(due_ms));
        let (ids, count) = taken(&mut hub);
        assert!(count <= MAX_EVENTS, "{count} at once");
        for id in ids {
            *seen.entry(id).or_insert(0) += 1;
        }
        if seen.len() == 1_000 {
            break;
        }
    }
    assert_eq!(windows, 999_u64.div_ceil(MAX_EVENTS as u64 / 1_000));
    assert!(seen.values().all(|count| *count <= 2));
    assert!(hub.outputs.capacity() <= KEPT_OUTPUTS, "what they took is freed");
}

#[test]
fn one_event_goes_to_any_number_of_readers() {
    let (mut hub, conns) = crowd(3, 5, START);
    for &conn in &conns {
        report(&mut hub, conn, START);
    }
    taken(&mut hub);
    hub.handle_timeout(START.after(50));
    assert_eq!(taken(&mut hub).1, 4 * 3, "few of them go out together");
    let (mut hub, conns) = crowd(MAX_EVENTS + 1, 2, START);
    report(&mut hub, conns[0], START);
    assert_eq!(taken(&mut hub).1, MAX_EVENTS + 1);
    assert_eq!(hub.outputs.capacity(), 0, "what it took is freed");
}

#[test]
fn slow_node_events_extend_the_window() {
    let (mut hub, conns) = crowd(1, 2, START);
    report(&mut hub, conns[0], START);
    assert!(hub.awaits_sent());
    hub.handle_sent(START.after(200));
    report(&mut hub, conns[1], START.after(200));
    assert_eq!(hub.nodes.poll_timeout(), Some(400));
    taken(&mut hub);
    hub.handle_timeout(START.after(399));
    assert_eq!(taken(&mut hub).1, 0);
    hub.handle_timeout(START.after(400));
    assert_eq!(taken(&mut hub).1, 1);
}

#[test]
fn a_report_while_sending_is_paused_is_no_suspension() {
    let (mut hub, conns) = crowd(1, 2, START);
    hub.handle_timeout(START.after(25_000));
    let begin = START.after(40_000);
    hub.join(node(9, true), begin);
    taken(&mut hub);
    hub.pause_sending(begin.after(10));
    let now = begin.after(11);
    report(&mut hub, conns[0], now);
    assert!(!hub.was_suspended(now));
    assert!(hub.poll_timeout() > Some(now.age_ms), "no deadline is past");
    hub.handle_timeout(now);
    assert_eq!(taken(&mut hub).1, 0);
    hub.resume_sending(begin.after(15));
    hub.handle_sent(begin.after(20));
    // Twice the 15 ms of sending.
    hub.handle_timeout(begin.after(30));
    assert_eq!(taken(&mut hub).1, 1);
}

#[test]
fn a_shell_that_never_resumes_holds_up_a_broadcast_for_4_s() {
    let mut hub = hub();
    let reader = hub.join(handshake("a", "ui", &["operator.read"]), START);
    frames(&mut hub, reader);
    let begin = START.after(1_000);
    hub.join(handshake("b", "ui", &[]), begin);
    frames(&mut hub, reader);
    hub.pause_sending(begin);
    hub.join(handshake("c", "ui", &[]), begin);
    assert_eq!(hub.poll_timeout(), Some(begin.age_ms + 4_000));
    hub.handle_timeout(begin.after(3_999));
    assert_eq!(frames(&mut hub, reader).len(), 0);
    hub.handle_timeout(begin.after(4_000));
    assert_eq!(frames(&mut hub, reader).len(), 1);
}

#[test]
fn last_events_of_disconnected_nodes_are_bounded() {
    let (mut hub, _) = crowd(1, 0, START);
    for n in 0..MAX_ENDED + 10 {
        let mut node = node(n, true);
        node.may_report_input = true;
        let conn = hub.join(node, START);
        report(&mut hub, conn, START);
        hub.leave(conn, LeaveCause::PeerClosed, START);
        while hub.poll_output().is_some() {}
    }
    assert_eq!(hub.nodes.waiting(), MAX_ENDED);
}

#[test]
fn a_reconnecting_claim_to_an_owned_row_is_listed_by_its_connection() {
    let mut hub = hub_of(2);
    let mut claim = node(2, false);
    claim.client = Arc::new(ClientInfo {
        instance_id: Some("node-1".into()),
        ..(*claim.client).clone()
    });
    let conn = hub.join(claim, START);
    hub.join(handshake("other", "ui", &[]), START);
    let device = hub.join(node(1, true), START);
    assert_eq!(*ids(&hub), ["node-1".into()]);
    hub.leave(device, LeaveCause::PeerClosed, START);
    assert_eq!(*ids(&hub), ["node-1".into()]);
    hub.pong(conn, START);
    assert_eq!(*ids(&hub), ["conn-node-2".into()]);
}

#[test]
fn a_claim_to_the_id_of_another_device_is_a_separate_node() {
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
fn nodes_by_connection_are_listed_in_join_order() {
    let mut hub = hub();
    for name in ["c", "a", "b"] {
        let mut node = node(1, false);
        node.client = Arc::new(ClientInfo {
            instance_id: None,
            ..(*node.client).clone()
        });
        node.conn_id = name.into();
        hub.join(node, START);
    }
    assert_eq!(*ids(&hub), ["c".into(), "a".into(), "b".into()]);
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
