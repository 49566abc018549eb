//! Findings about missing, other and new ids.

use super::*;

#[test]
fn a_placeholder_as_id() {
    let mut lab = Lab::new(200);
    lab.join(&Client {
        id: Some("undefined"),
        ..MAC
    });
    let found = lab.assert_finds("PLACEHOLDER_ID", &json!(["CONN:c-1"]));
    assert!(evidence(&found).contains("undefined"));
    let mut healthy = Lab::new(200);
    healthy.join(&Client {
        id: Some("undefined-1"),
        ..MAC
    });
    healthy.assert_silent();
}

#[test]
fn a_handshake_without_an_id() {
    let mut lab = Lab::new(200);
    let conn = lab.join(&Client { id: None, ..MAC });
    lab.assert_finds("NO_INSTANCE_ID", &json!(["CONN:c-1"]));
    lab.beacon(
        conn,
        json!({ "text": "t", "instanceId": "mac-1", "host": "studio" }),
    );
    lab.assert_finds("NO_INSTANCE_ID", &json!(["CONN:c-1", "mac-1"]));
    let mut healthy = Lab::new(200);
    healthy.join(&Client {
        id: None,
        device: Some("d1"),
        ..MAC
    });
    // A client that makes no row needs no id.
    healthy.join(&Client {
        id: None,
        mode: "cli",
        ..MAC
    });
    healthy.assert_silent();
}

#[test]
fn beacons_under_another_id() {
    let mut lab = Lab::new(200);
    let conn = lab.join(&MAC);
    lab.beacon(
        conn,
        json!({ "text": "t", "instanceId": "other", "host": "Studio" }),
    );
    let found = lab.assert_finds("BEACON_ID_DIFFERS", &json!(["mac-1", "other"]));
    assert_eq!(found["confidence"], "high");
    // It reports about another machine.
    let mut healthy = Lab::new(200);
    let conn = healthy.join(&MAC);
    healthy.beacon(
        conn,
        json!({ "text": "t", "instanceId": "printer", "host": "printer" }),
    );
    healthy.beacon(
        conn,
        json!({ "text": "t", "instanceId": "mac-1", "host": "studio" }),
    );
    healthy.assert_silent();
}

#[test]
fn a_new_id_at_every_connect() {
    for ip in [Some("192.0.2.7"), None] {
        let mut lab = Lab::new(200);
        for id in ["a", "b", "c"] {
            let conn = lab.join(&Client {
                id: Some(id),
                ip,
                ..MAC
            });
            lab.pass(20_000, &[]);
            if id != "c" {
                lab.leave(conn);
                lab.pass(1_000, &[]);
            }
        }
        lab.assert_finds("NEW_ID_EACH_CONNECT", &json!(["c", "b", "a"]));
    }
    // Two changes count, also with a pause between them.
    let mut pause = Lab::new(200);
    for (id, gap_ms) in [("a", 1_000), ("b", 60_000), ("c", 1_000), ("d", 0)] {
        let conn = pause.join(&Client { id: Some(id), ..MAC });
        pause.pass(20_000, &[]);
        if id != "d" {
            pause.leave(conn);
            pause.pass(gap_ms, &[]);
        }
    }
    let found = pause.assert_finds("NEW_ID_EACH_CONNECT", &json!(["d", "c", "b", "a"]));
    assert!(evidence(&found).contains("connected 4 times"), "{found}");
    assert!(
        evidence(&found).contains("2 of them began at most 1.0 s after"),
        "{found}"
    );
    // A single change may be another program.
    for ip in [Some("192.0.2.7"), None] {
        let mut once = Lab::new(200);
        let first = once.join(&Client { ip, ..MAC });
        once.pass(20_000, &[]);
        once.leave(first);
        once.pass(1_000, &[]);
        once.join(&Client {
            id: Some("mac-2"),
            ip,
            ..MAC
        });
        match ip {
            Some(_) => drop(once.assert_finds("SAME_MACHINE", &json!(["mac-2", "mac-1"]))),
            None => once.assert_silent(),
        }
    }
    // With a network that fails, the gateway notices each end late.
    let mut crashes = Lab::new(200);
    let mut dead = Vec::new();
    for id in ["a", "b", "c", "d"] {
        let client = Client { id: Some(id), ..MAC };
        let conn = crashes.join(&client);
        crashes.pass(30_000, &dead);
        dead.push(conn);
    }
    crashes.pass(60_000, &dead[..3]);
    crashes.assert_finds("NEW_ID_EACH_CONNECT", &json!(["d", "c", "b", "a"]));
    // Reconnects with one id, and tabs of one machine that open and close independently.
    let mut healthy = Lab::new(200);
    for _ in 0..4 {
        let conn = healthy.join(&MAC);
        healthy.pass(20_000, &[]);
        healthy.leave(conn);
        healthy.pass(1_000, &[]);
    }
    let tabs: Vec<_> = ["t1", "t2", "t3"]
        .map(|id| healthy.join(&Client { id: Some(id), ..MAC }))
        .into();
    healthy.pass(60_000, &[]);
    healthy.leave(tabs[0]);
    healthy.pass(1_000, &[]);
    healthy.join(&Client {
        id: Some("t4"),
        ..MAC
    });
    healthy.pass(60_000, &[]);
    healthy.assert_silent();
}
