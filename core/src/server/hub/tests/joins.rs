//! A client that joins is in its own hello, also if many join together.

use alloc::collections::BTreeMap;
use alloc::format;

use super::*;

#[test]
fn clients_that_join_together_share_one_list() {
    let mut hub = hub();
    let reader = hub.join(handshake("reader", "ui", &["operator.read"]), START);
    frames(&mut hub, reader);
    let later = START.after(1_000);
    let before = hub.work().rows_encoded;
    let together = ["a", "b", "c"].map(|id| handshake(id, "ui", &["operator.read"]));
    let conns = hub.join_all(together, later);
    assert_eq!(conns.len(), 3);
    assert_eq!(
        hub.work().rows_encoded - before,
        4,
        "each newcomer once, and self"
    );

    let mut heard: BTreeMap<u32, Vec<Value>> = BTreeMap::new();
    while let Some(output) = hub.poll_output() {
        if let HubOutput::Send(to, Item::Response(frame)) = output {
            heard.entry(to.slot).or_default().push(json(&frame.to_string()));
        } else if let HubOutput::Send(to, _) = output {
            assert_eq!(to, reader, "a version of a hello is not sent again");
        }
    }
    for conn in conns {
        let [hello] = &*heard[&conn.slot] else {
            panic!("one hello for each");
        };
        let snapshot = &hello["payload"]["snapshot"];
        assert_eq!(snapshot["presence"].as_array().unwrap().len(), 5);
        assert_eq!(snapshot["stateVersion"]["presence"], 5);
    }
}

#[test]
fn clients_beyond_the_cap_that_join_together_find_themselves() {
    let mut hub = hub_of(3);
    let together = ["a", "b", "c", "d", "e"].map(|id| handshake(id, "ui", &["operator.read"]));
    let conns = hub.join_all(together, START);
    let mut greeted = Vec::new();
    while let Some(output) = hub.poll_output() {
        if let HubOutput::Send(to, Item::Response(frame)) = output {
            let hello = json(&frame.to_string());
            let rows = hello["payload"]["snapshot"]["presence"].as_array().unwrap();
            let ids = rows.iter().filter_map(|row| row["instanceId"].as_str());
            let own = ["a", "b", "c", "d", "e"][greeted.len()];
            assert!(ids.clone().any(|id| id == own), "{own} is not in its own hello");
            greeted.push(to);
        }
    }
    assert_eq!(greeted, conns);
}

/// Rows without ids are evicted before older ones with an id: clients that join together must not evict each
/// other before their hello.
#[test]
fn clients_without_an_id_that_join_together_find_themselves() {
    let mut hub = hub_of(5);
    for name in ["a", "b", "c"] {
        let conn = hub.join(handshake(name, "ui", &[]), START);
        frames(&mut hub, conn);
    }
    let together = ["x", "y", "z"].map(|name| {
        let mut anonymous = handshake(name, "ui", &["operator.read"]);
        Arc::make_mut(&mut anonymous.client).instance_id = None;
        Arc::make_mut(&mut anonymous.client).display_name = Some(name.into());
        anonymous
    });
    hub.join_all(together, START.after(1));
    let mut names = ["x", "y", "z"].into_iter();
    while let Some(output) = hub.poll_output() {
        if let HubOutput::Send(_, Item::Response(frame)) = output {
            let hello = json(&frame.to_string());
            let rows = hello["payload"]["snapshot"]["presence"].as_array().unwrap();
            let name = names.next().unwrap();
            assert!(
                rows.iter().any(|row| row["host"] == name),
                "{name} is not in its hello"
            );
        }
    }
    assert_eq!(names.next(), None);
    let hosts: Vec<_> = hub
        .list(START.after(1))
        .into_iter()
        .filter_map(|row| row.instance_id)
        .collect();
    assert!(
        ["a", "b", "c"]
            .iter()
            .all(|id| hosts.iter().any(|host| **host == **id))
    );
}

/// The names of clients that are missing in their own hello, in the order of the hellos.
fn missing_in_their_hellos(hub: &mut Hub, names: &[String]) -> Vec<String> {
    let mut names = names.iter();
    let mut missing = Vec::new();
    while let Some(output) = hub.poll_output() {
        if let HubOutput::Send(_, Item::Response(frame)) = output {
            let name = names.next().unwrap();
            if !frame.to_string().contains(&format!(r#""host":"{name}""#)) {
                missing.push(name.clone());
            }
        }
    }
    assert_eq!(names.next(), None);
    missing
}

fn named(name: &str, host: &str, scopes: &[&str]) -> Handshake {
    let mut named = handshake(name, "ui", scopes);
    Arc::make_mut(&mut named.client).display_name = Some(host.into());
    named
}

#[test]
fn a_client_evicted_for_bytes_is_in_its_own_hello() {
    let mut hub = hub_of(600);
    for n in 0.. {
        hub.join(named(&format!("i{n}"), &"h".repeat(7_600), &[]), START);
        while hub.poll_output().is_some() {}
        if hub.evictions().live > 0 {
            break;
        }
    }
    let names: Vec<String> = (0..40).map(|n| format!("host-{n}")).collect();
    let together = names.iter().map(|name| {
        let mut anonymous = named(name, name, &["operator.read"]);
        Arc::make_mut(&mut anonymous.client).instance_id = None;
        anonymous
    });
    hub.join_all(together, START.after(1));
    assert!(hub.evictions().live > 1 && hub.rows() < 600, "evicted for bytes");
    assert_eq!(missing_in_their_hellos(&mut hub, &names), [""; 0]);
}

/// The device gets its row, and there is no room for another one.
#[test]
fn a_client_moved_by_a_device_is_in_its_own_hello() {
    let mut hub = hub_of(3);
    let old = hub.join(handshake("old", "ui", &[]), START);
    frames(&mut hub, old);
    let names = ["first", "second"].map(String::from);
    let mut device = named("a", "second", &["operator.read"]);
    device.conn_id = "conn-second".into();
    device.device_id = Some("dev1".into());
    let together = [named("a", "first", &["operator.read"]), device];
    let conns = hub.join_all(together, START.after(1));
    assert_eq!(hub.members.get(conns[0].slot).unwrap().row, None, "no room");
    assert_eq!(missing_in_their_hellos(&mut hub, &names), [""; 0]);
}
