//! The core's state machines, wired as a shell wires them, without sockets: one [`Connection`] and one
//! [`Outbox`] a client, one [`Hub`].

mod journal;
mod wiring;

use std::collections::BTreeMap;

use presence_core::server::{ConnId, Connection, Hub, HubConfig, Outbox};
use presence_core::wire::{ConnectParams, Limits};
use presence_core::{Now, PresenceEntry};
use serde_json::Value;

pub use self::journal::{Happened, Happening};
use super::Failure;
use super::format::{AuthMode, Config};
use super::limits::limits;
use super::target::{Opening, Received, Setup, Target};
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
    /// What happened, if it is kept.
    journal: Option<Vec<Happened>>,
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
            journal: None,
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
        self.note(|| Happening::Settled);
        self.hub.shutdown(reason, self.now);
        self.rest()
    }

    fn settle(&mut self) -> Result<(), Failure> {
        // Nothing is ever under way.
        Ok(())
    }

    fn list(&mut self) -> Result<(Value, u64), Failure> {
        self.note(|| Happening::Settled);
        let list = serde_json::to_value(self.hub.list(self.now))?;
        self.rest()?;
        Ok((list, self.hub.version()))
    }

    fn take_received(&mut self) -> Vec<Received> {
        std::mem::take(&mut self.received)
    }
}
