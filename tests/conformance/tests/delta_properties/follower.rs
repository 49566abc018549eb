//! A client of the core on a line that can stop, lose and break.

use std::collections::VecDeque;

use presence_core::Now;
use presence_core::client::{Client, ClientConfig, ClientOutput};
use presence_core::model::ClientInfo;
use presence_core::server::{
    ConnId, Connection, ConnectionOutput, DeviceEvidence, Evidence, Hub, Item, LeaveCause, OriginEvidence,
    Outbox, Outgoing, SecretEvidence,
};
use presence_core::wire::Limits;
use serde_json::Value;

/// The frames and requests of followers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) upserts: u32,
    pub(crate) removals: u32,
    pub(crate) touches: u32,
    pub(crate) lone_touches: u32,
    pub(crate) snapshots: u32,
    pub(crate) resyncs: u32,
    pub(crate) lists: u32,
    pub(crate) connects: u32,
}

impl Seen {
    pub(crate) fn add(&mut self, other: &Self) {
        self.upserts += other.upserts;
        self.removals += other.removals;
        self.touches += other.touches;
        self.lone_touches += other.lone_touches;
        self.snapshots += other.snapshots;
        self.resyncs += other.resyncs;
        self.lists += other.lists;
        self.connects += other.connects;
    }
}

pub(crate) struct Follower {
    pub(crate) client: Client,
    pub(crate) takes_deltas: bool,
    pub(crate) is_paused: bool,
    /// So many of the next event frames are lost.
    pub(crate) loses: u8,
    pub(crate) seen: Seen,
    line: Option<Line>,
    lines_made: u32,
}

struct Line {
    socket: u64,
    connection: Connection,
    outbox: Outbox,
    conn: Option<ConnId>,
    to_client: VecDeque<String>,
    is_open: bool,
}

impl Follower {
    pub(crate) fn new(number: u64, takes_deltas: bool, now: Now) -> Self {
        let client = ClientInfo {
            id: "cli".into(),
            version: "1".into(),
            platform: "linux".into(),
            // Half of them have a row themselves.
            mode: if number.is_multiple_of(2) { "cli" } else { "ui" }.into(),
            instance_id: Some(format!("follower-{number}").into()),
            ..ClientInfo::default()
        };
        let config = ClientConfig {
            deltas: takes_deltas,
            seed: number,
            ..ClientConfig::new(client)
        };
        let mut client = Client::new(config, now);
        client.start(now);
        Self {
            client,
            takes_deltas,
            is_paused: false,
            loses: 0,
            seen: Seen::default(),
            line: None,
            lines_made: 0,
        }
    }

    pub(crate) fn is(&self, conn: ConnId) -> bool {
        self.line.as_ref().is_some_and(|line| line.conn == Some(conn))
    }

    /// When its timers are next due.
    pub(crate) fn poll_timeout(&self) -> Option<u64> {
        let handshake = self.line.as_ref().and_then(|line| line.connection.poll_timeout());
        self.client.poll_timeout().into_iter().chain(handshake).min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Now) {
        if let Some(line) = &mut self.line {
            line.connection.handle_timeout(now);
        }
        self.client.handle_timeout(now);
    }

    /// The hub wants something sent.
    pub(crate) fn send(&mut self, item: Item, hub: &mut Hub, now: Now) {
        let Some(line) = &mut self.line else { return };
        let is_delta = matches!(item, Item::Delta(_));
        line.outbox.push(item).unwrap();
        if is_delta
            && line.outbox.take_behind()
            && let Some(conn) = line.conn
        {
            hub.resync(conn, now);
        }
    }

    /// Its socket fails.
    pub(crate) fn break_off(&mut self, hub: &mut Hub, now: Now) {
        let Some(line) = self.line.take() else { return };
        if let Some(conn) = line.conn {
            hub.leave(conn, LeaveCause::PeerClosed, now);
        }
        self.client.handle_close(line.socket, 1006, "", now);
    }

    /// Moves what can be moved; says whether anything did.
    pub(crate) fn serve(&mut self, hub: &mut Hub, now: Now) -> bool {
        let mut moved = false;
        while let Some(output) = self.client.poll_output() {
            moved = true;
            self.obey(output, hub, now);
        }
        let Some(line) = &mut self.line else { return moved };
        if !line.is_open {
            line.is_open = true;
            self.client.handle_open(line.socket, now);
            return true;
        }
        while let Some(output) = line.connection.poll_output() {
            moved = true;
            match output {
                ConnectionOutput::Send(frame) => line.outbox.push(Item::Response(frame)).unwrap(),
                ConnectionOutput::Authenticate(_) => {
                    let evidence = Evidence {
                        origin: OriginEvidence::Allowed,
                        secret: SecretEvidence::NotRequired,
                        device: DeviceEvidence::Absent,
                        grant: presence_core::server::Grant::default(),
                    };
                    line.connection.handle_evidence(&evidence, now);
                }
                ConnectionOutput::Join(handshake) => line.conn = Some(hub.join(*handshake, now)),
                ConnectionOutput::Call(request) => {
                    if let Some(conn) = line.conn {
                        hub.call(conn, &request, now);
                    }
                }
                other => panic!("{other:?}"),
            }
        }
        if !self.is_paused {
            moved |= self.deliver(hub, now);
        }
        moved
    }

    fn obey(&mut self, output: ClientOutput, hub: &mut Hub, now: Now) {
        match output {
            ClientOutput::Open { socket } => {
                self.lines_made += 1;
                self.seen.connects += 1;
                let limits = Limits::default();
                let conn_id = format!("c-{}-{}", self.client.mirror().len(), self.lines_made).into();
                self.line = Some(Line {
                    socket,
                    connection: Connection::new(&limits, conn_id, "nonce".into(), None, now),
                    outbox: Outbox::new(limits.buffered_bytes),
                    conn: None,
                    to_client: VecDeque::new(),
                    is_open: false,
                });
            }
            ClientOutput::Send { text, .. } => {
                if text.contains(r#""method":"presence.snapshot""#) {
                    self.seen.resyncs += 1;
                }
                if let Some(line) = &mut self.line {
                    line.connection.handle_text(&text, now);
                }
            }
            ClientOutput::Close { .. } => {
                if let Some(conn) = self.line.take().and_then(|line| line.conn) {
                    hub.leave(conn, LeaveCause::PeerClosed, now);
                }
            }
            ClientOutput::Sign { .. } | ClientOutput::Event(_) => {}
            other => panic!("{other:?}"),
        }
    }

    fn deliver(&mut self, hub: &mut Hub, now: Now) -> bool {
        let Some(line) = &mut self.line else { return false };
        let mut ends = None;
        while let Some(outgoing) = line.outbox.pop() {
            match outgoing {
                Outgoing::Close(close) => ends = Some(close),
                text => {
                    let text = text.to_string();
                    if self.loses > 0 && text.contains(r#""event":"presence"#) {
                        self.loses -= 1;
                    } else {
                        line.to_client.push_back(text);
                    }
                }
            }
        }
        let moved = !line.to_client.is_empty();
        let (socket, texts) = (line.socket, std::mem::take(&mut line.to_client));
        for text in texts {
            self.seen.add(&kinds(&text));
            self.client.handle_text(socket, &text, now);
        }
        if let Some(close) = ends {
            if let Some(conn) = self.line.take().and_then(|line| line.conn) {
                hub.leave(conn, LeaveCause::WeClosed, now);
            }
            self.client.handle_close(socket, close.code, &close.reason, now);
            return true;
        }
        moved
    }
}

/// The kind of a frame.
fn kinds(text: &str) -> Seen {
    let frame: Value = serde_json::from_str(text).unwrap();
    let mut seen = Seen::default();
    let has = |name: &str| {
        frame["payload"][name]
            .as_array()
            .is_some_and(|items| !items.is_empty())
    };
    match frame["event"].as_str() {
        Some("presence") => seen.lists += 1,
        Some("presence.snapshot") => seen.snapshots += 1,
        Some("presence.delta") => {
            seen.upserts += u32::from(has("upserts"));
            seen.removals += u32::from(has("removals"));
            seen.touches += u32::from(has("touched"));
            let is_alone = frame["payload"]["from"] == frame["payload"]["to"];
            seen.lone_touches += u32::from(is_alone);
        }
        _ => {}
    }
    seen
}
