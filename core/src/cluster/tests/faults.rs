//! Crashes, lost buckets, invalid peers.

use super::*;

#[test]
fn rows_of_a_gateway_that_crashed_leave_with_its_lease_and_expire() {
    let mut world = World::new(&["a", "b"]);
    world.connect(0, "phone");
    world.pass(5_000);
    let died_ms = world.now_ms;
    world.nodes[0].is_linked = false;
    let crashed = world.nodes.remove(0);
    drop(crashed);
    while world.reason(0, "phone").as_deref() == Some("connect") {
        world.pass(100);
    }
    assert_eq!(world.reason(0, "phone").as_deref(), Some("disconnect"));
    let took_ms = world.now_ms - died_ms;
    assert!(
        (LEASE_MS - HEARTBEAT_MS..=LEASE_MS + 100).contains(&took_ms),
        "{took_ms}"
    );
    world.pass(TTL + 1_000);
    assert_eq!(world.list(0).len(), 1, "{:?}", world.list(0));
    assert_eq!(world.nodes[0].hub.sources().count(), 0);
}

#[test]
fn rows_of_a_gateway_that_stops_leave_at_once() {
    let mut world = World::new(&["a", "b"]);
    world.connect(0, "phone");
    world.pass(100);
    world.nodes[0].is_linked = false;
    world.leases.remove("a");
    world.tell_all(&ClusterInput::Lease {
        gateway: "a".into(),
        age_ms: 0,
        value: None,
    });
    assert_eq!(world.reason(1, "phone").as_deref(), Some("disconnect"));
}

#[test]
fn a_restarted_gateway_replaces_its_rows() {
    let mut world = World::new(&["a", "b"]);
    world.connect(0, "old");
    world.connect(0, "older");
    world.pass(100);
    world.nodes.remove(0);
    world.start("a", "boot-2", 3_000);
    world.connect(1, "new");
    world.pass(100);
    for node in 0..2 {
        let list = world.list(node);
        let hosts: Vec<&str> = list.iter().map(|(host, _)| host.as_str()).collect();
        assert_eq!(hosts, ["a", "b", "new"], "node {node}");
    }
    assert_eq!(world.rows.len(), 3, "those of the first process are deleted");
    world.assert_equal();
}

#[test]
fn a_row_that_was_acknowledged_and_lost_is_written_again() {
    let mut world = World::new(&["a", "b"]);
    world.pass(100);
    world.loses_rows = true;
    let conn = world.connect(0, "new");
    world.pass(100);
    assert_eq!(world.reason(1, "new"), None);
    world.loses_rows = false;
    world.pass(HEARTBEAT_MS);
    world.pong(0, &[conn]);
    world.pass(HEARTBEAT_MS);
    assert_eq!(world.reason(1, "new").as_deref(), Some("connect"));
    world.assert_equal();
    // Values in the bucket are not written again.
    let writes = world.writes;
    world.pass(2 * HEARTBEAT_MS);
    assert!(world.writes - writes <= 5, "{}", world.writes - writes);
}

#[test]
fn a_late_write_of_an_earlier_process_is_ignored() {
    let mut world = World::new(&["a", "b"]);
    world.connect(0, "old");
    world.pass(100);
    let old = world.rows.clone();
    world.nodes.remove(0);
    world.start("a", "boot-2", 0);
    world.pass(100);
    for ((gateway, number), (_, value)) in old {
        if gateway == "a" {
            let gateway = gateway.as_str().into();
            let change = RowChange::Put(value);
            let age_ms = 0;
            let input = ClusterInput::Row {
                gateway,
                number,
                age_ms,
                change,
            };
            world.hand(0, alloc::vec![input]);
        }
    }
    assert_eq!(world.reason(0, "old"), None);
}

/// A lease of the first process states the age of a row that this gateway has not read. A row of the second process
/// can have the same number.
#[test]
fn the_lease_of_an_earlier_process_does_not_rejuvenate_a_row() {
    let mut world = World::new(&["a"]);
    let lease = r#"{"format":1,"boot":"b-1","incarnation":1,"stamp":5,"rows":[[5,5,0]]}"#;
    let row = r#"{"key":"phone","incarnation":2,"stamp":1,"age":200000,"entry":{"host":"phone","instanceId":"phone","mode":"ui"}}"#;
    world.tell_all(&ClusterInput::Lease {
        gateway: "b".into(),
        age_ms: 0,
        value: Some(lease.into()),
    });
    world.tell_all(&ClusterInput::Row {
        gateway: "b".into(),
        number: 5,
        age_ms: 0,
        change: RowChange::Put(row.into()),
    });
    let now = at(world.now_ms, 0);
    let hub = &mut world.nodes[0].hub;
    let rows: Vec<PresenceEntry> = serde_json::from_str(&hub.shown_list(now)).unwrap();
    let phone = rows.iter().find(|row| row.host.as_deref() == Some("phone"));
    assert_eq!(hub.server_wall_ms(now) - phone.unwrap().ts, 200_000);
}

#[test]
fn all_gateways_converge_after_the_buckets_are_lost() {
    let mut world = World::new(&["a", "b", "c"]);
    world.connect(0, "phone");
    let laptop = world.connect(1, "laptop");
    world.pass(100);
    for node in 0..3 {
        world.unlink(node);
    }
    world.leases.clear();
    world.rows.clear();
    world.leave(1, laptop);
    world.connect(2, "tablet");
    world.pass(3_000);
    // Within the lease no row of the others leaves.
    assert_eq!(world.reason(2, "phone").as_deref(), Some("connect"));
    for node in 0..3 {
        world.join(node);
    }
    world.pass(100);
    assert_eq!(world.reason(0, "tablet").as_deref(), Some("connect"));
    assert_eq!(world.reason(0, "laptop").as_deref(), Some("disconnect"));
    world.assert_equal();
}

#[test]
fn without_the_buckets_own_rows_stay_and_rows_of_others_leave() {
    let mut world = World::new(&["a", "b"]);
    world.connect(0, "phone");
    world.connect(1, "laptop");
    world.pass(100);
    world.unlink(0);
    world.pass(LEASE_MS + 100);
    assert_eq!(world.reason(0, "phone").as_deref(), Some("connect"));
    assert_eq!(world.reason(0, "laptop").as_deref(), Some("disconnect"));
    world.join(0);
    world.pass(100);
    assert_eq!(world.reason(0, "laptop").as_deref(), Some("connect"));
    world.assert_equal();
}

#[test]
fn rows_that_the_server_drops_are_written_again() {
    let mut world = World::new(&["a", "b"]);
    world.connect(0, "phone");
    world.pass(100);
    let keys: Vec<(String, u64)> = world.rows.keys().cloned().collect();
    world.rows.clear();
    for (gateway, number) in &keys {
        world.tell_all(&ClusterInput::Row {
            gateway: gateway.as_str().into(),
            number: *number,
            age_ms: 0,
            change: RowChange::Expired,
        });
    }
    assert_eq!(world.reason(1, "phone").as_deref(), Some("connect"));
    world.pass(100);
    assert_eq!(world.rows.keys().cloned().collect::<Vec<_>>(), keys);
    world.assert_equal();
}

#[test]
fn a_row_lost_between_server_and_reader_is_read_again() {
    let mut world = World::new(&["a", "b"]);
    world.pass(100);
    world.nodes[1].is_linked = false;
    world.connect(0, "phone");
    world.nodes[1].is_linked = true;
    world.pass(100);
    assert_eq!(world.reason(1, "phone"), None);
    world.pass(3 * HEARTBEAT_MS);
    assert_eq!(world.nodes[1].restarts, [Restart::Resync]);
    assert_eq!(world.reason(1, "phone").as_deref(), Some("connect"));
    world.assert_equal();
}

#[test]
fn a_lost_deletion_is_detected_by_the_lease() {
    let mut world = World::new(&["a", "b"]);
    let conn = world.connect(0, "phone");
    world.leave(0, conn);
    world.pass(100);
    world.nodes[1].is_linked = false;
    world.pass(TTL + 1_000);
    world.nodes[1].is_linked = true;
    world.pass(HEARTBEAT_MS);
    world.assert_equal();
}

#[test]
fn two_gateways_cannot_have_one_name() {
    let mut world = World::new(&["a", "b"]);
    world.connect(0, "phone");
    world.start("a", "another", 0);
    world.tell_all(&ClusterInput::Lease {
        gateway: "a".into(),
        age_ms: 0,
        value: Some(claim("another").into_bytes()),
    });
    world.pump();
    assert_eq!(world.nodes[0].restarts, [Restart::NameTaken]);
    assert_eq!(
        world.reason(0, "phone").as_deref(),
        Some("connect"),
        "its own rows stay"
    );
}

#[test]
fn values_that_are_no_rows_are_ignored() {
    let mut world = World::new(&["a"]);
    for value in [
        "",
        "{}",
        "[]",
        "\u{0}",
        r#"{"key":"k","incarnation":1,"stamp":1,"age":0,"entry":[]}"#,
    ] {
        world.tell_all(&ClusterInput::Row {
            gateway: "b".into(),
            number: 1,
            age_ms: 0,
            change: RowChange::Put(value.into()),
        });
    }
    for name in ["", "UPPER", "a.b", &"x".repeat(33)] {
        let value = r#"{"key":"k","incarnation":1,"stamp":1,"age":0,"entry":{}}"#;
        world.tell_all(&ClusterInput::Row {
            gateway: name.into(),
            number: 1,
            age_ms: 0,
            change: RowChange::Put(value.into()),
        });
    }
    assert_eq!(world.list(0).len(), 1);
    assert_eq!(world.nodes[0].hub.sources().count(), 0);
}

#[test]
fn an_incarnation_that_none_can_follow_is_ignored() {
    let mut world = World::new(&["a", "b"]);
    let value = format!(
        r#"{{"key":"k","incarnation":{},"stamp":1,"age":0,"entry":{{}}}}"#,
        u64::MAX
    );
    for gateway in ["a", "b"] {
        world.tell_all(&ClusterInput::Row {
            gateway: gateway.into(),
            number: 9,
            age_ms: 0,
            change: RowChange::Put(value.as_str().into()),
        });
    }
    world.connect(0, "phone");
    world.pass(2 * HEARTBEAT_MS);
    assert_eq!(world.reason(1, "phone").as_deref(), Some("connect"));
    world.assert_equal();
}

#[test]
fn a_later_process_has_precedence_even_after_the_buckets_are_lost() {
    let mut world = World::new(&["a", "b"]);
    for name in ["phone", "laptop"] {
        world.connect(1, name);
    }
    world.pass(1_000);
    world.nodes.pop();
    world.rows.clear();
    world.leases.clear();
    world.unlink(0);
    world.start("b", "boot-2", 7_200_000);
    world.join(0);
    world.connect(1, "tablet");
    world.pass(100);
    assert_eq!(world.list(0).len(), 3, "{:?}", world.list(0));
    world.assert_equal();
}

#[test]
fn a_row_overwritten_by_an_earlier_value_is_written_again() {
    let mut world = World::new(&["a", "b"]);
    let conn = world.connect(0, "phone");
    world.pass(100);
    let is_phone = |((gateway, number), _): &(&(String, u64), &Stored)| gateway == "a" && *number > 0;
    let (key, early) = world.rows.iter().find(is_phone).unwrap();
    let (key, early) = (key.clone(), early.clone());
    world.leave(0, conn);
    world.pass(100);
    let written = world.rows[&key].1.clone();
    world.rows.insert(key.clone(), early.clone());
    world.tell_all(&ClusterInput::Row {
        gateway: "a".into(),
        number: key.1,
        age_ms: 0,
        change: RowChange::Put(early.1),
    });
    world.pass(2 * HEARTBEAT_MS);
    assert_eq!(entry(&world.rows[&key].1), entry(&written));
}

/// The entry of a row's value.
fn entry(value: &[u8]) -> String {
    let value: serde_json::Value = serde_json::from_slice(value).unwrap();
    value["entry"].to_string()
}

#[test]
fn ages_are_correct_after_the_clock_is_set() {
    let mut world = World::new(&["a", "b"]);
    let conn = world.connect(0, "phone");
    world.leave(0, conn);
    world.pass(20_000);
    let now_ms = world.now_ms;
    let Node {
        cluster,
        hub,
        skew_ms,
        ..
    } = &mut world.nodes[0];
    let mut now = at(now_ms, *skew_ms);
    now.wall_ms += 3_600_000;
    // The next batch is the first to see that.
    now.age_ms += HEARTBEAT_MS;
    let Some(ClusterOutput::Write(batch)) = cluster.poll_output(hub, now) else {
        panic!("nothing is written");
    };
    let lease: serde_json::Value = serde_json::from_str(&batch.lease.unwrap()).unwrap();
    let ages = lease["rows"].as_array().unwrap().iter();
    let ages: Vec<u64> = ages.map(|row| row[2].as_u64().unwrap()).collect();
    assert_eq!(ages.len(), 2);
    assert!(ages[1] >= 20_000, "{ages:?}");
}
