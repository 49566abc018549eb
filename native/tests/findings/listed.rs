//! Rows that only OpenClaw's gateways list: real clients of a gateway that makes rows as those do, and `doctor`.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio_tungstenite::tungstenite::Message;

use crate::lab::{MAC, Person, params};
use crate::support::{Client, within};

/// Each mistake, and the findings that it must lead to.
pub(crate) const MADE: [(&str, &[&str]); 1] = [(
    "a closed connection beside beacons of its client, at OpenClaw's gateway",
    &["STALE_DISCONNECT"],
)];

pub(crate) const HEALTHY: [&str; 1] = ["a connection beside beacons of its client, at OpenClaw's gateway"];

/// Returns the findings of `doctor`.
pub(crate) async fn make(name: &str) -> Vec<Value> {
    let gateway = OpenClaw::start().await;
    let keyed = Person {
        device: Some(1),
        ..MAC
    };
    let mut mac = Client::open(gateway.address, "").await;
    let challenge = mac.event().await["payload"].clone();
    let hello = mac.request("connect", params(&keyed, &challenge)).await;
    assert_eq!(hello["ok"], true, "{hello}");
    let beacon = json!({ "text": "hello", "instanceId": "mac-1", "host": "studio", "reason": "periodic" });
    mac.request("system-event", beacon).await;
    if name == MADE[0].0 {
        drop(mac);
        within("the end of the connection", async {
            while !gateway.lists("disconnect") {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    gateway.doctor().await
}

/// A gateway that keys the row of a handshake by the device and that of a beacon by the instance, as OpenClaw's do.
struct OpenClaw {
    address: SocketAddr,
    rows: Rows,
}

#[derive(Clone, Default)]
struct Rows(Arc<Mutex<Vec<(String, Value)>>>);

impl OpenClaw {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let rows = Rows::default();
        rows.put(
            "self",
            json!({ "host": "gateway", "ip": "192.0.2.1", "mode": "gateway", "reason": "self" }),
        );
        let all = rows.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, all.clone()));
            }
        });
        Self { address, rows }
    }

    fn lists(&self, reason: &str) -> bool {
        let rows = self.rows.0.lock().unwrap();
        rows.iter().any(|(_, row)| row["reason"] == reason)
    }

    async fn doctor(&self) -> Vec<Value> {
        let url = format!("ws://{}", self.address);
        let doctor = Command::new(env!("CARGO_BIN_EXE_presence-gateway"))
            .args(["doctor", "--url", &url, "--json"])
            .output();
        let output = within("doctor", doctor).await.unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        let report: Value = serde_json::from_str(&printed)
            .unwrap_or_else(|_| panic!("{printed}{}", String::from_utf8_lossy(&output.stderr)));
        assert_eq!(report["source"], "list");
        report["findings"].as_array().unwrap().clone()
    }
}

impl Rows {
    fn put(&self, key: &str, mut row: Value) {
        row["ts"] = 1_800_000_000_000_u64.into();
        let mut rows = self.0.lock().unwrap();
        rows.retain(|(other, _)| other != key);
        rows.push((key.to_owned(), row));
    }

    fn list(&self) -> Value {
        self.0
            .lock()
            .unwrap()
            .iter()
            .map(|(_, row)| row.clone())
            .collect()
    }
}

/// One connection. Command lines get no row.
async fn serve(stream: TcpStream, rows: Rows) {
    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
    let challenge =
        json!({ "type": "event", "event": "connect.challenge", "payload": { "nonce": "n", "ts": 1 } });
    socket.send(Message::text(challenge.to_string())).await.unwrap();
    let mut own = None;
    while let Some(Ok(Message::Text(text))) = socket.next().await {
        let request: Value = serde_json::from_str(&text).unwrap();
        let params = &request["params"];
        let payload = match request["method"].as_str().unwrap() {
            "connect" => {
                let client = &params["client"];
                if let Some(device) = params["device"]["id"]
                    .as_str()
                    .filter(|_| client["mode"] != "cli")
                {
                    let row = json!({
                        "host": client["displayName"], "ip": "192.0.2.7", "mode": client["mode"], "reason": "connect",
                        "deviceId": device, "instanceId": client["instanceId"],
                    });
                    rows.put(device, row.clone());
                    own = Some((device.to_owned(), row));
                }
                json!({
                    "type": "hello-ok", "protocol": 4, "server": { "version": "2026.9.6", "connId": "c" },
                    "features": { "methods": ["system-presence", "system-event"], "events": ["presence"] },
                    "snapshot": { "presence": rows.list(), "health": {}, "stateVersion": { "presence": 1, "health": 1 }, "uptimeMs": 1 },
                    "auth": { "role": "operator", "scopes": params["scopes"] },
                    "policy": { "maxPayload": 1_000_000, "maxBufferedBytes": 1_000_000, "tickIntervalMs": 30_000 },
                })
            }
            "system-event" => {
                let mut row = params.clone();
                row["ip"] = "192.0.2.7".into();
                row["mode"] = "ui".into();
                rows.put(params["instanceId"].as_str().unwrap(), row);
                json!({ "ok": true })
            }
            "system-presence" => rows.list(),
            method => panic!("no method {method}"),
        };
        let answer = json!({ "type": "res", "id": request["id"], "ok": true, "payload": payload });
        socket.send(Message::text(answer.to_string())).await.unwrap();
    }
    if let Some((key, mut row)) = own {
        row["reason"] = "disconnect".into();
        rows.put(&key, row);
    }
}
