//! Our gateway and our clients in one process, joined by queues instead of sockets, under virtual time.

use std::collections::VecDeque;

use presence_core::client::{Client, ClientConfig, ClientEvent, ClientOutput, DeviceKey, Json};
use presence_core::protocol::{ClientInfo, Limits, device};
use presence_core::server::{
    ConnId, Connection, ConnectionOutput, DeviceEvidence, Evidence, Hub, HubConfig, HubOutput, LeaveCause,
    OriginEvidence, Outbox, Outgoing, SecretEvidence,
};
use presence_core::{Now, PresenceEntry};

/// The gateway's clocks when a world begins.
pub(crate) const START: Now = Now {
    age_ms: 50_000,
    wall_ms: 1_800_000_000_000,
};
/// The secret of every gateway here.
pub(crate) const TOKEN: &str = "the-token";

/// A gateway, its clients, and the lines between them.
pub(crate) struct World {
    /// The gateway's clocks.
    pub(crate) now: Now,
    pub(crate) hub: Hub,
    pub(crate) peers: Vec<Peer>,
    lines: Vec<Line>,
    /// Whether the gateway takes connections.
    pub(crate) is_up: bool,
}

/// A client with its own clocks and what it has told.
pub(crate) struct Peer {
    pub(crate) client: Client,
    /// What its age clock and its wall clock are ahead of the gateway's.
    ahead: (i64, i64),
    pub(crate) events: Vec<ClientEvent>,
    /// Frames it sent, over all its sockets.
    pub(crate) sent: Vec<Json>,
    /// Neither its timers nor its sockets are served; what is sent to it waits.
    pub(crate) is_suspended: bool,
}

/// A socket: both ends and what is under way to the client.
struct Line {
    peer: usize,
    socket: u64,
    connection: Connection,
    conn: Option<ConnId>,
    outbox: Outbox,
    to_client: VecDeque<Message>,
    /// Nothing passes any more, in either direction, and nobody is told.
    is_cut: bool,
    /// The next frame to the client that holds this text is lost.
    loses: Option<&'static str>,
    is_over: bool,
}

enum Message {
    Open,
    Text(String),
    Close(u16, String),
}

/// A client of this name, as a dashboard would be.
pub(crate) fn config(name: &str) -> ClientConfig {
    let client = ClientInfo {
        id: "webchat-ui".into(),
        version: "1.0".into(),
        platform: "linux".into(),
        mode: "webchat".into(),
        display_name: Some(name.into()),
        instance_id: Some(format!("{name}-1").into()),
        ..ClientInfo::default()
    };
    ClientConfig {
        token: Some(TOKEN.into()),
        seed: name.len() as u64,
        ..ClientConfig::new(client)
    }
}

/// The same with full lists instead of deltas.
pub(crate) fn plain(name: &str) -> ClientConfig {
    ClientConfig {
        deltas: false,
        ..config(name)
    }
}

/// The same with a device key.
pub(crate) fn with_device(name: &str) -> ClientConfig {
    let device = DeviceKey {
        id: format!("device-of-{name}").into(),
        public_key: "pk".into(),
    };
    ClientConfig {
        device: Some(device),
        ..config(name)
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            now: START,
            hub: hub(START),
            peers: Vec::new(),
            lines: Vec::new(),
            is_up: true,
        }
    }

    /// Adds a client whose clocks are ahead by these ms, and starts it.
    pub(crate) fn add_skewed(&mut self, config: ClientConfig, ahead: (i64, i64)) -> usize {
        let now = shifted(self.now, ahead);
        let mut client = Client::new(config, now);
        client.start(now);
        self.peers.push(Peer {
            client,
            ahead,
            events: Vec::new(),
            sent: Vec::new(),
            is_suspended: false,
        });
        self.settle();
        self.peers.len() - 1
    }

    /// Adds a client and starts it.
    pub(crate) fn add(&mut self, config: ClientConfig) -> usize {
        self.add_skewed(config, (0, 0))
    }

    /// Lets the application of a client do something.
    pub(crate) fn with<T>(&mut self, peer: usize, act: impl FnOnce(&mut Client, Now) -> T) -> T {
        let now = self.peer_now(peer);
        let result = act(&mut self.peers[peer].client, now);
        self.settle();
        result
    }

    /// The socket of a client dies without a word.
    pub(crate) fn cut(&mut self, peer: usize) {
        for line in self.lines_of(peer) {
            line.is_cut = true;
        }
    }

    /// The socket of a client fails, and both ends are told.
    pub(crate) fn break_off(&mut self, peer: usize) {
        for line in self.lines_of(peer) {
            line.to_client.push_back(Message::Close(1006, String::new()));
        }
        self.settle();
    }

    /// The next frame to a client that holds `text` is lost.
    pub(crate) fn lose(&mut self, peer: usize, text: &'static str) {
        for line in self.lines_of(peer) {
            line.loses = Some(text);
        }
    }

    /// The gateway process is replaced by a new one.
    pub(crate) fn restart_gateway(&mut self, down_ms: u64) {
        self.hub.shutdown("gateway restarting", self.now);
        self.settle();
        self.is_up = false;
        self.pass(down_ms);
        self.hub = hub(self.now);
        self.is_up = true;
    }

    /// Lets time pass, every timer on time.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end_ms = self.now.age_ms + ms;
        let mut rounds = 0;
        while let Some(due_ms) = self.next_due_ms().filter(|&due_ms| due_ms <= end_ms) {
            rounds += 1;
            assert!(rounds < 100_000, "time does not pass");
            self.now = self.now.after(due_ms.saturating_sub(self.now.age_ms));
            self.fire();
        }
        self.now = self.now.after(end_ms - self.now.age_ms);
        self.settle();
    }

    /// What a client's clocks read now.
    pub(crate) fn peer_now(&self, peer: usize) -> Now {
        shifted(self.now, self.peers[peer].ahead)
    }

    /// The rows a client shows: key and status.
    pub(crate) fn shown(&self, peer: usize) -> Vec<(String, &'static str)> {
        let rows = self.peers[peer].client.mirror().rows();
        rows.into_iter()
            .map(|row| (row.key().to_owned(), row.status().label()))
            .collect()
    }

    /// How often a client called `method`.
    pub(crate) fn calls(&self, peer: usize, method: &str) -> usize {
        let is_it = |frame: &&Json| frame.get("method").and_then(Json::as_str) == Some(method);
        self.peers[peer].sent.iter().filter(is_it).count()
    }

    fn lines_of(&mut self, peer: usize) -> impl Iterator<Item = &mut Line> {
        self.lines
            .iter_mut()
            .filter(move |line| line.peer == peer && !line.is_over)
    }

    fn next_due_ms(&self) -> Option<u64> {
        let peers = self
            .peers
            .iter()
            .filter(|peer| !peer.is_suspended)
            .filter_map(|peer| {
                let due_ms = peer.client.poll_timeout()?;
                Some(due_ms.saturating_add_signed(-peer.ahead.0))
            });
        let lines = self
            .lines
            .iter()
            .filter(|line| !line.is_over)
            .filter_map(|line| line.connection.poll_timeout());
        peers.chain(lines).chain(self.hub.poll_timeout()).min()
    }

    fn fire(&mut self) {
        self.hub.handle_timeout(self.now);
        for line in &mut self.lines {
            line.connection.handle_timeout(self.now);
        }
        for peer in 0..self.peers.len() {
            if !self.peers[peer].is_suspended {
                let now = self.peer_now(peer);
                self.peers[peer].client.handle_timeout(now);
            }
        }
        self.settle();
    }

    /// Carries out what everybody wants done, until nobody wants anything.
    pub(crate) fn settle(&mut self) {
        let mut moved = true;
        while moved {
            moved = false;
            for peer in 0..self.peers.len() {
                while let Some(output) = self.peers[peer].client.poll_output() {
                    moved = true;
                    self.obey_client(peer, output);
                }
            }
            for line in 0..self.lines.len() {
                while let Some(output) = self.lines[line].connection.poll_output() {
                    moved = true;
                    self.obey_connection(line, output);
                }
            }
            while let Some(output) = self.hub.poll_output() {
                moved = true;
                self.obey_hub(output);
            }
            for line in 0..self.lines.len() {
                moved |= self.deliver(line);
            }
        }
    }

    fn obey_client(&mut self, peer: usize, output: ClientOutput) {
        let newest = self.lines.iter().rposition(|line| line.peer == peer);
        match output {
            ClientOutput::Open { socket } => self.open(peer, socket),
            ClientOutput::Send { text, .. } => {
                self.peers[peer].sent.push(Json::parse(&text).unwrap());
                if let Some(line) = newest
                    .map(|at| &mut self.lines[at])
                    .filter(|line| !line.is_cut && !line.is_over)
                {
                    line.connection.handle_text(&text, self.now);
                }
            }
            ClientOutput::Close { .. } => {
                if let Some(at) = newest {
                    self.end(at, LeaveCause::PeerClosed);
                }
            }
            ClientOutput::Sign { socket, payload } => {
                let now = self.peer_now(peer);
                self.peers[peer]
                    .client
                    .handle_signature(socket, Some(&payload), now);
            }
            ClientOutput::Event(event) => self.peers[peer].events.push(event),
        }
    }

    fn open(&mut self, peer: usize, socket: u64) {
        let id = self.lines.len();
        let limits = Limits::default();
        let (conn_id, nonce) = (format!("c-{id}").into(), format!("n-{id}").into());
        let connection = Connection::new(&limits, conn_id, nonce, Some("192.0.2.7".into()), self.now);
        let first = if self.is_up {
            Message::Open
        } else {
            Message::Close(1006, String::new())
        };
        self.lines.push(Line {
            peer,
            socket,
            connection,
            conn: None,
            outbox: Outbox::new(limits.buffered_bytes),
            to_client: VecDeque::from([first]),
            is_cut: false,
            loses: None,
            is_over: !self.is_up,
        });
    }

    fn obey_connection(&mut self, line: usize, output: ConnectionOutput) {
        match output {
            ConnectionOutput::Send(frame) => {
                self.lines[line]
                    .outbox
                    .push(presence_core::server::Item::Response(frame))
                    .unwrap();
            }
            ConnectionOutput::Authenticate(params) => {
                let nonce = self.lines[line].connection.nonce().to_owned();
                let secret = if params.auth.token.as_deref() == Some(TOKEN) {
                    SecretEvidence::Match
                } else {
                    SecretEvidence::TokenMismatch
                };
                // The signature of these tests is the text itself.
                let device = match device::precheck(&params, &nonce, self.now) {
                    Err(evidence) => evidence,
                    Ok(texts)
                        if params
                            .device
                            .is_some_and(|proof| texts.contains(&String::from(proof.signature))) =>
                    {
                        DeviceEvidence::Verified
                    }
                    Ok(_) => DeviceEvidence::SignatureInvalid,
                };
                let origin = OriginEvidence::Allowed;
                self.lines[line].connection.handle_evidence(
                    &Evidence {
                        origin,
                        secret,
                        device,
                    },
                    self.now,
                );
            }
            ConnectionOutput::Join(handshake) => {
                self.lines[line].conn = Some(self.hub.join(*handshake, self.now));
            }
            ConnectionOutput::Call(request) => {
                if let Some(conn) = self.lines[line].conn {
                    self.hub.call(conn, &request, self.now);
                }
            }
            ConnectionOutput::Close(close) => {
                self.lines[line]
                    .outbox
                    .push(presence_core::server::Item::Close(close))
                    .unwrap();
            }
            ConnectionOutput::Note(_) => {}
        }
    }

    fn obey_hub(&mut self, output: HubOutput) {
        let find = |lines: &[Line], conn: ConnId| lines.iter().position(|line| line.conn == Some(conn));
        match output {
            HubOutput::Send(conn, item) => {
                if let Some(at) = find(&self.lines, conn) {
                    self.lines[at].outbox.push(item).unwrap();
                }
            }
            HubOutput::Ping(conn) => {
                let line = find(&self.lines, conn).map(|at| &self.lines[at]);
                if line.is_some_and(|line| !line.is_cut && !self.peers[line.peer].is_suspended) {
                    self.hub.pong(conn, self.now);
                }
            }
            HubOutput::Drop(conn, close) => {
                if let Some(at) = find(&self.lines, conn) {
                    self.lines[at].conn = None;
                    self.lines[at]
                        .outbox
                        .push(presence_core::server::Item::Close(close))
                        .unwrap();
                }
            }
        }
    }

    /// Moves what is under way on a line; says whether anything moved.
    fn deliver(&mut self, at: usize) -> bool {
        let line = &mut self.lines[at];
        let mut moved = false;
        while let Some(outgoing) = line.outbox.pop() {
            moved = true;
            match outgoing {
                Outgoing::Close(close) => {
                    line.to_client
                        .push_back(Message::Close(close.code, close.reason.into()));
                }
                text => {
                    let text = text.to_string();
                    if line.loses.is_some_and(|part| text.contains(part)) {
                        line.loses = None;
                    } else {
                        line.to_client.push_back(Message::Text(text));
                    }
                }
            }
        }
        let peer = line.peer;
        if self.peers[peer].is_suspended {
            return moved;
        }
        let now = self.peer_now(peer);
        while let Some(message) = self.lines[at].to_client.pop_front() {
            moved = true;
            let line = &self.lines[at];
            if line.is_cut {
                continue;
            }
            let client = &mut self.peers[peer].client;
            match message {
                Message::Open => client.handle_open(line.socket, now),
                Message::Text(text) => client.handle_text(line.socket, &text, now),
                Message::Close(code, reason) => {
                    client.handle_close(line.socket, code, &reason, now);
                    self.end(at, LeaveCause::WeClosed);
                }
            }
        }
        moved
    }

    fn end(&mut self, at: usize, cause: LeaveCause) {
        let line = &mut self.lines[at];
        line.is_over = true;
        // A dead line carries no close either: the gateway finds out by itself.
        if line.is_cut {
            return;
        }
        if let Some(conn) = line.conn.take() {
            self.hub.leave(conn, cause, self.now);
        }
    }
}

fn hub(now: Now) -> Hub {
    let config = HubConfig {
        limits: Limits::default(),
        ttl_ms: 300_000,
        max_entries: 200,
        ephemeral_modes: vec!["cli".into()],
        hash_seed: 1,
        server_version: "1.0.0".into(),
        boot_id: "boot".into(),
        self_entry: PresenceEntry {
            host: Some("pi".into()),
            mode: Some("gateway".into()),
            reason: Some("self".into()),
            instance_id: Some("gateway-self".into()),
            ..PresenceEntry::default()
        },
        auth_mode: "token",
    };
    Hub::new(config, now)
}

fn shifted(now: Now, (age_ms, wall_ms): (i64, i64)) -> Now {
    Now {
        age_ms: now.age_ms.saturating_add_signed(age_ms),
        wall_ms: now.wall_ms.saturating_add_signed(wall_ms),
    }
}
