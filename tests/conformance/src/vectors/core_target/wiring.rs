//! Carries out what the state machines want done.

use presence_core::server::{ConnId, ConnectionOutput, HubOutput, Item as Queued, LeaveCause, Outgoing};
use presence_core::wire::ConnectParams;

use super::{AGE_ORIGIN_MS, Client, CoreTarget, Happening};
use crate::fail;
use crate::vectors::Failure;
use crate::vectors::evidence::evidence;
use crate::vectors::target::{Item, Received};

impl CoreTarget {
    pub(super) fn client(&mut self, name: &str) -> Result<&mut Client, Failure> {
        self.clients
            .get_mut(name)
            .ok_or_else(|| Failure::new(format!("no connection {name}")))
    }

    pub(super) fn name_of(&self, conn: ConnId) -> Option<String> {
        self.order
            .iter()
            .find(|name| self.clients[*name].conn == Some(conn))
            .cloned()
    }

    /// Does what a connection's machine wants done.
    pub(super) fn serve(&mut self, name: &str) -> Result<(), Failure> {
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
                    self.note(|| Happening::Joined(name.to_owned(), handshake.clone()));
                    let conn = self.hub.join(*handshake, self.now);
                    self.client(name)?.conn = Some(conn);
                    self.serve_hub()?;
                }
                ConnectionOutput::Call(request) => {
                    if let Some(conn) = self.clients[name].conn {
                        self.note(|| Happening::Called(name.to_owned(), request.clone()));
                        self.hub.call(conn, &request, self.now);
                        self.serve_hub()?;
                    }
                }
                other => fail!("unknown output {other:?}"),
            }
        }
        Ok(())
    }

    /// Finds the facts about a handshake.
    pub(super) fn judge(&mut self, name: &str, params: &ConnectParams) -> Result<(), Failure> {
        let now = self.now;
        let (config, client) = (&self.config, &self.clients[name]);
        let facts = evidence(config, &client.opening, params, client.machine.challenge(), now);
        self.client(name)?.machine.handle_evidence(&facts, now);
        Ok(())
    }

    /// Does what the hub wants done.
    pub(super) fn serve_hub(&mut self) -> Result<(), Failure> {
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
                        self.note(|| Happening::Left {
                            name: name.clone(),
                            is_silent: true,
                        });
                        self.queue(&name, Queued::Close(close))?;
                    }
                }
                other => fail!("unknown output {other:?}"),
            }
        }
        Ok(())
    }

    /// Puts something into a connection's outbox. A close that is ours ends the membership.
    pub(super) fn queue(&mut self, name: &str, item: Queued) -> Result<(), Failure> {
        let now = self.now;
        let client = self.client(name)?;
        let is_close = matches!(item, Queued::Close(_));
        let is_delta = matches!(item, Queued::Delta(_));
        if client.outbox.push(item).is_err() {
            fail!("{name}: slow consumer");
        }
        let is_behind = is_delta && client.outbox.take_behind();
        if is_behind && let Some(conn) = client.conn {
            self.note(|| Happening::Settled);
            self.hub.resync(conn, now);
        } else if is_close && let Some(conn) = client.conn.take() {
            self.note_left(name);
            self.hub.leave(conn, LeaveCause::WeClosed, now);
        }
        self.serve_hub()
    }

    /// Delivers what is in the outboxes of clients that read.
    pub(super) fn deliver(&mut self) -> Result<(), Failure> {
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

    pub(super) fn receive(&mut self, name: &str, item: Item) {
        let at = self.now.age_ms - AGE_ORIGIN_MS;
        self.received.push(Received {
            conn: name.to_owned(),
            at,
            item,
        });
    }

    /// Lets everything happen that can happen without time passing.
    pub(super) fn rest(&mut self) -> Result<(), Failure> {
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

    pub(super) fn answer_ping(&mut self, name: &str) -> Result<(), Failure> {
        if let Some(conn) = self.client(name)?.conn {
            self.note(|| Happening::Pong(name.to_owned()));
            self.hub.pong(conn, self.now);
        }
        Ok(())
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
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
    pub(super) fn fire(&mut self) -> Result<(), Failure> {
        if self
            .hub
            .poll_timeout()
            .is_some_and(|deadline| deadline <= self.now.age_ms)
        {
            self.note(|| Happening::Settled);
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

    fn note_left(&mut self, name: &str) {
        self.note(|| Happening::Left {
            name: name.to_owned(),
            is_silent: false,
        });
    }

    /// Ends a connection from the client's side.
    pub(super) fn leave(&mut self, name: &str) -> Result<(), Failure> {
        let client = self.client(name)?;
        client.is_over = true;
        if let Some(conn) = client.conn.take() {
            self.note_left(name);
            self.hub.leave(conn, LeaveCause::PeerClosed, self.now);
        }
        self.rest()
    }
}
