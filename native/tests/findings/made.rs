//! The mistakes.

use serde_json::json;

use crate::lab::{Lab, MAC, PHONE_NODE, Person};

/// Each mistake, and the findings that it must lead to.
pub(crate) const ALL: [(&str, &[&str]); 24] = [
    ("a handshake with a placeholder", &["PLACEHOLDER_ID"]),
    ("a beacon with a placeholder", &["PLACEHOLDER_ID"]),
    ("an id written in two ways", &["ID_SPELLING"]),
    ("an id in two Unicode forms", &["ID_SPELLING"]),
    ("no id", &["NO_INSTANCE_ID"]),
    ("no id, but beacons with one", &["NO_INSTANCE_ID"]),
    ("beacons under another id", &["BEACON_ID_DIFFERS"]),
    ("a new id after a restart", &["SAME_MACHINE"]),
    ("a node behind a tunnel", &["NO_ADDRESS"]),
    ("a nearly full list", &["NEAR_CAP"]),
    ("a new id at every reload", &["NEW_ID_EACH_CONNECT"]),
    (
        "a new id at every reload through a tunnel",
        &["NEW_ID_EACH_CONNECT"],
    ),
    ("a cloned disk with another host name", &["ID_IN_TWO_PLACES"]),
    ("a cloned disk at another address", &["ID_IN_TWO_PLACES"]),
    (
        "a copied home with a command line that reports on each machine",
        &["ID_IN_TWO_PLACES"],
    ),
    ("one id with two device keys", &["ID_IN_TWO_PLACES"]),
    ("two sockets of one tab", &["TWO_SOCKETS"]),
    ("a client that closes at once", &["FLAPPING"]),
    ("a client that answers no ping", &["FLAPPING"]),
    ("a client whose calls are refused", &["FLAPPING"]),
    ("a clock that is ahead", &["CLIENT_CLOCK"]),
    (
        "a clock for which the gateway refuses the client",
        &["CLIENT_CLOCK"],
    ),
    ("a list that is too small", &["EVICTIONS", "NEAR_CAP"]),
    ("a beacon every second", &["BEACONS_TOO_OFTEN"]),
];

/// Ids and host names.
pub(crate) const NAMES: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

/// The Mac under another id.
pub(crate) fn mac_with_id(id: &'static str) -> Person {
    Person { id: Some(id), ..MAC }
}

/// A client without an address, with its id as its host name.
pub(crate) fn named(id: &'static str) -> Person {
    Person {
        id: Some(id),
        host: id,
        ip: None,
        ..MAC
    }
}

/// Makes the mistake.
pub(crate) async fn make(name: &str) -> Lab {
    let mut lab = Lab::new(|config| {
        if name == "a nearly full list" || name == "a list that is too small" {
            config.max_entries = 10;
        }
    })
    .await;
    match name {
        "a handshake with a placeholder" => {
            lab.join(&mac_with_id("undefined")).await;
        }
        "a beacon with a placeholder" => {
            let mac = lab.join(&MAC).await;
            lab.beacon(mac, json!({ "text": "hello", "instanceId": "null" }))
                .await;
        }
        "an id written in two ways" => {
            lab.join(&MAC).await;
            lab.join(&Person {
                id: Some("MAC -1"),
                mode: "webchat",
                ..MAC
            })
            .await;
        }
        "an id in two Unicode forms" => {
            lab.join(&mac_with_id("zo\u{e9}")).await;
            lab.join(&Person {
                id: Some("zoe\u{301}"),
                mode: "webchat",
                ..MAC
            })
            .await;
        }
        "no id" => {
            lab.join(&Person { id: None, ..MAC }).await;
        }
        "no id, but beacons with one" => {
            let mac = lab.join(&Person { id: None, ..MAC }).await;
            lab.beacon(
                mac,
                json!({ "text": "hello", "instanceId": "mac-1", "host": "studio" }),
            )
            .await;
        }
        "beacons under another id" => {
            let mac = lab.join(&MAC).await;
            lab.beacon(
                mac,
                json!({ "text": "hello", "instanceId": "mac-2", "host": "studio" }),
            )
            .await;
        }
        "a new id after a restart" => {
            let mac = lab.join(&MAC).await;
            lab.pass(20_000).await;
            lab.leave(mac).await;
            lab.pass(60_000).await;
            lab.join(&mac_with_id("mac-2")).await;
        }
        "a node behind a tunnel" => {
            lab.join(&Person {
                ip: None,
                host: "far-away",
                ..PHONE_NODE
            })
            .await;
        }
        "a nearly full list" => {
            for name in &NAMES[..8] {
                lab.join(&named(name)).await;
            }
        }
        "a new id at every reload" | "a new id at every reload through a tunnel" => {
            let ip = MAC.ip.filter(|_| name == "a new id at every reload");
            for id in &NAMES[..4] {
                let tab = lab
                    .join(&Person {
                        id: Some(id),
                        ip,
                        ..MAC
                    })
                    .await;
                lab.pass(30_000).await;
                if *id != "d" {
                    lab.leave(tab).await;
                    lab.pass(500).await;
                }
            }
        }
        "a cloned disk with another host name" => {
            lab.join(&MAC).await;
            lab.join(&Person {
                host: "laptop",
                ip: Some("192.0.2.8"),
                ..MAC
            })
            .await;
            lab.pass(60_000).await;
        }
        "a cloned disk at another address" => {
            lab.join(&MAC).await;
            lab.join(&Person {
                ip: Some("198.51.100.8"),
                ..MAC
            })
            .await;
            lab.pass(60_000).await;
        }
        "a copied home with a command line that reports on each machine" => {
            report_in_turn(&mut lab, ["studio", "laptop"]).await;
        }
        "one id with two device keys" => {
            lab.join(&Person {
                device: Some(1),
                ..MAC
            })
            .await;
            lab.join(&Person {
                device: Some(2),
                ..MAC
            })
            .await;
        }
        "two sockets of one tab" => {
            lab.join(&MAC).await;
            lab.join(&MAC).await;
            lab.pass(60_000).await;
        }
        "a client that closes at once" => {
            for _ in 0..6 {
                let mac = lab.join(&MAC).await;
                lab.leave(mac).await;
                lab.pass(1_000).await;
            }
        }
        "a client that answers no ping" => {
            for _ in 0..6 {
                let mac = lab.join(&MAC).await;
                let frozen = lab.freeze(mac);
                lab.pass(60_000).await;
                lab.wait_for(1).await;
                drop(frozen);
            }
        }
        "a client whose calls are refused" => {
            for _ in 0..6 {
                let node = lab.join(&PHONE_NODE).await;
                let mut node = lab.freeze(node);
                for _ in 0..11 {
                    node.send_request("health", json!({})).await;
                }
                assert_eq!(node.closed().await.1, "repeated unauthorized calls");
                lab.wait_for(1).await;
                lab.pass(1_000).await;
            }
        }
        "a clock that is ahead" => {
            lab.join(&Person {
                device: Some(1),
                clock_off_ms: 90_000,
                ..MAC
            })
            .await;
        }
        "a clock for which the gateway refuses the client" => {
            let off = Person {
                device: Some(1),
                clock_off_ms: -660_000,
                ..MAC
            };
            let refusal = lab.try_join(&off).await.unwrap_err();
            assert_eq!(refusal["details"]["code"], "DEVICE_AUTH_SIGNATURE_EXPIRED");
        }
        "a list that is too small" => {
            for name in NAMES {
                lab.join(&named(name)).await;
            }
        }
        "a beacon every second" => {
            let mac = lab.join(&MAC).await;
            for _ in 0..25 {
                lab.beacon(mac, json!({ "text": "hello", "instanceId": "mac-1" }))
                    .await;
                lab.pass(1_000).await;
            }
        }
        name => panic!("no such mistake: {name}"),
    }
    lab
}

/// Runs the command `beacon --every 5s` with one id on machines with these names.
pub(crate) async fn report_in_turn(lab: &mut Lab, hosts: [&'static str; 2]) {
    let mut commands = Vec::new();
    for host in hosts {
        let person = Person {
            host,
            mode: "beacon",
            ..MAC
        };
        commands.push((lab.join(&person).await, host));
    }
    for _ in 0..3 {
        for (at, host) in &commands {
            let beacon = json!({ "text": "hello", "instanceId": "mac-1", "host": host });
            lab.beacon(*at, beacon).await;
        }
        lab.pass(5_000).await;
    }
}
