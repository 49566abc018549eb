//! Beacons of several connections about one row: one id in two places (SPEC 1.2).

use alloc::format;

use super::*;

/// The command `beacon --every 60s`, whose mode makes no row.
const VM: Client = Client {
    id: Some("vm"),
    host: None,
    ip: None,
    mode: "beacon",
    ..MAC
};

/// Sends beacons with the id `vm` and these hosts in this order; each connection is the client at that place.
fn reports(lab: &mut Lab, beacons: &[(ConnId, &str)]) {
    for (conn, host) in beacons {
        let params = json!({ "text": "t", "instanceId": "vm", "host": host });
        let answer = lab.beacon(*conn, params);
        assert_eq!(answer["ok"], true, "{answer}");
        lab.pass(5_000, &[]);
    }
}

/// Two connections with the id `vm`, and their beacons with these two hosts in turn, so many.
fn in_turn(hosts: [&'static str; 2], count: usize) -> (Lab, [ConnId; 2]) {
    let mut lab = Lab::new(200);
    let conns = hosts.map(|_| lab.join(&VM));
    let beacons: Vec<_> = (0..count)
        .map(|number| (conns[number % 2], hosts[number % 2]))
        .collect();
    reports(&mut lab, &beacons);
    (lab, conns)
}

fn shared(lab: &Lab) -> u64 {
    lab.hub.disputes().shared
}

#[test]
fn beacons_that_write_different_hosts_in_turn() {
    let (mut lab, [_, clone]) = in_turn(["vm-1", "vm-2"], 4);
    let found = lab.assert_finds("ID_IN_TWO_PLACES", &json!(["vm"]));
    assert_eq!(
        (&found["severity"], &found["confidence"]),
        (&json!("error"), &json!("high"))
    );
    assert_eq!(shared(&lab), 1);
    lab.leave(clone);
    lab.assert_silent();

    // Each further write is another turn.
    let (mut lab, [_, last]) = in_turn(["vm-1", "vm-2"], 10);
    assert_eq!(shared(&lab), 7);
    // The last one was 5 s ago, and turns count for 10 min. More beacons of the last writer are no turns.
    reports(&mut lab, &[(last, "vm-2"); 118]);
    lab.assert_finds("ID_IN_TWO_PLACES", &json!(["vm"]));
    reports(&mut lab, &[(last, "vm-2"); 3]);
    lab.assert_silent();

    // The names in the handshakes are part of the evidence.
    let mut lab = Lab::new(200);
    let conns = ["vm-1", "vm-2"].map(|host| {
        let conn = lab.join(&Client {
            host: Some(host),
            ..VM
        });
        (conn, host)
    });
    reports(&mut lab, &[conns, conns].concat());
    let found = lab.assert_finds("ID_IN_TWO_PLACES", &json!(["vm"]));
    let evidence = evidence(&found);
    assert!(
        evidence.contains(r#"\"vm-1\" and \"vm-2\""#) && evidence.contains(r#"\"vm\""#),
        "{evidence}"
    );

    // Any number of clones: the first comes back after all others.
    let mut lab = Lab::new(200);
    let hosts: Vec<String> = (0..20).map(|number| format!("vm-{number}")).collect();
    let beacons: Vec<_> = hosts.iter().map(|host| (lab.join(&VM), &**host)).collect();
    reports(&mut lab, &[&beacons[..], &beacons[..2]].concat());
    lab.assert_finds("ID_IN_TWO_PLACES", &json!(["vm"]));
    assert_eq!(shared(&lab), 1);

    // A connection with a row of its own whose handshake has no host.
    let mut lab = Lab::new(200);
    let (app, clone) = (lab.join(&Client { mode: "ui", ..VM }), lab.join(&VM));
    reports(
        &mut lab,
        &[(app, "vm-1"), (clone, "vm-2"), (app, "vm-1"), (clone, "vm-2")],
    );
    lab.assert_finds("ID_IN_TWO_PLACES", &json!(["vm"]));
}

/// Two tracked clients on two hosts are one finding, however they are found.
#[test]
fn one_conflict_is_one_finding() {
    let mut lab = Lab::new(200);
    let conns = ["vm-1", "vm-2"].map(|host| {
        let conn = lab.join(&Client {
            host: Some(host),
            mode: "ui",
            ..VM
        });
        (conn, host)
    });
    lab.pass(60_000, &[]);
    reports(&mut lab, &[conns, conns].concat());
    lab.assert_finds("ID_IN_TWO_PLACES", &json!(["vm"]));
}

#[test]
fn healthy_beacons_about_one_row() {
    let silent = |mut lab: Lab| {
        lab.assert_silent();
        assert_eq!(shared(&lab), 0);
    };
    // Programs of one host, and spellings of one host.
    for hosts in [
        ["vm-1", "vm-1"],
        ["Jo’s Mac", "Jos-Mac.local"],
        ["vm-1", " VM-1"],
        ["vm-1", "vm-1.lan"],
        ["VM-1.example.org", "vm-1"],
        ["vm-1", "unknown"],
    ] {
        silent(in_turn(hosts, 10).0);
    }
    // Addresses do not count, as in findings for readers from whom they are hidden.
    silent(in_turn(["192.0.2.7", "192.0.2.8"], 10).0);
    // One beacon about the row by another client, as a correction: A, B, A.
    silent(in_turn(["vm-1", "vm-2"], 3).0);

    // A client that was renamed and reconnects, while the old connection is open.
    for closes in [true, false] {
        let mut lab = Lab::new(200);
        let old = lab.join(&VM);
        reports(&mut lab, &[(old, "vm-1"), (old, "vm-1")]);
        if closes {
            lab.leave(old);
        }
        let new = lab.join(&VM);
        reports(&mut lab, &[(new, "vm-2"), (new, "vm-2"), (new, "vm-2")]);
        silent(lab);
    }

    // Single beacons of connections that end, each on another host.
    let mut lab = Lab::new(200);
    for _ in 0..5 {
        for host in ["vm-1", "vm-2"] {
            let conn = lab.join(&VM);
            reports(&mut lab, &[(conn, host)]);
            lab.leave(conn);
        }
    }
    silent(lab);

    // A handshake wrote the host in between.
    let mut lab = Lab::new(200);
    let conns = [lab.join(&VM), lab.join(&VM)];
    reports(
        &mut lab,
        &[(conns[0], "vm-1"), (conns[1], "vm-2"), (conns[0], "vm-1")],
    );
    lab.join(&Client {
        host: Some("vm-3"),
        mode: "ui",
        ..VM
    });
    reports(&mut lab, &[(conns[1], "vm-2")]);
    silent(lab);

    // A client that reports about other machines does not have their ids.
    for mode in ["beacon", "ui"] {
        let mut lab = Lab::new(200);
        let own = lab.join(&VM);
        let other = lab.join(&Client {
            id: Some("monitor"),
            host: Some("monitor"),
            mode,
            ..VM
        });
        for _ in 0..5 {
            reports(&mut lab, &[(own, "vm-1"), (other, "vm-2")]);
        }
        silent(lab);
    }
}
