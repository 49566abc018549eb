//! A gateway without sockets: the core's server half, for the playground and for tests.

mod config;
mod evidence;
mod output;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use presence_core::Now;
use presence_core::server::{
    ConnId, Connection, ConnectionOutput, DeviceEvidence, Evidence, Grant, Hub, HubOutput, Item, LeaveCause,
    OriginEvidence, Outbox, Outgoing, SecretEvidence,
};
use presence_core::wire::{CloseFrame, ConnectParams};
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use self::config::Config;
use self::evidence::DeviceQuestion;
use self::output::{GatewayEvent, GatewayFrame};
use crate::clock::{now, number};

/// A gateway whose sockets are numbers and whose time is an argument.
///
/// After every call, call [`poll`](Self::poll) until it returns nothing, then [`take`](Self::take) for each socket
/// until it returns nothing.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Gateway {
    config: Config,
    hub: Hub,
    /// The open sockets, by ascending number; there are few, so a list suffices.
    sockets: Vec<Socket>,
    opened: u32,
    /// Whether `connect` requests wait to be checked.
    is_holding: bool,
    events: VecDeque<GatewayEvent>,
}

/// One simulated socket.
#[derive(Debug)]
struct Socket {
    id: u32,
    machine: Connection,
    outbox: Outbox,
    origin: OriginEvidence,
    conn: Option<ConnId>,
    /// The `connect` request that waits to be checked.
    held: Option<Box<ConnectParams>>,
    /// The request whose evidence is being verified.
    asked: Option<Box<ConnectParams>>,
    /// Whether our close frame is in the outbox.
    is_closing: bool,
}

#[wasm_bindgen]
impl Gateway {
    /// Returns a gateway with the configuration in the JSON text `config`; every member has a default.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` names the bad member.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &str, age_ms: f64, wall_ms: f64) -> Result<Self, JsValue> {
        let config = Config::parse(config)?;
        Ok(Self {
            hub: Hub::new(config.hub.clone(), now(age_ms, wall_ms)),
            config,
            sockets: Vec::new(),
            opened: 0,
            is_holding: false,
            events: VecDeque::new(),
        })
    }

    /// Opens a client's socket and returns its number, from 1 on. `user` is the id of its user,
    /// `refused_origin` its Origin header, if that is not allowed.
    #[expect(clippy::needless_pass_by_value, reason = "strings of JavaScript arrive owned")]
    pub fn open(
        &mut self,
        remote_ip: Option<String>,
        user: Option<String>,
        refused_origin: Option<String>,
        age_ms: f64,
        wall_ms: f64,
    ) -> u32 {
        let now = now(age_ms, wall_ms);
        self.opened += 1;
        let id = self.opened;
        let origin = refused_origin.map_or(OriginEvidence::Allowed, |origin| {
            OriginEvidence::Refused(Some(origin.into()))
        });
        let remote_ip: Option<Box<str>> = remote_ip.map(Into::into);
        let limits = &self.config.hub.limits;
        let machine = Connection::new(
            limits,
            // The ids have equal lengths, so that none is a prefix of another.
            format!("00000000-0000-4000-8000-{id:012}").into(),
            format!("00000000-0000-4000-9000-{id:012}").into(),
            remote_ip,
            Now {
                wall_ms: self.hub.server_wall_ms(now),
                ..now
            },
        )
        .with_user(user.as_deref());
        let outbox = Outbox::new(limits.buffered_bytes);
        self.sockets.push(Socket {
            id,
            machine,
            outbox,
            origin,
            conn: None,
            held: None,
            asked: None,
            is_closing: false,
        });
        self.settle(id, now);
        id
    }

    /// Handles a text frame of a socket.
    pub fn text(&mut self, socket: u32, frame: &str, age_ms: f64, wall_ms: f64) {
        let now = now(age_ms, wall_ms);
        self.with(socket, now, |socket| {
            if frame.len() > socket.machine.max_frame_bytes() {
                socket.machine.handle_oversized();
            } else {
                socket.machine.handle_text(frame, now);
            }
        });
    }

    /// Handles the answer to a `verify` event: `verified`, `id-mismatch`, `public-key-invalid`,
    /// `signature-invalid`, `signature-expired SIGNED_AT_MS NOW_MS`, `nonce-required` or `nonce-mismatch`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for any other text.
    pub fn verified(&mut self, socket: u32, outcome: &str, age_ms: f64, wall_ms: f64) -> Result<(), JsValue> {
        let device = evidence::parse(outcome)?;
        let now = now(age_ms, wall_ms);
        let Some(asked) = self.socket(socket).and_then(|socket| socket.asked.take()) else {
            return Ok(());
        };
        let secret = self.config.secret.compare(&asked.auth);
        self.with(socket, now, |socket| socket.decide(secret, device, now));
        Ok(())
    }

    /// Sets whether `connect` requests wait, as they would for a slow check of secrets; `false` checks the waiting
    /// requests.
    pub fn hold(&mut self, is_holding: bool, age_ms: f64, wall_ms: f64) {
        let now = now(age_ms, wall_ms);
        self.is_holding = is_holding;
        if is_holding {
            return;
        }
        for id in self.sockets.iter().map(|socket| socket.id).collect::<Vec<_>>() {
            if let Some(held) = self.socket(id).and_then(|socket| socket.held.take()) {
                self.judge(id, held, now);
                self.settle(id, now);
            }
        }
    }

    /// Handles a pong of a socket.
    pub fn pong(&mut self, socket: u32, age_ms: f64, wall_ms: f64) {
        let now = now(age_ms, wall_ms);
        if let Some(conn) = self.socket(socket).and_then(|socket| socket.conn) {
            self.hub.pong(conn, now);
            self.drain_hub(now);
        }
    }

    /// Handles the end of a socket: the client closed it or was lost, or our close frame was sent.
    pub fn close(&mut self, socket: u32, age_ms: f64, wall_ms: f64) {
        let Some(at) = self.sockets.iter().position(|open| open.id == socket) else {
            return;
        };
        let gone = self.sockets.remove(at);
        if let Some(conn) = gone.conn {
            let cause = if gone.is_closing {
                LeaveCause::WeClosed
            } else {
                LeaveCause::PeerClosed
            };
            let now = now(age_ms, wall_ms);
            self.hub.leave(conn, cause, now);
            self.drain_hub(now);
        }
    }

    /// Executes what is due.
    pub fn advance(&mut self, age_ms: f64, wall_ms: f64) {
        let now = now(age_ms, wall_ms);
        self.hub.handle_timeout(now);
        self.drain_hub(now);
        for id in self.sockets.iter().map(|socket| socket.id).collect::<Vec<_>>() {
            self.with(id, now, |socket| socket.machine.handle_timeout(now));
        }
    }

    /// Returns when to call [`advance`](Self::advance) next, on the age clock; `undefined` without a timer.
    #[must_use]
    pub fn timeout(&self) -> Option<f64> {
        let handshakes = self
            .sockets
            .iter()
            .filter_map(|socket| socket.machine.poll_timeout());
        handshakes.chain(self.hub.poll_timeout()).min().map(number)
    }

    /// Announces the shutdown to all sockets and closes them.
    pub fn shutdown(&mut self, reason: &str, age_ms: f64, wall_ms: f64) {
        let now = now(age_ms, wall_ms);
        self.hub.shutdown(reason, now);
        self.drain_hub(now);
    }

    /// Returns the next event, or `undefined`.
    ///
    /// # Errors
    /// Does not happen: texts and safe integers always convert.
    pub fn poll(&mut self) -> Result<Option<Ts<GatewayEvent>>, JsError> {
        let event = self.events.pop_front();
        Ok(event.map(|event| event.into_ts()).transpose()?)
    }

    /// Returns the next frame for a socket.
    ///
    /// # Errors
    /// Does not happen.
    pub fn take(&mut self, socket: u32) -> Result<Option<Ts<GatewayFrame>>, JsError> {
        let frame = self.socket(socket).and_then(|socket| socket.outbox.pop());
        let frame = frame.map(|frame| match frame {
            Outgoing::Close(CloseFrame { code, reason }) => GatewayFrame::Close {
                code,
                reason: reason.into(),
            },
            text => GatewayFrame::Text {
                text: text.to_string(),
            },
        });
        Ok(frame.map(|frame| frame.into_ts()).transpose()?)
    }

    /// Returns the roster as the JSON text of a list, newest first.
    pub fn list(&mut self, age_ms: f64, wall_ms: f64) -> String {
        let now = now(age_ms, wall_ms);
        let list = self.hub.list(now);
        self.drain_hub(now);
        // Strings, integers and lists of strings always encode.
        serde_json::to_string(&list).unwrap_or_default()
    }

    /// Returns the presence version.
    #[must_use]
    pub fn version(&self) -> f64 {
        number(self.hub.version())
    }

    /// Returns the number of rows, the gateway's own included.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.hub.rows()
    }

    /// Returns the number of sockets that completed the handshake.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.hub.connections()
    }
}

impl Gateway {
    fn socket(&mut self, id: u32) -> Option<&mut Socket> {
        self.sockets.iter_mut().find(|socket| socket.id == id)
    }

    /// Applies an input to a socket, then executes the outputs.
    fn with(&mut self, socket: u32, now: Now, happen: impl FnOnce(&mut Socket)) {
        if let Some(found) = self.socket(socket).filter(|socket| !socket.is_closing) {
            happen(found);
            self.settle(socket, now);
        }
    }

    /// Executes the outputs of a socket's state machine.
    fn settle(&mut self, id: u32, now: Now) {
        while let Some(socket) = self.sockets.iter_mut().find(|socket| socket.id == id)
            && let Some(output) = socket.machine.poll_output()
        {
            match output {
                ConnectionOutput::Send(frame) => socket.push(Item::Response(frame)),
                ConnectionOutput::Close(close) => socket.push(Item::Close(close)),
                ConnectionOutput::Authenticate(params) if self.is_holding => socket.held = Some(params),
                ConnectionOutput::Authenticate(params) => self.judge(id, params, now),
                ConnectionOutput::Join(handshake) => {
                    let conn = self.hub.join(*handshake, now);
                    socket.conn = Some(conn);
                    self.drain_hub(now);
                }
                ConnectionOutput::Call(request) => {
                    if let Some(conn) = socket.conn {
                        self.hub.call(conn, &request, now);
                        self.drain_hub(now);
                    }
                }
                _ => {}
            }
        }
    }

    /// Collects the evidence of a request, or requests its verification.
    fn judge(&mut self, id: u32, params: Box<ConnectParams>, now: Now) {
        let wall = Now {
            wall_ms: self.hub.server_wall_ms(now),
            ..now
        };
        let Some(socket) = self.sockets.iter_mut().find(|socket| socket.id == id) else {
            return;
        };
        if let Some(question) = DeviceQuestion::of(&params, socket.machine.challenge(), wall) {
            socket.asked = Some(params);
            self.events
                .push_back(GatewayEvent::Verify { socket: id, question });
        } else {
            let secret = self.config.secret.compare(&params.auth);
            socket.decide(secret, DeviceEvidence::Absent, now);
        }
    }

    /// Executes the outputs of the hub.
    fn drain_hub(&mut self, now: Now) {
        while let Some(output) = self.hub.poll_output() {
            let (HubOutput::Send(conn, _) | HubOutput::Ping(conn) | HubOutput::Drop(conn, _)) = output else {
                continue;
            };
            let Some(socket) = self.sockets.iter_mut().find(|socket| socket.conn == Some(conn)) else {
                continue;
            };
            match output {
                HubOutput::Send(_, item) => {
                    let is_delta = matches!(item, Item::Delta(_));
                    socket.push(item);
                    if is_delta && socket.outbox.take_behind() {
                        self.hub.resync(conn, now);
                    }
                }
                HubOutput::Ping(_) => {
                    let event = GatewayEvent::Ping { socket: socket.id };
                    self.events.push_back(event);
                }
                HubOutput::Drop(_, close) => {
                    socket.push(Item::Close(close));
                    socket.conn = None;
                }
                _ => {}
            }
        }
    }
}

impl Socket {
    fn decide(&mut self, secret: SecretEvidence, device: DeviceEvidence, now: Now) {
        let evidence = Evidence {
            origin: self.origin.clone(),
            secret,
            device,
            grant: Grant::Everything,
        };
        self.machine.handle_evidence(&evidence, now);
    }

    fn push(&mut self, item: Item) {
        self.is_closing |= matches!(item, Item::Close(_));
        if self.outbox.push(item).is_err() {
            self.push(Item::Close(CloseFrame::SLOW_CONSUMER));
        }
    }
}
