//! Connections and requests of a script.

use std::collections::VecDeque;

use serde_json::{Map, Value, json};

use super::{Conn, Run, frame_of};
use crate::fail;
use crate::vectors::Failure;
use crate::vectors::connect::connect_request;
use crate::vectors::step::Connect;
use crate::vectors::target::{Opening, Received, Target};
use crate::vectors::values::{Use, compare, short};

impl<T: Target> Run<'_, T> {
    pub(super) fn open(&mut self, name: &str, opening: &Opening) -> Result<(), Failure> {
        let fresh = Conn {
            pending: VecDeque::new(),
            requests: 0,
            auto_pong: true,
            unanswered: 0,
            is_gone: false,
        };
        if self.conns.insert(name.to_owned(), fresh).is_some() {
            fail!("two connections are called {name}");
        }
        self.record.open(name);
        self.target.open(name, opening)?;
        self.target.settle()?;
        self.collect()
    }

    pub(super) fn connect(&mut self, connect: &Connect) -> Result<(), Failure> {
        let suite = self.suite;
        let Some(client) = suite.cast.clients.get(&connect.client) else {
            fail!("no client {} in the cast", connect.client);
        };
        let name = connect.conn.as_ref().unwrap_or(&connect.client).as_str();
        if !self.conns.contains_key(name) {
            let from = connect.from.as_ref().unwrap_or(&client.from).clone();
            self.open(
                name,
                &Opening {
                    from,
                    origin: connect.origin.clone(),
                    user: connect.user.clone(),
                },
            )?;
        }
        let challenge = self.next_frame(name)?;
        if challenge["event"] != "connect.challenge" {
            fail!("received instead of the challenge: {}", short(&challenge));
        }
        let base = &suite.cast.clients["base"];
        let params = connect_request(&self.context, suite, base, client, connect, &challenge["payload"])?;
        let id = self.request(name, "connect", Some(params))?;
        let response = self.next_frame(name)?;
        if response["type"] != "res" || response["id"] != id.as_str() {
            fail!("received instead of the response: {}", short(&response));
        }
        self.check_response(&response, connect.hello.as_ref(), connect.error.as_ref())?;
        if let Some((code, reason)) = &connect.close {
            let expected = json!({ "close": [code, reason] });
            self.compare_next(name, &expected)?;
        }
        Ok(())
    }

    /// Sends a request with the connection's next id, and waits for its effects.
    pub(super) fn request(
        &mut self,
        conn: &str,
        method: &str,
        params: Option<Value>,
    ) -> Result<String, Failure> {
        let state = self.conn(conn)?;
        state.requests += 1;
        let id = format!("{conn}-{}", state.requests);
        let mut frame = Map::from_iter([
            ("type".to_owned(), "req".into()),
            ("id".to_owned(), id.as_str().into()),
            ("method".to_owned(), method.into()),
        ]);
        if let Some(params) = params {
            frame.insert("params".into(), params);
        }
        self.target.send(conn, serde_json::to_string(&frame)?)?;
        self.target.settle()?;
        self.collect()?;
        Ok(id)
    }

    pub(super) fn call(
        &mut self,
        conn: &str,
        method: &str,
        params: Option<&Value>,
        result: Option<&Value>,
        error: Option<&Value>,
    ) -> Result<(), Failure> {
        let params = params
            .map(|params| self.context.expand(params, Use::Sent))
            .transpose()?;
        let id = self.request(conn, method, params)?;
        let pending = &mut self.conn(conn)?.pending;
        let is_response = |received: &Received| {
            frame_of(received).is_some_and(|frame| frame["type"] == "res" && frame["id"] == id.as_str())
        };
        let response = pending
            .iter()
            .position(is_response)
            .and_then(|index| pending.remove(index));
        let Some(response) = response.as_ref().and_then(frame_of) else {
            fail!("no response to {method}");
        };
        self.check_response(&response, result, error)
    }

    pub(super) fn list(
        &mut self,
        rows: Option<&Value>,
        count: Option<usize>,
        version: Option<u64>,
    ) -> Result<(Value, u64), Failure> {
        let (list, found_version) = self.target.list()?;
        self.target.settle()?;
        self.collect()?;
        if let Some(rows) = rows {
            let expected = self.context.expand(rows, Use::Expected { at: self.at })?;
            compare(&expected, &list)
                .map_err(|failure| failure.at(format!("the list is {}; difference", short(&list))))?;
        }
        if let Some(count) = count {
            let found = list.as_array().map_or(0, Vec::len);
            if found != count {
                fail!("{found} rows instead of {count}");
            }
        }
        match version {
            Some(version) if version != found_version => {
                fail!("version {found_version} instead of {version}")
            }
            _ => Ok((list, found_version)),
        }
    }
}
