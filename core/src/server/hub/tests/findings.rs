//! Findings of `presence.explain` from the gateway's memory; their healthy variants give none.

mod bounds;
mod ids;
mod lab;
mod turns;

use self::lab::{Client, Lab, MAC};
use super::*;

fn evidence(finding: &Value) -> String {
    finding["evidence"].to_string()
}

#[test]
fn one_id_in_two_places() {
    let (laptop, moved) = (
        Client {
            host: Some("laptop"),
            ip: Some("192.0.2.8"),
            ..MAC
        },
        Client {
            ip: Some("198.51.100.8"),
            ..MAC
        },
    );
    for (other, confidence) in [(&laptop, "high"), (&moved, "medium")] {
        let mut lab = Lab::new(200);
        lab.join(&MAC);
        lab.join(other);
        lab.pass(60_000, &[]);
        let found = lab.assert_finds("ID_IN_TWO_PLACES", &json!(["mac-1"]));
        assert_eq!(found["confidence"], confidence);
    }
    let mut keys = Lab::new(200);
    keys.join(&Client {
        device: Some("d1"),
        ..MAC
    });
    keys.join(&Client {
        device: Some("d2"),
        ..MAC
    });
    keys.assert_finds("ID_IN_TWO_PLACES", &json!(["mac-1", "CONN:c-2"]));
    // A phone that goes from one network to another, with its old socket open until the gateway notices.
    let mut healthy = Lab::new(200);
    let dead = healthy.join(&MAC);
    healthy.pass(60_000, &[]);
    healthy.join(&moved);
    healthy.pass(20_000, &[dead]);
    healthy.assert_silent();
    // The same client by both families of addresses.
    let mut families = Lab::new(200);
    families.join(&MAC);
    families.join(&Client {
        ip: Some("2001:db8::7"),
        mode: "webchat",
        ..MAC
    });
    families.pass(60_000, &[]);
    families.assert_silent();
}

#[test]
fn two_sockets_of_one_client() {
    let mut lab = Lab::new(200);
    lab.join(&MAC);
    lab.join(&MAC);
    lab.pass(60_000, &[]);
    lab.assert_finds("TWO_SOCKETS", &json!(["mac-1"]));
    // A dead socket, which the gateway did not notice yet, is not one of them.
    let mut lab = Lab::new(200);
    let dead = lab.join(&MAC);
    lab.pass(1_000, &[dead]);
    lab.join(&MAC);
    lab.join(&MAC);
    lab.pass(30_000, &[dead]);
    let found = lab.assert_finds("TWO_SOCKETS", &json!(["mac-1"]));
    assert!(evidence(&found).contains("\"2 live connections"), "{found}");
    // A phone has one socket as operator and one as node.
    let mut healthy = Lab::new(200);
    healthy.join(&MAC);
    healthy.join(&Client {
        role: Role::Node,
        mode: "node",
        ..MAC
    });
    healthy.pass(60_000, &[]);
    healthy.assert_silent();
    // A reconnect while the old socket is dead and not yet closed.
    let mut healthy = Lab::new(200);
    let dead = healthy.join(&MAC);
    healthy.pass(60_000, &[]);
    healthy.join(&MAC);
    healthy.pass(20_000, &[dead]);
    healthy.assert_silent();
}

#[test]
fn a_client_that_reconnects_again_and_again() {
    for (cause, words) in [
        (LeaveCause::PeerClosed, "within 5 s after the handshake"),
        (LeaveCause::Silent, "no pong came"),
        (LeaveCause::WeClosed, "too slowly"),
    ] {
        let mut lab = Lab::new(200);
        for _ in 0..6 {
            let conn = lab.join(&MAC);
            lab.pass(500, &[]);
            lab.hub.leave(conn, cause, lab.now);
            lab.pass(500, &[]);
        }
        let found = lab.assert_finds("FLAPPING", &json!(["mac-1"]));
        assert!(evidence(&found).contains(words), "{found}");
    }
    // A reload or two, a laptop that sleeps, and a command line that connects every 10 s.
    let mut healthy = Lab::new(200);
    for _ in 0..30 {
        let cli = healthy.join(&Client {
            mode: "cli",
            id: Some("cli-1"),
            ..MAC
        });
        healthy.pass(200, &[]);
        healthy.leave(cli);
        healthy.pass(9_800, &[]);
    }
    for _ in 0..3 {
        let conn = healthy.join(&MAC);
        healthy.pass(60_000, &[]);
        healthy.pass(60_000, &[conn]);
        healthy.leave(conn);
    }
    healthy.join(&MAC);
    healthy.assert_silent();
}

#[test]
fn a_clients_clock() {
    for (skew_ms, words) in [(90_000, "90 s ahead of"), (-90_000, "90 s behind")] {
        let mut lab = Lab::new(200);
        lab.join(&Client {
            device: Some("d1"),
            skew_ms: Some(skew_ms),
            ..MAC
        });
        let found = lab.assert_finds("CLIENT_CLOCK", &json!(["mac-1"]));
        assert!(evidence(&found).contains(words), "{found}");
        // Its next proof is right.
        lab.join(&Client {
            device: Some("d1"),
            skew_ms: Some(10),
            mode: "webchat",
            ..MAC
        });
        lab.assert_silent();
    }
    let mut healthy = Lab::new(200);
    healthy.join(&Client {
        device: Some("d1"),
        skew_ms: Some(-2_000),
        ..MAC
    });
    healthy.assert_silent();
}

#[test]
fn rows_evicted_for_lack_of_room() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    let mut lab = Lab::new(10);
    for id in names {
        lab.join(&Client {
            id: Some(id),
            host: Some(id),
            ip: None,
            ..MAC
        });
    }
    let (codes, found) = lab.found();
    assert_eq!(codes, ["EVICTIONS", "NEAR_CAP"]);
    // A quota removes rows too, of a list that has room.
    assert!(evidence(&found[0]).contains("Removed in the last "), "{found:?}");
    assert!(evidence(&found[0]).contains(": 3 rows, "), "{found:?}");
    assert!(
        evidence(&found[0]).contains("3 of them of connected clients"),
        "{found:?}"
    );
    lab.pass(600_001, &[]);
    assert_eq!(lab.found().0, ["NEAR_CAP"]);
    let mut healthy = Lab::new(14);
    for id in &names[..11] {
        healthy.join(&Client {
            id: Some(id),
            host: Some(id),
            ip: None,
            ..MAC
        });
    }
    healthy.assert_silent();
}

#[test]
fn beacons_too_often() {
    let mut lab = Lab::new(200);
    let conn = lab.join(&MAC);
    for _ in 0..21 {
        lab.beacon(conn, json!({ "text": "t", "instanceId": "mac-1" }));
        lab.pass(1_000, &[]);
    }
    let found = lab.assert_finds("BEACONS_TOO_OFTEN", &json!(["mac-1"]));
    assert!(evidence(&found).contains("21 beacons"), "{found}");
    // One in 5 s; and one connection that reports about many.
    let mut healthy = Lab::new(200);
    let conn = healthy.join(&MAC);
    for _ in 0..24 {
        healthy.beacon(conn, json!({ "text": "t", "instanceId": "mac-1" }));
        healthy.pass(5_000, &[]);
    }
    healthy.assert_silent();
    for _ in 0..5 {
        for host in ["p1", "p2", "p3", "p4", "p5", "p6", "p7"] {
            healthy.beacon(conn, json!({ "text": "t", "instanceId": host, "host": host }));
        }
        healthy.pass(5_000, &[]);
    }
    healthy.assert_silent();
}

#[test]
fn reconnects_after_a_restart_are_no_finding() {
    let mut healthy = Lab::new(200);
    for id in ["a", "b", "c", "d"] {
        healthy.join(&Client {
            id: Some(id),
            host: Some(id),
            ..MAC
        });
        healthy.join(&Client {
            id: Some(id),
            host: Some(id),
            role: Role::Node,
            mode: "node",
            ..MAC
        });
    }
    // On the gateway's own host, and so without an ip.
    healthy.join(&Client {
        id: Some("local"),
        host: Some("gw"),
        ip: None,
        ..MAC
    });
    healthy.pass(60_000, &[]);
    healthy.assert_silent();
}
