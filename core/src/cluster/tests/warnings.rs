//! Warnings about other gateways.

use super::*;

#[test]
fn a_gateway_of_another_format_is_left_out_and_named_once() {
    let mut world = World::new(&["a"]);
    let lease = r#"{"format":2,"rows":"who knows"}"#;
    for _ in 0..3 {
        world.tell_all(&ClusterInput::Lease {
            gateway: "new".into(),
            age_ms: 0,
            value: Some(lease.into()),
        });
        world.pass(HEARTBEAT_MS);
    }
    assert_eq!(world.nodes[0].warnings.len(), 1, "{:?}", world.nodes[0].warnings);
    assert!(world.nodes[0].warnings[0].contains("format 2"));
    assert_eq!(world.list(0).len(), 1);
}

#[test]
fn warnings_are_bounded() {
    let mut world = World::new(&["a"]);
    let invalid = |gateway: String, column: usize| ClusterInput::Row {
        gateway: gateway.into(),
        number: 1,
        age_ms: 0,
        change: RowChange::Put([" ".repeat(column), "{}".into()].concat().into()),
    };
    for column in 0..3 {
        world.tell_all(&invalid("b".into(), column));
    }
    let newer = ClusterInput::Lease {
        gateway: "b".into(),
        age_ms: 0,
        value: Some(r#"{"format":2}"#.into()),
    };
    world.tell_all(&newer);
    world.pump();
    let warnings = &world.nodes[0].warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[1].contains("format 2"), "{warnings:?}");
    for gateway in 0..2 * MAX_WARNINGS {
        world.tell_all(&invalid(format!("g{gateway}"), 0));
    }
    world.pump();
    assert_eq!(world.nodes[0].warnings.len(), MAX_WARNINGS);
}

#[test]
fn the_number_of_gateways_is_bounded() {
    let mut world = World::new(&["a"]);
    let value = r#"{"format":1,"boot":"b","incarnation":1,"stamp":1,"rows":[]}"#;
    for number in 0..40 {
        world.tell_all(&ClusterInput::Lease {
            gateway: format!("g{number}").into(),
            age_ms: 0,
            value: Some(value.into()),
        });
    }
    // (10,000 - 600) / 600.
    assert_eq!(world.nodes[0].hub.sources().count(), 15);
    world.pump();
    assert_eq!(world.nodes[0].warnings.len(), 25);
}
