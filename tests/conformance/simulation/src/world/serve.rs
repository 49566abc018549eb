//! Carries out what the state machines want done.

use presence_core::client::{Client, ClientOutput};
use presence_core::server::{
    ConnId, ConnectionOutput, DeviceEvidence, Evidence, HubOutput, Item, LeaveCause, OriginEvidence,
    SecretEvidence,
};
use presence_core::wire::device;

use super::line::{Line, ToClient, ToGateway};
use super::{TOKEN, World};

impl World {
    /// Executes the outputs of all machines until there are none.
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
            if !self.is_suspended {
                moved |= self.serve();
            }
            for line in 0..self.lines.len() {
                moved |= self.deliver(line);
            }
        }
        self.lines.retain(|line| !line.is_spent());
    }

    /// Carries out what the gateway wants done; says whether that was anything.
    fn serve(&mut self) -> bool {
        let mut moved = false;
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
        moved
    }

    /// The process of a client ends without a word, and another one takes its place; its sockets close.
    pub fn replace_client(&mut self, peer: usize, client: Client) {
        let now = self.now;
        for line in self.lines_of(peer) {
            line.is_deaf = true;
            line.tell_gateway(ToGateway::Close, now);
        }
        self.peers[peer].client = client;
        self.settle();
    }

    /// A client gave a proof of life.
    fn prove(&mut self, line: usize) {
        let peer = self.lines[line].peer;
        self.peers[peer].proof_ms = Some(self.now.age_ms);
    }

    fn obey_client(&mut self, peer: usize, output: ClientOutput) {
        let now = self.now;
        let newest = self.lines.iter_mut().rfind(|line| line.peer == peer);
        match output {
            ClientOutput::Open { socket } => {
                self.opened += 1;
                let pace = self.peers[peer].pace;
                let mut line = Line::new(peer, socket, self.opened, pace, self.is_up, now);
                line.is_cut = self.peers[peer].is_cut_off;
                self.lines.push(line);
            }
            ClientOutput::Send { text, .. } => {
                self.peers[peer].sent.push(serde_json::from_str(&text).unwrap());
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
            other => panic!("{other:?}"),
        }
    }

    fn obey_connection(&mut self, line: usize, output: ConnectionOutput) {
        match output {
            ConnectionOutput::Send(frame) => {
                self.lines[line].push(Item::Response(frame));
            }
            ConnectionOutput::Authenticate(params) => {
                let secret = if params.auth.token.as_deref() == Some(TOKEN) {
                    SecretEvidence::Match
                } else {
                    SecretEvidence::TokenMismatch
                };
                // The signature of these tests is the text itself.
                let device =
                    match device::precheck(&params, self.lines[line].connection.challenge(), self.now) {
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
                        grant: presence_core::server::Grant::default(),
                    },
                    self.now,
                );
            }
            ConnectionOutput::Join(handshake) => {
                self.lines[line].conn = Some(self.hub.join(*handshake, self.now));
                self.prove(line);
            }
            ConnectionOutput::Call(request) => {
                if let Some(conn) = self.lines[line].conn {
                    self.hub.call(conn, &request, self.now);
                    self.prove(line);
                }
            }
            ConnectionOutput::Close(close) => {
                self.lines[line].push(Item::Close(close));
            }
            ConnectionOutput::Refused(_) | ConnectionOutput::Note(_) => {}
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn obey_hub(&mut self, output: HubOutput) {
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
                let answers = |&at: &usize| {
                    let line = &self.lines[at];
                    let is_carrying = !line.is_cut && line.held_ms <= self.now.age_ms;
                    is_carrying && !line.is_deaf && !self.peers[line.peer].is_suspended
                };
                if let Some(at) = find(&self.lines, conn).filter(answers) {
                    self.hub.pong(conn, self.now);
                    self.prove(at);
                }
            }
            HubOutput::Drop(conn, close) => {
                if let Some(at) = find(&self.lines, conn) {
                    let peer = self.lines[at].peer;
                    self.peers[peer].closed_ms = Some(self.now.age_ms);
                    self.lines[at].conn = None;
                    self.lines[at].push(Item::Close(close));
                }
            }
            other => panic!("{other:?}"),
        }
    }

    /// Moves what is under way on a line; says whether anything moved.
    fn deliver(&mut self, at: usize) -> bool {
        let mut moved = !self.is_suspended && self.lines[at].take(self.now);
        while !self.is_suspended
            && let Some(message) = self.lines[at].at_gateway(self.now)
        {
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
            if line.is_cut || line.is_deaf {
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
            self.prove(at);
        }
    }
}
