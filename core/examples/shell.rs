//! A custom shell: a gateway and one client of it, joined by function calls instead of a socket.
//!
//! A shell over any transport has the same shape: pass inputs to the state machines with the time, take every
//! `poll_output`, and continue at `poll_timeout`. Time is virtual here, so the example does not wait.

use presence_core::client::{Client, ClientConfig, ClientOutput};
use presence_core::model::ClientInfo;
use presence_core::server::{
    ConnId, Connection, ConnectionOutput, DeviceEvidence, Evidence, Hub, HubConfig, HubOutput, Item,
    OriginEvidence, Outbox, Outgoing, SecretEvidence,
};
use presence_core::wire::Limits;
use presence_core::{Now, PresenceEntry};

/// The gateway: one hub for all connections; a connection and an outbox per client, of which there is one.
struct Gateway {
    hub: Hub,
    connection: Connection,
    outbox: Outbox,
    member: Option<ConnId>,
}

impl Gateway {
    fn new(now: Now) -> Self {
        let limits = Limits::default();
        let config = HubConfig {
            limits: limits.clone(),
            ttl_ms: 300_000,
            max_entries: 200,
            ephemeral_modes: Vec::new(),
            // A real shell takes this seed and the ids from the system's randomness.
            hash_seed: 1,
            server_version: "1.0.0".into(),
            boot_id: "boot-1".into(),
            self_entry: PresenceEntry {
                host: Some("gateway".into()),
                ..PresenceEntry::default()
            },
            auth_mode: "none",
        };
        Self {
            hub: Hub::new(config, now),
            connection: Connection::new(&limits, "conn-1".into(), "nonce-1".into(), None, now),
            outbox: Outbox::new(limits.buffered_bytes),
            member: None,
        }
    }

    /// Carries out the outputs of the connection and the hub.
    fn settle(&mut self, now: Now) {
        while let Some(output) = self.connection.poll_output() {
            match output {
                ConnectionOutput::Send(frame) => self.queue(Item::Response(frame)),
                ConnectionOutput::Close(close) => self.queue(Item::Close(close)),
                // A real shell checks the Origin header, the secret and the signature.
                ConnectionOutput::Authenticate(_) => {
                    let evidence = Evidence {
                        origin: OriginEvidence::Allowed,
                        secret: SecretEvidence::Match,
                        device: DeviceEvidence::Absent,
                        grant: presence_core::server::Grant::default(),
                    };
                    self.connection.handle_evidence(&evidence, now);
                }
                ConnectionOutput::Join(handshake) => self.member = Some(self.hub.join(*handshake, now)),
                ConnectionOutput::Call(request) => {
                    if let Some(member) = self.member {
                        self.hub.call(member, &request, now);
                    }
                }
                // The others are for the log.
                _ => {}
            }
        }
        while let Some(output) = self.hub.poll_output() {
            match output {
                HubOutput::Send(_, item) => self.queue(item),
                // Over a WebSocket: send a ping, and call this at its pong.
                HubOutput::Ping(member) => self.hub.pong(member, now),
                HubOutput::Drop(_, close) => self.queue(Item::Close(close)),
                _ => {}
            }
        }
    }

    fn queue(&mut self, item: Item) {
        if self.outbox.push(item).is_err() {
            println!("the client reads too slowly: close it with 1008");
        }
    }
}

/// Moves frames between both ends until neither has further outputs.
fn exchange(gateway: &mut Gateway, client: &mut Client, now: Now) {
    loop {
        gateway.settle(now);
        if let Some(output) = client.poll_output() {
            match output {
                ClientOutput::Open { socket } => client.handle_open(socket, now),
                ClientOutput::Send { text, .. } => gateway.connection.handle_text(&text, now),
                ClientOutput::Event(event) => println!("{event:?}"),
                // There is no socket to close, and no device key to sign with.
                _ => {}
            }
        } else {
            match gateway.outbox.pop() {
                Some(Outgoing::Close(close)) => println!("closed: {}", close.reason),
                // The first socket of a client has number 1.
                Some(frame) => client.handle_text(1, &frame.to_string(), now),
                None => return,
            }
        }
    }
}

fn main() {
    let mut now = Now {
        age_ms: 0,
        wall_ms: 1_700_000_000_000,
    };
    let mut gateway = Gateway::new(now);
    let mut client = Client::new(
        ClientConfig::new(ClientInfo {
            id: "test".into(),
            version: "1.0.0".into(),
            platform: "linux".into(),
            mode: "test".into(),
            instance_id: Some("example".into()),
            ..ClientInfo::default()
        }),
        now,
    );
    client.start(now);
    exchange(&mut gateway, &mut client, now);

    let end_ms = now.age_ms + 60_000;
    while let Some(due_ms) = [client.poll_timeout(), gateway.hub.poll_timeout()]
        .into_iter()
        .flatten()
        .min()
        .filter(|&due_ms| due_ms <= end_ms)
    {
        now = now.after(due_ms.saturating_sub(now.age_ms));
        gateway.hub.handle_timeout(now);
        client.handle_timeout(now);
        exchange(&mut gateway, &mut client, now);
    }
    for row in client.mirror().rows() {
        println!("{}: {}", row.key(), row.status().label());
    }
}
