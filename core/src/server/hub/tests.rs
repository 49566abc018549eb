use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use serde_json::{Value, json};

use super::*;
use crate::model::{ClientInfo, Role};
use crate::server::{Outbox, Outgoing};

const START: Now = Now {
    age_ms: 0,
    wall_ms: 1_700_000_000_000,
};

fn hub() -> Hub {
    hub_of(200)
}

fn hub_of(max_entries: usize) -> Hub {
    Hub::new(
        HubConfig {
            limits: Limits::default(),
            ttl_ms: 300_000,
            max_entries,
            ephemeral_modes: vec!["cli".into()],
            hash_seed: 7,
            server_version: "1.0.0".into(),
            boot_id: "boot".into(),
            self_entry: PresenceEntry {
                host: Some("gw".into()),
                instance_id: Some("Self-1".into()),
                mode: Some("gateway".into()),
                reason: Some("self".into()),
                ..PresenceEntry::default()
            },
            auth_mode: "token",
        },
        START,
    )
}

fn handshake(name: &str, mode: &str, scopes: &[&str]) -> Handshake {
    Handshake {
        request_id: "1".into(),
        conn_id: ["conn-", name].concat().into(),
        protocol: 4,
        role: Role::Operator,
        scopes: scopes.iter().map(|&scope| scope.into()).collect(),
        client: Arc::new(ClientInfo {
            id: "test".into(),
            version: "1".into(),
            platform: "linux".into(),
            mode: mode.into(),
            instance_id: Some(name.into()),
            ..ClientInfo::default()
        }),
        device_id: None,
        caps: vec![],
        commands: vec![],
        remote_ip: Some("192.0.2.1".into()),
        user: None,
        may_report_input: false,
    }
}

/// Everything the hub wants sent to `conn`, as the frames the client would see.
fn frames(hub: &mut Hub, conn: ConnId) -> Vec<String> {
    let mut outbox = Outbox::new(1 << 20);
    let mut seen = Vec::new();
    while let Some(output) = hub.poll_output() {
        match output {
            HubOutput::Send(to, item) if to == conn => outbox.push(item).unwrap(),
            HubOutput::Ping(to) if to == conn => seen.push("ping".into()),
            HubOutput::Drop(to, close) if to == conn => seen.push(close.reason.into_owned()),
            _ => {}
        }
        while let Some(outgoing) = outbox.pop() {
            seen.push(match outgoing {
                Outgoing::Close(close) => close.reason.into_owned(),
                text => text.to_string(),
            });
        }
    }
    seen
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn call(hub: &mut Hub, conn: ConnId, method: &str, params: Value, now: Now) -> Value {
    hub.call(
        conn,
        &Request {
            id: "9".into(),
            method: method.into(),
            params: params.into(),
            beacon: None,
        },
        now,
    );
    let answer = frames(hub, conn)
        .into_iter()
        .find(|frame| frame.contains(r#""id":"9""#));
    json(&answer.unwrap())
}

#[test]
fn hello_is_first_and_holds_the_client() {
    let mut hub = hub();
    let conn = hub.join(handshake("a", "ui", &["operator.read"]), START);
    let frames = frames(&mut hub, conn);
    assert_eq!(frames.len(), 1, "the newcomer is not sent the version it has");
    let hello = json(&frames[0]);
    assert_eq!(hello["payload"]["snapshot"]["presence"][1]["instanceId"], "a");
    assert_eq!(
        hello["payload"]["snapshot"]["stateVersion"],
        json!({ "presence": 2, "health": 1 })
    );
}

#[test]
fn who_comes_together_is_greeted_with_one_list() {
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
            assert_eq!(to, reader, "who was greeted with this version is not told again");
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
fn who_comes_with_too_many_others_finds_itself_all_the_same() {
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

/// Rows without ids go before older ones with an id: those that join together must not evict each other
/// before their hello.
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

/// The names of those that are not in their own hello, in the order of the hellos.
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
fn who_is_evicted_for_the_bytes_of_others_finds_itself_first() {
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

/// Its row goes to the device, and there is no room for one of its own.
#[test]
fn who_leaves_its_row_for_a_device_that_joins_with_it_finds_itself_first() {
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

#[test]
fn a_cap_below_two_holds_one_row_beside_self() {
    for max_entries in [0, 1, 2] {
        let mut hub = hub_of(max_entries);
        let a = hub.join(handshake("a", "ui", &["operator.read"]), START);
        let b = hub.join(handshake("b", "ui", &["operator.read"]), START);
        assert_eq!(hub.rows(), 2);
        let own = call(
            &mut hub,
            a,
            "system-event",
            json!({ "text": "hi", "instanceId": "a" }),
            START,
        );
        assert_eq!(own["ok"], true);
        assert_eq!(hub.list(START)[1].instance_id.as_deref(), Some("a"));
        hub.pong(b, START);
        assert_eq!(hub.list(START)[1].instance_id.as_deref(), Some("a"));
    }
}

#[test]
fn evictions_are_counted_by_kind() {
    let mut hub = hub_of(3);
    let a = hub.join(handshake("a", "ui", &[]), START);
    hub.join(handshake("b", "ui", &[]), START);
    hub.join(handshake("c", "ui", &[]), START);
    assert_eq!((hub.evictions().live, hub.evictions().total()), (1, 1));
    hub.leave(a, LeaveCause::PeerClosed, START);
    let clerk = hub.join(handshake("clerk", "cli", &["operator.write"]), START);
    let b = ConnId { slot: 1, serial: 2 };
    hub.leave(b, LeaveCause::PeerClosed, START);
    for name in ["x", "y"] {
        let params = json!({ "text": "t", "instanceId": name });
        assert_eq!(call(&mut hub, clerk, "system-event", params, START)["ok"], true);
    }
    let expected = Evictions {
        closed: 1,
        live: 1,
        over_quota: 1,
    };
    assert_eq!(hub.evictions(), expected);
}

#[test]
fn others_hear_at_once_and_then_once_a_window() {
    let mut hub = hub();
    let reader = hub.join(handshake("a", "ui", &["operator.read"]), START);
    frames(&mut hub, reader);
    let later = START.after(1_000);
    for n in 0..5 {
        hub.join(handshake(&n.to_string(), "ui", &[]), later);
    }
    assert_eq!(frames(&mut hub, reader).len(), 1);
    assert_eq!(hub.poll_timeout(), Some(1_050));
    hub.handle_timeout(START.after(1_050));
    let frames = frames(&mut hub, reader);
    assert_eq!(json(&frames[0])["stateVersion"]["presence"], 7);
    assert_eq!(
        json(&frames[0])["payload"]["presence"].as_array().unwrap().len(),
        7
    );
}

#[test]
fn what_takes_long_to_send_is_sent_less_often() {
    for (took_ms, window_ms) in [(0, 50), (25, 50), (26, 52), (200, 400)] {
        let mut hub = hub();
        let reader = hub.join(handshake("a", "ui", &["operator.read"]), START);
        frames(&mut hub, reader);
        let begin = START.after(1_000);
        hub.join(handshake("b", "ui", &[]), begin);
        assert_eq!(frames(&mut hub, reader).len(), 1, "at once, as ever");
        hub.handle_sent(begin.after(took_ms));
        assert!(!hub.awaits_sent());
        hub.join(handshake("c", "ui", &[]), begin.after(took_ms));
        let end = START.after(1_000 + window_ms);
        assert_eq!(hub.poll_timeout(), Some(end.age_ms));
        hub.handle_timeout(end);
        assert_eq!(frames(&mut hub, reader).len(), 1, "the last state is told");
    }
}

#[test]
fn a_suspension_while_sending_silences_nobody() {
    let mut hub = hub();
    let reader = hub.join(handshake("a", "ui", &["operator.read"]), START);
    frames(&mut hub, reader);
    let begin = START.after(1_000);
    hub.join(handshake("b", "ui", &[]), begin);
    frames(&mut hub, reader);
    let woken = begin.after(8 * 3_600_000);
    hub.handle_sent(woken);
    hub.join(handshake("c", "ui", &[]), woken);
    let told = frames(&mut hub, reader);
    assert!(
        told.iter().any(|frame| frame.contains(r#""event":"presence""#)),
        "{told:?}"
    );
}

#[test]
fn own_beacons_need_no_scope_and_others_do() {
    let mut hub = hub();
    let conn = hub.join(handshake("a", "cli", &["operator.read"]), START);
    assert_eq!(hub.rows(), 1, "one-off commands make no row");
    let own = call(
        &mut hub,
        conn,
        "system-event",
        json!({ "text": "hi", "instanceId": " A" }),
        START,
    );
    assert_eq!(own["payload"], json!({ "ok": true }));
    let other = call(&mut hub, conn, "system-event", json!({ "text": "hi" }), START);
    assert_eq!(other["error"]["message"], "missing scope: operator.write");
    let gateway = call(
        &mut hub,
        conn,
        "system-event",
        json!({ "text": "hi", "instanceId": "self-1" }),
        START,
    );
    assert_eq!(gateway["ok"], false);
    assert_eq!(hub.rows(), 2);
}

#[test]
fn an_own_id_does_not_open_the_row_of_another_device() {
    let mut hub = hub();
    let mut victim = handshake("v", "ui", &[]);
    Arc::make_mut(&mut victim.client).instance_id = None;
    victim.device_id = Some("dev1".into());
    hub.join(victim, START);
    let thief = hub.join(handshake("a", "cli", &[]), START);
    let params = json!({ "text": "hi", "instanceId": "a", "deviceId": "dev1" });
    let answer = call(&mut hub, thief, "system-event", params, START);
    assert_eq!(answer["error"]["message"], "missing scope: operator.admin");
}

#[test]
fn silence_ends_a_connection_and_its_row() {
    let mut hub = hub();
    let conn = hub.join(handshake("a", "ui", &[]), START);
    frames(&mut hub, conn);
    hub.handle_timeout(START.after(25_000));
    assert_eq!(frames(&mut hub, conn), ["ping"]);
    hub.pong(conn, START.after(25_100));
    hub.handle_timeout(START.after(50_100));
    hub.handle_timeout(START.after(75_100));
    assert!(frames(&mut hub, conn).ends_with(&["ping timeout".into()]));
    assert_eq!(hub.connections(), 0);
    let rows = hub.list(START.after(75_100));
    assert_eq!(rows[1].reason.as_deref(), Some("disconnect"));
    hub.handle_timeout(START.after(325_101));
    assert_eq!(
        hub.rows(),
        1,
        "the TTL counts from the pong, not from our own close"
    );
}

#[test]
fn an_idle_hub_waits_for_nothing() {
    let mut hub = hub();
    let conn = hub.join(handshake("a", "cli", &[]), START);
    assert!(hub.poll_timeout().is_some());
    hub.leave(conn, LeaveCause::PeerClosed, START);
    assert_eq!(hub.poll_timeout(), None);
}

#[test]
fn shutdown_tells_everybody() {
    let mut hub = hub();
    let conn = hub.join(handshake("a", "ui", &[]), START);
    frames(&mut hub, conn);
    hub.shutdown("gateway stopping", START);
    let frames = frames(&mut hub, conn);
    assert_eq!(json(&frames[0])["payload"]["reason"], "gateway stopping");
    assert_eq!(frames[1], "service restart");
    assert_eq!(hub.poll_timeout(), None);
}

mod deltas;
mod nodes;
