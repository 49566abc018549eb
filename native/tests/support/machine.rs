//! Core's client over a socket, as a program of an application runs it.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use presence_core::client::{Client, ClientConfig, ClientEvent, ClientOutput, ClientState};
use presence_gateway::Clock;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedSender;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::within;

/// A client with its socket.
struct Machine {
    client: Client,
    clock: Clock,
    address: SocketAddr,
    socket: Option<(u64, WebSocketStream<TcpStream>)>,
}

/// Keeps a client connected. A `writer` sends beacons without a pause. Reports the delay that the client chooses after
/// the end of each connection, in ms.
pub(crate) async fn keep_connected(
    config: ClientConfig,
    address: SocketAddr,
    is_writer: bool,
    delays: UnboundedSender<u64>,
) {
    let beacon =
        json!({ "text": "busy", "mode": config.client.mode, "instanceId": config.client.instance_id });
    let beacon = RawValue::from_string(beacon.to_string()).unwrap();
    let clock = Clock::system();
    let mut machine = Machine {
        client: Client::new(config, clock.now()),
        clock,
        address,
        socket: None,
    };
    machine.client.start(machine.clock.now());
    let mut was_live = false;
    loop {
        while let Some(output) = machine.client.poll_output() {
            let now = machine.clock.now();
            let ClientOutput::Event(event) = output else {
                machine.act(output).await;
                continue;
            };
            let is_answered = matches!(event, ClientEvent::Response { result: Ok(_), .. });
            let mut is_connected = false;
            if let ClientEvent::State { state, .. } = event {
                is_connected = state == ClientState::Live;
                assert_ne!(state, ClientState::Refused, "{:?}", machine.client.problem());
                if let ClientState::Waiting { at_ms } = state
                    && std::mem::take(&mut was_live)
                {
                    delays.send(at_ms.saturating_sub(now.age_ms)).unwrap();
                }
            }
            was_live |= is_connected;
            if is_writer && (is_connected || is_answered) {
                machine
                    .client
                    .request("system-event", Some(&beacon), now)
                    .unwrap();
            }
        }
        machine.wait().await;
    }
}

impl Machine {
    async fn act(&mut self, output: ClientOutput) {
        match output {
            ClientOutput::Open { socket } => {
                let open = async {
                    let stream = TcpStream::connect(self.address).await.map_err(Error::Io)?;
                    client_async(format!("ws://{}", self.address), stream).await
                };
                let opened = within("a WebSocket", open).await;
                let now = self.clock.now();
                match opened {
                    Ok((stream, _)) => {
                        self.socket = Some((socket, stream));
                        self.client.handle_open(socket, now);
                    }
                    Err(error) => self.client.handle_close(socket, 1006, &error.to_string(), now),
                }
            }
            ClientOutput::Send { text, .. } => {
                if let Some((_, stream)) = &mut self.socket {
                    // The next read reports a failure.
                    let _ = stream.send(Message::text(String::from(text))).await;
                }
            }
            ClientOutput::Close { .. } => self.socket = None,
            _ => {}
        }
    }

    /// Waits for a frame or the deadline.
    async fn wait(&mut self) {
        let message = async {
            match &mut self.socket {
                Some((number, stream)) => (*number, stream.next().await),
                None => std::future::pending().await,
            }
        };
        let due_ms = self.client.poll_timeout().unwrap_or(u64::MAX);
        tokio::select! {
            (number, message) = message => match message {
                Some(Ok(Message::Text(text))) => self.client.handle_text(number, &text, self.clock.now()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => {
                    self.socket = None;
                    self.client.handle_close(number, 1006, "", self.clock.now());
                }
            },
            () = self.clock.sleep_until(due_ms) => self.client.handle_timeout(self.clock.now()),
        }
    }
}
