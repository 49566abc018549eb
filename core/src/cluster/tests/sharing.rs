//! Rows of gateways at each other.

use alloc::collections::BTreeSet;

use super::*;

fn hosts(list: &[(String, String)]) -> Vec<&str> {
    list.iter().map(|(host, _)| host.as_str()).collect()
}

#[test]
fn three_gateways_show_one_roster() {
    let mut world = World::new(&["a", "b", "c"]);
    let phone = world.connect(0, "phone");
    world.connect(1, "laptop");
    world.connect(2, "tablet");
    world.pass(100);
    for node in 0..3 {
        let list = world.list(node);
        assert_eq!(
            hosts(&list),
            ["a", "b", "c", "laptop", "phone", "tablet"],
            "node {node}"
        );
    }
    world.assert_equal();
    let before = world.digests();

    world.leave(0, phone);
    world.pass(100);
    for node in 0..3 {
        assert_eq!(
            world.reason(node, "phone").as_deref(),
            Some("disconnect"),
            "node {node}"
        );
    }
    world.assert_equal();
    assert_ne!(world.digests(), before);
}

#[test]
fn an_instance_of_two_gateways_is_one_row() {
    let mut world = World::new(&["a", "b"]);
    let here = world.connect(0, "phone");
    world.connect(1, "phone");
    world.pass(100);
    assert_eq!(hosts(&world.list(0)), ["a", "b", "phone"]);
    world.leave(0, here);
    world.pass(100);
    // It is connected to the other one.
    for node in 0..2 {
        assert_eq!(
            world.reason(node, "phone").as_deref(),
            Some("connect"),
            "node {node}"
        );
    }
}

#[test]
fn a_client_called_self_does_not_replace_its_gateway() {
    let mut world = World::new(&["a", "b"]);
    let conn = world.connect(0, "self");
    let all = ["a", "b", "self"];
    for _ in 0..4 {
        world.pass(HEARTBEAT_MS);
        world.pong(0, &[conn]);
        for node in 0..2 {
            assert_eq!(hosts(&world.list(node)), all, "node {node}");
            let keys = world.keys(node);
            let unique: BTreeSet<&String> = keys.iter().collect();
            assert_eq!((keys.len(), unique.len()), (3, 3), "node {node}: {keys:?}");
        }
        world.assert_equal();
    }
    assert!(world.keys(1).contains(&"GATEWAY:a/SELF".to_string()));

    // It expires alone.
    world.leave(0, conn);
    world.pass(TTL + 1_000);
    for node in 0..2 {
        assert_eq!(hosts(&world.list(node)), ["a", "b"], "node {node}");
    }
    world.assert_equal();
}

#[test]
fn ages_are_transferred_and_wall_clocks_are_not() {
    let mut world = World::new(&["a", "b"]);
    world.connect(0, "phone");
    world.pass(9_000);
    let now_ms = world.now_ms;
    let ages: Vec<u64> = (0..2)
        .map(|index| {
            let node = &mut world.nodes[index];
            let now = at(now_ms, node.skew_ms);
            let rows: Vec<PresenceEntry> = serde_json::from_str(&node.hub.shown_list(now)).unwrap();
            let phone = rows
                .iter()
                .find(|row| row.host.as_deref() == Some("phone"))
                .unwrap();
            assert_eq!(phone.online_since, Some(phone.ts));
            node.hub.server_wall_ms(now) - phone.ts
        })
        .collect();
    assert_eq!(ages, [9_000, 9_000]);
}

#[test]
fn a_quiet_connection_stays_alive_at_the_other_gateways() {
    let mut world = World::new(&["a", "b"]);
    let conn = world.connect(0, "phone");
    for _ in 0..2 * TTL / 20_000 {
        world.pass(20_000);
        world.pong(0, &[conn]);
    }
    assert_eq!(world.reason(1, "phone").as_deref(), Some("connect"));
    // A proof of life alone does not write the row.
    let writes = world.writes;
    world.pass(20_000);
    world.pong(0, &[conn]);
    assert!(
        world.writes - writes <= 10,
        "only leases: {}",
        world.writes - writes
    );
    world.assert_equal();
}

#[test]
fn a_gateway_that_joins_later_shows_the_existing_rows() {
    let mut world = World::new(&["a"]);
    let conn = world.connect(0, "phone");
    for _ in 0..30 {
        world.pass(20_000);
        world.pong(0, &[conn]);
    }
    world.start("b", "boot-b", 50);
    world.pass(100);
    assert_eq!(world.reason(1, "phone").as_deref(), Some("connect"));
    world.assert_equal();
}

#[test]
fn changes_are_coalesced_and_batches_bounded() {
    let mut world = World::new(&["a", "b"]);
    world.pass(1_000);
    let now = at(world.now_ms, world.nodes[0].skew_ms);
    let names = (0..500).map(|number| client(&format!("client-{number}")));
    world.nodes[0].hub.join_all(names, now);
    world.pump();
    world.pass(1_000);
    assert_eq!(world.list(1).len(), 502);
    assert_eq!(world.nodes[0].largest_batch, MAX_BATCH);

    // Ten changes within a window are one or two writes.
    let writes = world.writes;
    for _ in 0..10 {
        let conn = world.nodes[0].hub.join(client("fast"), at(world.now_ms, 0));
        world.nodes[0]
            .hub
            .leave(conn, LeaveCause::PeerClosed, at(world.now_ms, 0));
        world.pump();
    }
    world.pass(100);
    assert!(world.writes - writes <= 2, "{}", world.writes - writes);
    world.assert_equal();
}

#[test]
fn one_batch_is_written_at_a_time() {
    let mut world = World::new(&["a"]);
    world.pass(1_000);
    let now = at(world.now_ms, 0);
    let Node { hub, cluster, .. } = &mut world.nodes[0];
    hub.join(client("one"), now);
    assert!(matches!(
        cluster.poll_output(hub, now),
        Some(ClusterOutput::Write(_))
    ));
    hub.join(client("two"), now.after(100));
    let later = now.after(100);
    assert_eq!(cluster.poll_output(hub, later), None);
    // Only to notice a suspension.
    assert_eq!(cluster.poll_timeout(hub), Some(later.age_ms + HEARTBEAT_MS));
    cluster.handle(alloc::vec![ClusterInput::Written], hub, later);
    assert!(matches!(
        cluster.poll_output(hub, later),
        Some(ClusterOutput::Write(_))
    ));
}
