//! Runs one script against one target (README, "Scripts").

mod calls;
mod expect;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

use super::Failure;
use super::format::Script;
use super::load::Suite;
use super::record::Record;
use super::step::{Action, Step};
use super::target::{Item, Opening, Received, Setup, Target};
use super::values::{Context, Use, numbered};
use crate::fail;

/// Runs a script. Returns its part of the digest's text.
///
/// # Errors
/// The first thing that is not as it should be, and in which step.
pub fn run<T: Target>(suite: &Suite, script: &Script) -> Result<String, Failure> {
    let config = suite.config(script)?;
    let mut self_row = config.self_row.clone();
    let context = Context::new(suite, config.auth.secret.clone(), self_row.clone());
    self_row.insert("ts".into(), 0.into());
    let setup = Setup {
        config,
        self_row,
        start_wall_ms: suite.cast.start_wall_ms,
    };
    let mut run = Run {
        suite,
        script,
        target: T::start(&setup)?,
        context,
        at: 0,
        conns: BTreeMap::new(),
        watched: BTreeSet::new(),
        record: Record::default(),
        end: None,
    };
    for (index, step) in script.steps.iter().enumerate() {
        let is_last = index + 1 == script.steps.len();
        run.step(step, step.at.unwrap_or_default(), is_last)
            .map_err(|failure| failure.at(format!("step {index} (at {})", run.at)))?;
    }
    run.finish()
}

/// A script while it runs.
struct Run<'a, T> {
    suite: &'a Suite,
    script: &'a Script,
    target: T,
    context: Context<'a>,
    /// The virtual time.
    at: u64,
    conns: BTreeMap<String, Conn>,
    /// Connections that some `expect` looked at.
    watched: BTreeSet<String>,
    record: Record,
    /// The final list and version, once they were compared.
    end: Option<(Value, u64)>,
}

/// A client's side of a connection.
struct Conn {
    /// Received, and not looked at.
    pending: VecDeque<Received>,
    requests: u32,
    auto_pong: bool,
    /// Pings that were received and not answered.
    unanswered: u32,
    /// The client itself ended it: what still comes is not recorded.
    is_gone: bool,
}

impl<T: Target> Run<'_, T> {
    fn step(&mut self, step: &Step, at: u64, is_last: bool) -> Result<(), Failure> {
        let Some(ms) = at.checked_sub(self.at) else {
            fail!("time goes back to {at}");
        };
        self.target.advance(ms)?;
        self.at = at;
        self.collect()?;
        self.act(&step.action, is_last)?;
        for (conn, items) in &step.expect {
            self.expect(conn, items)
                .map_err(|failure| failure.at(format!("expect {conn}")))?;
        }
        Ok(())
    }

    fn act(&mut self, action: &Action, is_last: bool) -> Result<(), Failure> {
        match action {
            Action::Open { conn, from, origin } => {
                let base = &self.suite.cast.clients["base"].from;
                let opening = Opening {
                    from: from.as_ref().unwrap_or(base).clone(),
                    origin: origin.clone(),
                    user: None,
                };
                return self.open(conn, &opening);
            }
            Action::Connect(connect) => return self.connect(connect),
            Action::Call {
                conn,
                method,
                params,
                result,
                error,
            } => {
                return self.call(conn, method, params.as_ref(), result.as_ref(), error.as_ref());
            }
            Action::Beacon {
                conn,
                params,
                result,
                error,
            } => {
                return self.call(
                    conn,
                    "system-event",
                    Some(params),
                    result.as_ref(),
                    error.as_ref(),
                );
            }
            Action::List { rows, count, version } => {
                return self.list(rows.as_ref(), *count, *version).map(|_| ());
            }
            Action::Repeat { count, every, steps } => return self.repeat(*count, *every, steps),
            Action::Advance {} => return Ok(()),
            Action::Send {
                conn,
                text,
                json,
                pad_to,
                settle,
            } => {
                let mut text = match (text, json) {
                    (Some(text), None) => text.clone(),
                    (None, Some(json)) => serde_json::to_string(&self.context.expand(json, Use::Sent)?)?,
                    _ => fail!("send wants text or json"),
                };
                while pad_to.is_some_and(|bytes| text.len() < bytes) {
                    text.push(' ');
                }
                self.target.send(conn, text)?;
                if !settle {
                    return Ok(());
                }
            }
            Action::AutoPong { conn, on } => {
                self.conn(conn)?.auto_pong = *on;
                self.target.auto_pong(conn, *on)?;
            }
            Action::Pong { conn, unasked } => {
                let state = self.conn(conn)?;
                if !unasked {
                    let Some(left) = state.unanswered.checked_sub(1) else {
                        fail!("no ping to answer")
                    };
                    state.unanswered = left;
                }
                self.target.pong(conn)?;
            }
            Action::Drop { conn } => {
                self.conn(conn)?.is_gone = true;
                self.target.drop_transport(conn)?;
            }
            Action::Close { conn } => {
                self.conn(conn)?.is_gone = true;
                self.target.close(conn)?;
            }
            Action::Pause { conn } => self.target.pause(conn, true)?,
            Action::Resume { conn } => self.target.pause(conn, false)?,
            Action::Clear { conn } => self.conn(conn)?.pending.clear(),
            Action::HoldHandshakes { on } => self.target.hold_handshakes(*on)?,
            Action::WallStep { by } => self.target.step_wall(*by),
            Action::Suspend { ms } => {
                self.target.suspend(*ms)?;
                self.at += ms;
            }
            Action::Shutdown { reason } => {
                if !is_last {
                    fail!("shutdown must be the last step");
                }
                self.check_end()?;
                self.target.shutdown(reason)?;
            }
        }
        self.target.settle()?;
        self.collect()
    }

    fn conn(&mut self, name: &str) -> Result<&mut Conn, Failure> {
        self.conns
            .get_mut(name)
            .ok_or_else(|| Failure::new(format!("no connection {name}")))
    }

    fn repeat(&mut self, count: u64, every: u64, steps: &[Value]) -> Result<(), Failure> {
        let start = self.at;
        for i in 0..count {
            for step in steps {
                let step: Step = serde_json::from_value(numbered(step, i))?;
                self.step(&step, start + i * every, false)
                    .map_err(|failure| failure.at(format!("round {i}")))?;
            }
        }
        Ok(())
    }

    /// Takes what the target's clients received.
    fn collect(&mut self) -> Result<(), Failure> {
        for received in self.target.take_received() {
            let state = self.conn(&received.conn)?;
            if state.is_gone {
                continue;
            }
            let is_kept = received.item != Item::Ping || !state.auto_pong;
            if received.item == Item::Ping && !state.auto_pong {
                state.unanswered += 1;
            }
            if is_kept {
                state.pending.push_back(received.clone());
            }
            self.learn(&received);
            self.record.push(received);
        }
        Ok(())
    }

    /// Learns ids from challenges and hellos.
    fn learn(&mut self, received: &Received) {
        if self.context.conns.contains_key(&received.conn) {
            return;
        }
        let Some(frame) = frame_of(received) else { return };
        let payload = &frame["payload"];
        if let (Some("connect.challenge"), Some(nonce)) = (frame["event"].as_str(), payload["nonce"].as_str())
        {
            self.context
                .nonces
                .insert(received.conn.clone(), nonce.to_owned());
        }
        if let Some(id) = payload["server"]["connId"].as_str() {
            self.context.conns.insert(received.conn.clone(), id.to_owned());
        }
        if let Some(id) = payload["server"]["bootId"].as_str() {
            self.record.learn_boot_id(id);
        }
    }

    fn next_frame(&mut self, conn: &str) -> Result<Value, Failure> {
        let Some(received) = self.conn(conn)?.pending.pop_front() else {
            fail!("nothing received")
        };
        frame_of(&received).ok_or_else(|| Failure::new(format!("received {:?}", received.item)))
    }

    fn check_end(&mut self) -> Result<(), Failure> {
        let end = self
            .list(Some(&self.script.roster), None, self.script.version)
            .map_err(|failure| failure.at("final roster"))?;
        self.end = Some(end);
        Ok(())
    }

    fn finish(mut self) -> Result<String, Failure> {
        if self.end.is_none() {
            self.check_end()?;
        }
        for conn in std::mem::take(&mut self.watched) {
            if let Some(extra) = self.take_compared(&conn)?.first() {
                fail!(
                    "at the end: {conn} received {:?}, which nothing expected",
                    extra.item
                );
            }
        }
        let Some((roster, version)) = &self.end else {
            fail!("no final roster")
        };
        self.record
            .text(&self.script.name, roster, *version, &self.context)
    }
}

fn frame_of(received: &Received) -> Option<Value> {
    match &received.item {
        Item::Text(text) => serde_json::from_str(text).ok(),
        Item::Ping | Item::Close(..) => None,
    }
}
