//! Machines that sleep.

use super::*;

#[test]
fn messages_that_waited_during_a_suspension_are_not_proofs_of_life() {
    let mut world = World::new(&["a", "b", "c"]);
    world.connect(1, "phone");
    world.pass(100);
    let lease = world.leases["b"].1.clone();
    let lease = ClusterInput::Lease {
        gateway: "b".into(),
        age_ms: 0,
        value: Some(lease),
    };
    // `a` sleeps, and `b` crashes.
    world.nodes[0].is_linked = false;
    let sleeper = world.nodes.remove(0);
    let crashed = world.nodes.remove(0);
    drop(crashed);
    world.pass(60_000);
    world.nodes.push(sleeper);
    world.hand(1, alloc::vec![lease]);
    world.pump();
    assert_eq!(world.nodes[1].restarts, [Restart::Suspended]);
    world.pass(LEASE_MS + 100);
    assert_eq!(world.reason(1, "phone").as_deref(), Some("disconnect"));
}

#[test]
fn messages_that_waited_during_a_suspended_join_are_not_proofs_of_life() {
    let mut world = World::new(&["a", "b"]);
    world.connect(1, "phone");
    world.pass(100);
    world.unlink(0);
    world.hand(0, alloc::vec![ClusterInput::Joining]);
    let mut inputs = world.snapshot();
    // Written after the snapshot: of no age when it arrives in time.
    let lease = ClusterInput::Lease {
        gateway: "b".into(),
        age_ms: 0,
        value: Some(world.leases["b"].1.clone()),
    };
    inputs.push(lease);
    // `a` sleeps, and `b` crashes.
    let sleeper = world.nodes.remove(0);
    drop(world.nodes.remove(0));
    world.pass(60_000);
    world.nodes.push(sleeper);
    world.hand(0, inputs);
    world.pump();
    assert_eq!(world.nodes[0].restarts, [Restart::Suspended]);
    world.pass(LEASE_MS + 100);
    assert_eq!(world.reason(0, "phone").as_deref(), Some("disconnect"));
}

#[test]
fn a_slow_join_is_not_a_suspension() {
    let mut world = World::new(&["a", "b"]);
    world.connect(1, "phone");
    world.pass(100);
    world.unlink(0);
    world.hand(0, alloc::vec![ClusterInput::Joining]);
    for _ in 0..4 {
        let Node { cluster, hub, .. } = &world.nodes[0];
        let due_ms = cluster.poll_timeout(hub).unwrap();
        assert!(due_ms > world.now_ms);
        world.now_ms = due_ms;
        world.pump();
    }
    let inputs = world.snapshot();
    world.hand(0, inputs);
    world.nodes[0].is_linked = true;
    world.pass(100);
    assert_eq!(world.nodes[0].restarts, []);
    assert_eq!(world.reason(0, "phone").as_deref(), Some("connect"));
    world.assert_equal();
}
