//! Clients without mistakes.

use serde_json::json;

use crate::lab::{Lab, MAC, PHONE_NODE, Person};
use crate::made::{NAMES, mac_with_id, named, report_in_turn};

pub(crate) const ALL: [&str; 23] = [
    "a client with an id",
    "an id that only begins like a placeholder",
    "beacons under the id of the handshake",
    "two command lines that report about their machine",
    "a device key and no id",
    "a report about another machine",
    "reports about many machines",
    "a client on the gateway's host",
    "a node behind a tunnel that states the address",
    "a phone with an operator and a node socket",
    "two tabs on one machine",
    "tabs on one machine that come and go",
    "a reload with a stored id",
    "some reloads with a stored id",
    "a restart of the gateway",
    "a command line every ten seconds",
    "a laptop that sleeps",
    "a reconnect while the old socket is dead",
    "a phone that changes its network",
    "a client by IPv4 and IPv6",
    "a clock that is two seconds off",
    "a list with room",
    "a beacon every five seconds",
];

/// Runs the situation.
pub(crate) async fn make(name: &str) -> Lab {
    let mut lab = Lab::new(|config| {
        if name == "a list with room" {
            config.max_entries = 14;
        }
    })
    .await;
    match name {
        "a client with an id" => {
            lab.join(&MAC).await;
        }
        "an id that only begins like a placeholder" => {
            lab.join(&mac_with_id("undefined-1")).await;
        }
        "beacons under the id of the handshake" => {
            let mac = lab.join(&MAC).await;
            for reason in ["launch", "periodic"] {
                let beacon =
                    json!({ "text": "hello", "instanceId": "mac-1", "host": "studio", "reason": reason });
                lab.beacon(mac, beacon).await;
                lab.pass(60_000).await;
            }
        }
        "two command lines that report about their machine" => {
            report_in_turn(&mut lab, ["Jo’s Mac", "Jos-Mac.local"]).await;
        }
        "a device key and no id" => {
            lab.join(&Person {
                id: None,
                device: Some(1),
                ..MAC
            })
            .await;
        }
        "a report about another machine" => {
            let mac = lab.join(&MAC).await;
            lab.beacon(
                mac,
                json!({ "text": "hello", "instanceId": "printer", "host": "printer" }),
            )
            .await;
        }
        "reports about many machines" => {
            let mac = lab.join(&MAC).await;
            for _ in 0..5 {
                for name in NAMES {
                    lab.beacon(mac, json!({ "text": "hello", "instanceId": name, "host": name }))
                        .await;
                }
                lab.pass(10_000).await;
            }
        }
        "a client on the gateway's host" => {
            let host: &'static str = lab.own_host().await.leak();
            lab.join(&Person {
                ip: None,
                host,
                model: Some("Mac16,6"),
                ..MAC
            })
            .await;
        }
        "a node behind a tunnel that states the address" => {
            lab.join(&Person {
                host: "far-away",
                ..PHONE_NODE
            })
            .await;
        }
        "a phone with an operator and a node socket" => {
            lab.join(&Person {
                device: Some(1),
                ..MAC
            })
            .await;
            lab.join(&Person {
                device: Some(1),
                ..PHONE_NODE
            })
            .await;
            lab.pass(60_000).await;
        }
        "two tabs on one machine" => {
            lab.join(&mac_with_id("tab-1")).await;
            lab.join(&mac_with_id("tab-2")).await;
            lab.pass(60_000).await;
        }
        "tabs on one machine that come and go" => {
            let first = lab.join(&mac_with_id("tab-1")).await;
            let second = lab.join(&mac_with_id("tab-2")).await;
            lab.pass(60_000).await;
            lab.leave(first).await;
            lab.pass(5_000).await;
            lab.join(&mac_with_id("tab-3")).await;
            lab.pass(60_000).await;
            lab.leave(second).await;
        }
        "a reload with a stored id" | "some reloads with a stored id" => {
            let reloads = if name == "a reload with a stored id" { 1 } else { 4 };
            for _ in 0..reloads {
                let tab = lab.join(&MAC).await;
                lab.pass(20_000).await;
                lab.leave(tab).await;
                lab.pass(300).await;
            }
            lab.join(&MAC).await;
        }
        "a restart of the gateway" => {
            for name in NAMES {
                lab.join(&named(name)).await;
            }
            lab.end().await;
            lab = Lab::new(|_| {}).await;
            for name in NAMES {
                lab.join(&named(name)).await;
            }
            lab.pass(60_000).await;
        }
        "a command line every ten seconds" => {
            for _ in 0..20 {
                let cli = lab
                    .join(&Person {
                        id: None,
                        mode: "cli",
                        ..MAC
                    })
                    .await;
                lab.leave(cli).await;
                lab.pass(10_000).await;
            }
        }
        "a laptop that sleeps" => {
            for _ in 0..3 {
                let mac = lab.join(&MAC).await;
                lab.pass(60_000).await;
                let asleep = lab.freeze(mac);
                lab.pass(60_000).await;
                lab.wait_for(1).await;
                drop(asleep);
            }
            lab.join(&MAC).await;
        }
        "a reconnect while the old socket is dead" => {
            let mac = lab.join(&MAC).await;
            lab.pass(60_000).await;
            lab.kill(mac);
            lab.join(&MAC).await;
            lab.pass(20_000).await;
        }
        "a phone that changes its network" => {
            let phone = lab.join(&MAC).await;
            lab.pass(60_000).await;
            lab.kill(phone);
            lab.join(&Person {
                ip: Some("198.51.100.8"),
                ..MAC
            })
            .await;
            lab.pass(20_000).await;
        }
        "a client by IPv4 and IPv6" => {
            lab.join(&MAC).await;
            lab.join(&Person {
                ip: Some("2001:db8::7"),
                ..PHONE_NODE
            })
            .await;
            lab.pass(60_000).await;
        }
        "a clock that is two seconds off" => {
            lab.join(&Person {
                device: Some(1),
                clock_off_ms: -2_000,
                ..MAC
            })
            .await;
        }
        "a list with room" => {
            for name in &NAMES[..11] {
                lab.join(&named(name)).await;
            }
        }
        "a beacon every five seconds" => {
            let mac = lab.join(&MAC).await;
            for _ in 0..24 {
                lab.beacon(mac, json!({ "text": "hello", "instanceId": "mac-1" }))
                    .await;
                lab.pass(5_000).await;
            }
        }
        name => panic!("nothing is called {name}"),
    }
    lab
}
