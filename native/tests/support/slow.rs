//! Clients that read slowly or not at all.

use std::net::SocketAddr;

use presence_gateway::RunningGateway;
use presence_gateway::clock::Manual;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::frames::{TEXT, frame};
use super::{Client, connect_params, row, within};

/// Answers that one client does not read: 287 KB, of which the buffers of the sockets hold less. The rest waits in the
/// gateway, which would stop reading requests only after more.
pub(crate) const ANSWERS: usize = 250;

/// Fills the roster with rows of about 4 KB each.
pub(crate) async fn fill(client: &mut Client<impl AsyncRead + AsyncWrite + Unpin>, rows: usize) {
    for n in 0..rows {
        let params =
            json!({ "text": "x".repeat(4_000), "instanceId": format!("row-{n}"), "reason": "periodic" });
        let response = client.request("system-event", params).await;
        assert_eq!(response["ok"], true, "{response}");
    }
}

/// A connection with small buffers.
pub(crate) async fn small_socket(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    socket.connect(address).await.unwrap()
}

/// A client that sends [`ANSWERS`] requests and a beacon, and does not read.
pub(crate) async fn unread_answers(address: SocketAddr, name: &str) -> Client {
    let stream = small_socket(address).await;
    let mut client = Client::over(stream, ("/any", "localhost"), "").await;
    client.hello(connect_params(name, &[])).await;
    let id = "i".repeat(1_000);
    let request = format!(r#"{{"type":"req","id":"{id}","method":"no.such.method"}}"#);
    let mut requests = frame(TEXT, request.as_bytes()).repeat(ANSWERS);
    let beacon = json!({ "text": "t", "instanceId": name, "reason": "last" });
    let beacon = json!({ "type": "req", "id": "last", "method": "system-event", "params": beacon });
    requests.extend(frame(TEXT, beacon.to_string().as_bytes()));
    client.stream().write_all(&requests).await.unwrap();
    client
}

/// Waits until the gateway has handled all requests of so many of these clients.
pub(crate) async fn until_handled(reader: &mut Client, clients: usize) {
    let is_handled = |row: &&Value| row["reason"] == "last";
    within("the last requests", async {
        loop {
            let answer = reader.request("system-presence", json!({})).await;
            let rows = answer["payload"].as_array().unwrap();
            if rows.iter().filter(is_handled).count() == clients {
                return;
            }
        }
    })
    .await;
}

/// Connects, and then stops reading: this does not delay the writer, and the gateway closes the connection in time.
/// The row shows this, because the client does not read the close either.
pub(crate) async fn stops_reading(
    mut stopped: Client<impl AsyncRead + AsyncWrite + Unpin>,
    writer: &mut Client<impl AsyncRead + AsyncWrite + Unpin>,
    (gateway, clock): (&RunningGateway, &Manual),
) {
    fill(writer, 50).await;
    stopped.event().await;
    stopped
        .send_request("connect", connect_params("stopped", &["operator.read"]))
        .await;
    // Far more than the buffers of any socket.
    for n in 0..100 {
        let params = json!({ "text": format!("{n}"), "instanceId": "changing" });
        assert_eq!(writer.request("system-event", params).await["ok"], true);
        // The window ends, so the change is broadcast.
        clock.advance(60);
        let event = writer.event_named("presence").await;
        assert_eq!(
            row(&event["payload"]["presence"], "changing")["text"],
            n.to_string()
        );
    }
    for _ in 0..21 {
        clock.advance(1_000);
        gateway.settle().await;
        tokio::task::yield_now().await;
    }
    let list = within("the end of the reader that stopped", async {
        loop {
            let list = writer.request("system-presence", json!({})).await["payload"].clone();
            if row(&list, "stopped")["reason"] == "disconnect" {
                break list;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(row(&list, "writer")["reason"], "connect");
}
