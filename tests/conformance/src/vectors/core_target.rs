//! The core's state machines, wired as a shell wires them, without sockets: one [`Connection`] and one
//! [`Outbox`] a client, one [`Hub`].

use std::collections::BTreeMap;

use presence_core::server::{
    ConnId, Connection, ConnectionOutput, Hub, HubConfig, HubOutput, Item as Queued, LeaveCause, Outbox,
    Outgoing,
};
use presence_core::wire::{ConnectParams, Limits};
use presence_core::{Now, PresenceEntry};
use serde_json::Value;

use super::Failure;
use super::evidence::evidence;
use super::format::{AuthMode, Config};
use super::target::{Item, Opening, Received, Setup, Target};
use crate::fail;

/// The age clock's origin is arbitrary, so it is not 0 here.
const AGE_ORIGIN_MS: u64 = 1_000_000;
/// More deadlines than any script has.
const MAX_DEADLINES: u32 = 100_000;

/// The core under test.
#[derive(Debug)]
pub struct CoreTarget {
    config: Config,
    limits: Limits,
    hub: Hub,
    now: Now,
    clients: BTreeMap<String, Client>,
    /// Connections in order of opening: the order in which they are served.
    order: Vec<String>,
    received: Vec<Received>,
    /// Connections whose ping is to be answered.
    pings: Vec<String>,
    /// Whether handshakes wait for their judgement, and those that do.
    is_holding: bool,
    held: Vec<(String, ConnectParams)>,
}

/// A client and the gateway's side of its connection.
#[derive(Debug)]
struct Client {
    machine: Connection,
    outbox: Outbox,
    opening: Opening,
    conn: Option<ConnId>,
    auto_pong: bool,
    is_paused: bool,
    /// Either side has ended it.
    is_over: bool,
}

impl CoreTarget {
    fn client(&mut self, name: &str) -> Result<&mut Client, Failure> {
        self.clients
            .get_mut(name)
            .ok_or_else(|| Failure::new(format!("no connection {name}")))
    }

    fn name_of(&self, conn: ConnId) -> Option<String> {
        self.order
            .iter()
            .find(|name| self.clients[*name].conn == Some(conn))
            .cloned()
    }

    /// Does what a connection's machine wants done.
    fn serve(&mut self, name: &str) -> Result<(), Failure> {
        while let Some(output) = self.client(name)?.machine.poll_output() {
            match output {
                ConnectionOutput::Send(frame) => self.queue(name, Queued::Response(frame))?,
                ConnectionOutput::Close(close) => self.queue(name, Queued::Close(close))?,
                ConnectionOutput::Refused(_) | ConnectionOutput::Note(_) => {}
                ConnectionOutput::Authenticate(params) if self.is_holding => {
                    self.held.push((name.to_owned(), *params));
                }
                ConnectionOutput::Authenticate(params) => self.judge(name, &params)?,
                ConnectionOutput::Join(handshake) => {
                    let conn = self.hub.join(*handshake, self.now);
                    self.client(name)?.conn = Some(conn);
                    self.serve_hub()?;
                }
                ConnectionOutput::Call(request) => {
                    if let Some(conn) = self.clients[name].conn {
                        self.hub.call(conn, &request, self.now);
                        self.serve_hub()?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Finds the facts about a handshake.
    fn judge(&mut self, name: &str, params: &ConnectParams) -> Result<(), Failure> {
        let now = self.now;
        let (config, client) = (&self.config, &self.clients[name]);
        let facts = evidence(config, &client.opening, params, client.machine.nonce(), now);
        self.client(name)?.machine.handle_evidence(&facts, now);
        Ok(())
    }

    /// Does what the hub wants done.
    fn serve_hub(&mut self) -> Result<(), Failure> {
        while let Some(output) = self.hub.poll_output() {
            match output {
                HubOutput::Send(conn, item) => {
                    if let Some(name) = self.name_of(conn) {
                        self.queue(&name, item)?;
                    }
                }
                HubOutput::Ping(conn) => {
                    if let Some(name) = self.name_of(conn).filter(|name| !self.clients[name].is_over) {
                        self.receive(&name, Item::Ping);
                        self.pings.push(name);
                    }
                }
                HubOutput::Drop(conn, close) => {
                    if let Some(name) = self.name_of(conn) {
                        // The hub has forgotten it.
                        self.client(&name)?.conn = None;
                        self.queue(&name, Queued::Close(close))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Puts something into a connection's outbox. A close that is ours ends the membership.
    fn queue(&mut self, name: &str, item: Queued) -> Result<(), Failure> {
        let now = self.now;
        let client = self.client(name)?;
        let is_close = matches!(item, Queued::Close(_));
        let is_delta = matches!(item, Queued::Delta(_));
        if client.outbox.push(item).is_err() {
            fail!("{name}: slow consumer");
        }
        let is_behind = is_delta && client.outbox.take_behind();
        if is_behind && let Some(conn) = client.conn {
            self.hub.resync(conn, now);
        } else if is_close && let Some(conn) = client.conn.take() {
            self.hub.leave(conn, LeaveCause::WeClosed, now);
        }
        self.serve_hub()
    }

    /// Delivers what is in the outboxes of clients that read.
    fn deliver(&mut self) -> Result<(), Failure> {
        for name in self.order.clone() {
            let client = self.client(&name)?;
            if client.is_paused || client.is_over {
                continue;
            }
            while let Some(outgoing) = self.client(&name)?.outbox.pop() {
                match outgoing {
                    Outgoing::Close(close) => {
                        self.client(&name)?.is_over = true;
                        self.receive(&name, Item::Close(close.code, close.reason.into_owned()));
                    }
                    text => self.receive(&name, Item::Text(text.to_string())),
                }
            }
        }
        Ok(())
    }

    fn receive(&mut self, name: &str, item: Item) {
        let at = self.now.age_ms - AGE_ORIGIN_MS;
        self.received.push(Received {
            conn: name.to_owned(),
            at,
            item,
        });
    }

    /// Lets everything happen that can happen without time passing.
    fn rest(&mut self) -> Result<(), Failure> {
        loop {
            self.serve_hub()?;
            self.deliver()?;
            if self.pings.is_empty() {
                return Ok(());
            }
            for name in std::mem::take(&mut self.pings) {
                let client = self.client(&name)?;
                if client.auto_pong && !client.is_paused {
                    self.answer_ping(&name)?;
                }
            }
        }
    }

    fn answer_ping(&mut self, name: &str) -> Result<(), Failure> {
        if let Some(conn) = self.client(name)?.conn {
            self.hub.pong(conn, self.now);
        }
        Ok(())
    }

    fn next_deadline(&self) -> Option<u64> {
        let machines = self
            .clients
            .values()
            .filter(|client| !client.is_over && client.conn.is_none());
        machines
            .filter_map(|client| client.machine.poll_timeout())
            .chain(self.hub.poll_timeout())
            .min()
    }

    /// Does what is due.
    fn fire(&mut self) -> Result<(), Failure> {
        if self
            .hub
            .poll_timeout()
            .is_some_and(|deadline| deadline <= self.now.age_ms)
        {
            self.hub.handle_timeout(self.now);
        }
        for name in self.order.clone() {
            let now = self.now;
            let client = self.client(&name)?;
            if !client.is_over
                && client
                    .machine
                    .poll_timeout()
                    .is_some_and(|deadline| deadline <= now.age_ms)
            {
                client.machine.handle_timeout(now);
                self.serve(&name)?;
            }
        }
        self.rest()
    }

    /// Ends a connection from the client's side.
    fn leave(&mut self, name: &str) -> Result<(), Failure> {
        let client = self.client(name)?;
        client.is_over = true;
        if let Some(conn) = client.conn.take() {
            self.hub.leave(conn, LeaveCause::PeerClosed, self.now);
        }
        self.rest()
    }
}

impl Target for CoreTarget {
    const NAME: &'static str = "core";

    fn start(setup: &Setup) -> Result<Self, Failure> {
        let now = Now {
            age_ms: AGE_ORIGIN_MS,
            wall_ms: setup.start_wall_ms,
        };
        let config = setup.config.clone();
        let limits = limits(&config);
        let self_entry: PresenceEntry = serde_json::from_value(Value::Object(setup.self_row.clone()))?;
        let hub_config = HubConfig {
            limits: limits.clone(),
            ttl_ms: config.ttl_ms,
            max_entries: config.max_entries,
            ephemeral_modes: config
                .ephemeral_modes
                .iter()
                .map(|mode| mode.as_str().into())
                .collect(),
            hash_seed: 0x5eed,
            server_version: config.server_version.as_str().into(),
            boot_id: "00000000-0000-4000-9000-000000000000".into(),
            self_entry,
            auth_mode: match config.auth.mode {
                AuthMode::Token => "token",
                AuthMode::Password => "password",
                AuthMode::None => "none",
            },
        };
        Ok(Self {
            hub: Hub::new(hub_config, now),
            config,
            limits,
            now,
            clients: BTreeMap::new(),
            order: Vec::new(),
            received: Vec::new(),
            pings: Vec::new(),
            is_holding: false,
            held: Vec::new(),
        })
    }

    fn open(&mut self, conn: &str, opening: &Opening) -> Result<(), Failure> {
        let number = self.order.len() + 1;
        let id = |kind: u8| format!("00000000-0000-4000-{kind}000-{number:012}").into_boxed_str();
        // Times that the gateway states are on the roster's clock.
        let stated = Now {
            wall_ms: self.hub.server_wall_ms(self.now),
            ..self.now
        };
        let from = opening.from.as_str().into();
        let client = Client {
            machine: Connection::new(&self.limits, id(8), id(9), Some(from), stated)
                .with_user(opening.user.as_deref()),
            outbox: Outbox::new(self.limits.buffered_bytes),
            opening: opening.clone(),
            conn: None,
            auto_pong: true,
            is_paused: false,
            is_over: false,
        };
        self.clients.insert(conn.to_owned(), client);
        self.order.push(conn.to_owned());
        self.serve(conn)?;
        self.rest()
    }

    fn send(&mut self, conn: &str, text: String) -> Result<(), Failure> {
        let now = self.now;
        let client = self.client(conn)?;
        if client.is_over {
            fail!("{conn} is closed");
        }
        if text.len() > client.machine.max_frame_bytes() {
            client.machine.handle_oversized();
        } else {
            client.machine.handle_text(&text, now);
        }
        self.serve(conn)?;
        self.rest()
    }

    fn pong(&mut self, conn: &str) -> Result<(), Failure> {
        self.answer_ping(conn)?;
        self.rest()
    }

    fn auto_pong(&mut self, conn: &str, on: bool) -> Result<(), Failure> {
        self.client(conn)?.auto_pong = on;
        Ok(())
    }

    fn drop_transport(&mut self, conn: &str) -> Result<(), Failure> {
        self.leave(conn)
    }

    fn close(&mut self, conn: &str) -> Result<(), Failure> {
        self.leave(conn)
    }

    fn pause(&mut self, conn: &str, is_paused: bool) -> Result<(), Failure> {
        self.client(conn)?.is_paused = is_paused;
        self.rest()
    }

    fn hold_handshakes(&mut self, on: bool) -> Result<(), Failure> {
        self.is_holding = on;
        for (name, params) in std::mem::take(&mut self.held) {
            self.judge(&name, &params)?;
            self.serve(&name)?;
        }
        self.rest()
    }

    fn advance(&mut self, ms: u64) -> Result<(), Failure> {
        let target = self.now.age_ms + ms;
        for _ in 0..MAX_DEADLINES {
            let Some(deadline) = self.next_deadline().filter(|deadline| *deadline <= target) else {
                self.now = self.now.after(target - self.now.age_ms);
                return Ok(());
            };
            self.now = self.now.after(deadline.saturating_sub(self.now.age_ms));
            self.fire()?;
        }
        fail!("the core does not come to rest")
    }

    fn suspend(&mut self, ms: u64) -> Result<(), Failure> {
        self.now = self.now.after(ms);
        self.advance(0)
    }

    fn step_wall(&mut self, by: i64) {
        self.now.wall_ms = self.now.wall_ms.saturating_add_signed(by);
    }

    fn shutdown(&mut self, reason: &str) -> Result<(), Failure> {
        self.hub.shutdown(reason, self.now);
        self.rest()
    }

    fn settle(&mut self) -> Result<(), Failure> {
        // Nothing is ever under way.
        Ok(())
    }

    fn list(&mut self) -> Result<(Value, u64), Failure> {
        let list = serde_json::to_value(self.hub.list(self.now))?;
        self.rest()?;
        Ok((list, self.hub.version()))
    }

    fn take_received(&mut self) -> Vec<Received> {
        std::mem::take(&mut self.received)
    }
}

/// The limits of a configuration.
#[must_use]
pub fn limits(config: &Config) -> Limits {
    let default = Limits::default();
    let given = &config.limits;
    Limits {
        preauth_frame_bytes: given.preauth_frame_bytes.unwrap_or(default.preauth_frame_bytes),
        payload_bytes: given.payload_bytes.unwrap_or(default.payload_bytes),
        buffered_bytes: given.buffered_bytes.unwrap_or(default.buffered_bytes),
        handshake_ms: given.handshake_ms.unwrap_or(default.handshake_ms),
        tick_interval_ms: given.tick_interval_ms.unwrap_or(default.tick_interval_ms),
        stall_ms: given.stall_ms.unwrap_or(default.stall_ms),
        window_ms: config.window_ms,
        ping_interval_ms: given.ping_interval_ms.unwrap_or(default.ping_interval_ms),
        unauthorized_calls: given.unauthorized_calls.unwrap_or(default.unauthorized_calls),
    }
}
