//! A gateway and its clients, joined by queues instead of sockets.

mod line;

use presence_core::Now;
use presence_core::client::{Client, ClientConfig, ClientEvent, ClientOutput, DeviceKey};
use presence_core::model::ClientInfo;
use presence_core::model::Json;
use presence_core::server::{
    ConnId, ConnectionOutput, DeviceEvidence, Evidence, Hub, HubConfig, HubOutput, Item, LeaveCause,
    OriginEvidence, SecretEvidence,
};
use presence_core::wire::device;

use self::line::{Line, ToClient, ToGateway};
use crate::trace::Trace;
use crate::virtual_hub;

pub use self::line::Pace;

/// The secret of every gateway here.
pub const TOKEN: &str = "the-token";

/// A gateway, its clients, and the lines between them.
#[derive(Debug)]
pub struct World {
    /// The gateway's clocks.
    pub now: Now,
    /// The gateway.
    pub hub: Hub,
    /// Its clients.
    pub peers: Vec<Peer>,
    /// Whether the gateway takes connections.
    pub is_up: bool,
    /// Every frame that arrived, and what else was noted.
    pub trace: Trace,
    config: HubConfig,
    lines: Vec<Line>,
    /// Counts lines.
    opened: u64,
}

/// A client with its own clocks and what it has told.
#[derive(Debug)]
pub struct Peer {
    /// The client.
    pub client: Client,
    /// What its age clock and its wall clock are ahead of the gateway's.
    ahead: (i64, i64),
    /// What it has told.
    pub events: Vec<ClientEvent>,
    /// Frames it sent, over all its sockets.
    pub sent: Vec<Json>,
    /// How fast its next lines are.
    pub pace: Pace,
    /// Neither its timers nor its sockets are served; what is sent to it waits.
    pub is_suspended: bool,
}

/// A client of this name, as a dashboard would be.
pub fn config(name: &str) -> ClientConfig {
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
pub fn plain(name: &str) -> ClientConfig {
    ClientConfig {
        deltas: false,
        ..config(name)
    }
}

/// The same with a device key.
pub fn with_device(name: &str) -> ClientConfig {
    let device = DeviceKey {
        id: format!("device-of-{name}").into(),
        public_key: "pk".into(),
    };
    ClientConfig {
        device: Some(device),
        ..config(name)
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A gateway with the product's figures, and nobody there.
    #[must_use]
    pub fn new() -> Self {
        Self::with_hub(virtual_hub::config(300_000, 200, 50))
    }

    /// The same with other figures.
    #[must_use]
    pub fn with_hub(config: HubConfig) -> Self {
        let now = virtual_hub::START;
        Self {
            now,
            hub: Hub::new(config.clone(), now),
            peers: Vec::new(),
            is_up: true,
            trace: Trace::new(),
            config,
            lines: Vec::new(),
            opened: 0,
        }
    }

    /// Adds a client whose clocks are ahead by these ms, and starts it.
    pub fn add_skewed(&mut self, config: ClientConfig, ahead: (i64, i64)) -> usize {
        let now = shifted(self.now, ahead);
        let mut client = Client::new(config, now);
        client.start(now);
        self.peers.push(Peer {
            client,
            ahead,
            events: Vec::new(),
            sent: Vec::new(),
            pace: Pace::default(),
            is_suspended: false,
        });
        self.settle();
        self.peers.len() - 1
    }

    /// Adds a client and starts it.
    pub fn add(&mut self, config: ClientConfig) -> usize {
        self.add_skewed(config, (0, 0))
    }

    /// Lets the application of a client do something.
    pub fn with<T>(&mut self, peer: usize, act: impl FnOnce(&mut Client, Now) -> T) -> T {
        let now = self.peer_now(peer);
        let result = act(&mut self.peers[peer].client, now);
        self.settle();
        result
    }

    /// The socket of a client dies without a word.
    pub fn cut(&mut self, peer: usize) {
        for line in self.lines_of(peer) {
            line.is_cut = true;
        }
    }

    /// The socket of a client fails, and both ends are told.
    pub fn break_off(&mut self, peer: usize) {
        let now = self.now;
        for line in self.lines_of(peer) {
            line.fail(now);
        }
        self.settle();
    }

    /// The next frame to a client that holds `text` is lost.
    pub fn lose(&mut self, peer: usize, text: &'static str) {
        for line in self.lines_of(peer) {
            line.loses = Some(text);
        }
    }

    /// The gateway process is replaced by a new one.
    pub fn restart_gateway(&mut self, down_ms: u64) {
        self.hub.shutdown("gateway restarting", self.now);
        self.settle();
        self.is_up = false;
        self.pass(down_ms);
        self.hub = Hub::new(self.config.clone(), self.now);
        self.is_up = true;
    }

    /// The gateway's wall clock is set by this many ms; nobody else's is.
    pub fn step_gateway(&mut self, ms: i64) {
        self.now.wall_ms = self.now.wall_ms.saturating_add_signed(ms);
        for peer in &mut self.peers {
            peer.ahead.1 -= ms;
        }
    }

    /// The wall clock of a client is set by this many ms.
    pub fn step_peer(&mut self, peer: usize, ms: i64) {
        self.peers[peer].ahead.1 += ms;
    }

    /// From now on a client's lines are that fast, the one it has included.
    pub fn set_pace(&mut self, peer: usize, pace: Pace) {
        self.peers[peer].pace = pace;
        for line in self.lines_of(peer) {
            line.pace = pace;
        }
    }

    /// A client's machine wakes up: its timers come first, then what waited in its socket.
    pub fn wake(&mut self, peer: usize) {
        self.peers[peer].is_suspended = false;
        let now = self.peer_now(peer);
        self.peers[peer].client.handle_timeout(now);
        self.settle();
    }

    /// Everybody's machine sleeps for this long: all timers are late by it.
    pub fn sleep(&mut self, ms: u64) {
        self.now = self.now.after(ms);
        self.fire();
    }

    /// Lets time pass, every timer on time.
    pub fn pass(&mut self, ms: u64) {
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
    pub fn peer_now(&self, peer: usize) -> Now {
        shifted(self.now, self.peers[peer].ahead)
    }

    /// The rows a client shows: key and status.
    pub fn shown(&self, peer: usize) -> Vec<(String, &'static str)> {
        let rows = self.peers[peer].client.mirror().rows();
        rows.into_iter()
            .map(|row| (row.key().to_owned(), row.status().label()))
            .collect()
    }

    /// How often a client called `method`.
    pub fn calls(&self, peer: usize, method: &str) -> usize {
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
            .filter_map(|line| line.due_ms(self.peers[line.peer].is_suspended));
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
    pub fn settle(&mut self) {
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
        self.lines.retain(|line| !line.is_spent());
    }

    fn obey_client(&mut self, peer: usize, output: ClientOutput) {
        let now = self.now;
        let newest = self.lines.iter_mut().rfind(|line| line.peer == peer);
        match output {
            ClientOutput::Open { socket } => {
                self.opened += 1;
                let pace = self.peers[peer].pace;
                self.lines
                    .push(Line::new(peer, socket, self.opened, pace, self.is_up, now));
            }
            ClientOutput::Send { text, .. } => {
                self.peers[peer].sent.push(Json::parse(&text).unwrap());
                if let Some(line) = newest {
                    line.tell_gateway(ToGateway::Text(text.into()), now);
                }
            }
            ClientOutput::Close { .. } => {
                if let Some(line) = newest {
                    line.tell_gateway(ToGateway::Close, now);
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

    fn obey_connection(&mut self, line: usize, output: ConnectionOutput) {
        match output {
            ConnectionOutput::Send(frame) => {
                self.lines[line].push(Item::Response(frame));
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
                self.lines[line].push(Item::Close(close));
            }
            ConnectionOutput::Refused(_) | ConnectionOutput::Note(_) => {}
        }
    }

    fn obey_hub(&mut self, output: HubOutput) {
        let find = |lines: &[Line], conn: ConnId| lines.iter().position(|line| line.conn == Some(conn));
        match output {
            HubOutput::Send(conn, item) => {
                if let Some(at) = find(&self.lines, conn) {
                    self.lines[at].push(item);
                    if self.lines[at].outbox.take_behind() {
                        self.hub.resync(conn, self.now);
                    }
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
                    self.lines[at].push(Item::Close(close));
                }
            }
        }
    }

    /// Moves what is under way on a line; says whether anything moved.
    fn deliver(&mut self, at: usize) -> bool {
        let mut moved = self.lines[at].take(self.now);
        while let Some(message) = self.lines[at].at_gateway(self.now) {
            moved = true;
            let line = &mut self.lines[at];
            if line.is_cut || line.is_over {
                continue;
            }
            match message {
                ToGateway::Text(text) => {
                    self.trace.note(self.now.age_ms, line.peer, "sent", &text);
                    line.connection.handle_text(&text, self.now);
                }
                ToGateway::Close => self.end(at, LeaveCause::PeerClosed),
            }
        }
        let peer = self.lines[at].peer;
        if self.peers[peer].is_suspended {
            return moved;
        }
        let now = self.peer_now(peer);
        while let Some(message) = self.lines[at].at_client(self.now) {
            moved = true;
            let line = &mut self.lines[at];
            if line.is_cut {
                line.is_over |= matches!(message, ToClient::Close(..));
                continue;
            }
            let client = &mut self.peers[peer].client;
            match message {
                ToClient::Open => client.handle_open(line.socket, now),
                ToClient::Text(text) => {
                    self.trace.note(self.now.age_ms, peer, "got", &text);
                    client.handle_text(line.socket, &text, now);
                }
                ToClient::Close(code, reason) => {
                    self.trace
                        .note(self.now.age_ms, peer, "closed", &format!("{code} {reason}"));
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

fn shifted(now: Now, (age_ms, wall_ms): (i64, i64)) -> Now {
    Now {
        age_ms: now.age_ms.saturating_add_signed(age_ms),
        wall_ms: now.wall_ms.saturating_add_signed(wall_ms),
    }
}
