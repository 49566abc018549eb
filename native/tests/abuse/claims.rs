//! Clients that state the `instanceId` of a device's row. Each attack ends with a normal client.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::READ;
use super::support::witness::{LEFT_KB, Witness};
use super::support::{Client, connect_params, row, within};
use super::support_device::signed;

/// Intruders of one flood, all connected at the same time.
const INTRUDERS: usize = 200;
/// Rows of both floods and more, so that the victim's row is not evicted after the victim left.
const MAX_ENTRIES: &str = "500";

/// The list of this client.
async fn list(client: &mut Client) -> Value {
    client.request("system-presence", json!({})).await["payload"].take()
}

/// The only row of the victim, without the members that a connect and a close write.
fn victim(list: &Value) -> Value {
    let mut own = row(list, "victim").clone();
    for name in ["ts", "onlineSince", "reason"] {
        own.as_object_mut().unwrap().remove(name);
    }
    let id = &own["deviceId"];
    let others = list.as_array().unwrap().iter();
    let same = others.filter(|other| other["instanceId"] == "victim" || other["deviceId"] == *id);
    assert_eq!(same.count(), 1, "{list}");
    own
}

/// Connects without scopes and without a device as the victim, and sends beacons about it.
async fn intruder(address: SocketAddr, device: &Value) -> Client {
    let mut params = connect_params("intruder", &[]);
    // A spelling that leads to the same key.
    params["client"]["instanceId"] = " VICTIM ".into();
    params["client"]["version"] = "6.6.6".into();
    params["client"]["mode"] = "webchat".into();
    let mut client = Client::open(address, "").await;
    client.hello(params).await;
    // About the id of its handshake: its own row.
    let own = json!({ "text": "mine", "instanceId": "victim", "deviceId": device, "platform": "stolen" });
    assert_eq!(client.request("system-event", own).await["ok"], true);
    // Whatever the answer is, this does not write the victim's row.
    let by_device = json!({ "text": "mine", "deviceId": device, "platform": "stolen" });
    client.request("system-event", by_device).await;
    client
}

/// Checks the rows of intruders: each connection has its own, without the ids.
fn are_apart(list: &Value, connected: usize) {
    let rows = list.as_array().unwrap().iter();
    let rows: Vec<_> = rows.filter(|row| row["host"] == "intruder").collect();
    let live = rows.iter().filter(|row| row["reason"] != "disconnect");
    assert_eq!(live.count(), connected, "{list}");
    for row in rows {
        assert!(
            row.get("instanceId").is_none() && row.get("deviceId").is_none(),
            "{row}"
        );
        assert_eq!(row["version"], "6.6.6", "{row}");
        assert_eq!(row["platform"], "stolen", "{row}");
    }
}

/// A flood of intruders, and the list while they are connected.
async fn flood(witness: &mut Witness, reader: &mut Client, device: &Value) -> Value {
    let address = witness.address();
    let mut intruders = Vec::new();
    let arrive = async {
        for _ in 0..INTRUDERS {
            intruders.push(intruder(address, device).await);
        }
    };
    witness.during(arrive).await;
    let listed = list(reader).await;
    are_apart(&listed, INTRUDERS);
    drop(intruders);
    within("the end of the intruders", async {
        let is_live = |row: &&Value| row["host"] == "intruder" && row["reason"] != "disconnect";
        while list(reader)
            .await
            .as_array()
            .unwrap()
            .iter()
            .any(|row| is_live(&row))
        {}
    })
    .await;
    listed
}

#[tokio::test]
async fn an_owned_row_stays_as_it_is_while_its_id_is_claimed() {
    let mut witness = Witness::start(&["--max-entries", MAX_ENTRIES]).await;
    let address = witness.address();
    let (mut reader, _) = Client::connect(address, "reader", READ).await;
    let mut owner = Client::open(address, "").await;
    let challenge = owner.event().await;
    let hello = owner.request("connect", signed("victim", &challenge, 0)).await;
    assert_eq!(hello["ok"], true, "{hello}");
    let listed = list(&mut reader).await;
    let (before, since) = (victim(&listed), &row(&listed, "victim")["onlineSince"]);
    let device = before["deviceId"].clone();
    assert!(device.is_string(), "{before}");

    // A client with an id of its own.
    let beacon = json!({ "text": "mine", "deviceId": device, "platform": "stolen" });
    assert_eq!(reader.request("system-event", beacon).await["ok"], false);

    // While the victim is connected.
    let listed = flood(&mut witness, &mut reader, &device).await;
    assert_eq!(victim(&listed), before);
    let now = row(&listed, "victim");
    assert!(
        now["reason"] == "connect" && now["onlineSince"] == *since,
        "{now}"
    );

    // After it left.
    drop(owner);
    within("the end of the victim", async {
        while row(&list(&mut reader).await, "victim")["reason"] != "disconnect" {}
    })
    .await;
    let listed = flood(&mut witness, &mut reader, &device).await;
    assert_eq!(victim(&listed), before);
    assert_eq!(row(&listed, "victim")["reason"], "disconnect");

    // With the key it gets its row back.
    let mut owner = Client::open(address, "").await;
    let challenge = owner.event().await;
    let hello = owner.request("connect", signed("victim", &challenge, 0)).await;
    let listed = &hello["payload"]["snapshot"]["presence"];
    assert_eq!(victim(listed), before);
    assert_eq!(row(listed, "victim")["reason"], "connect");
    drop((owner, reader));
    // Most of this memory is for the rows that stay.
    witness
        .is_unharmed(&["victim", "intruder", "reader"], 4 * LEFT_KB)
        .await;
}
