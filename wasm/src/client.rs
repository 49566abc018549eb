//! The client of one gateway: the core's machine, for a shell that has sockets, timers and the key.

mod config;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use presence_core::client::{self as core, ClientEvent, ClientOutput, Problem};
use serde_json::value::RawValue;
use wasm_bindgen::prelude::*;

use crate::clock::{integer, now, number};
use crate::error::{error, invalid};

/// A client of one gateway.
///
/// After every call take each [`poll`](Self::poll) until it returns nothing, then set one timer for
/// [`timeout`](Self::timeout).
#[wasm_bindgen]
#[derive(Debug)]
pub struct Client {
    client: core::Client,
}

#[wasm_bindgen]
impl Client {
    /// A client that does nothing until it is started. `options` is the JSON of what is listed at
    /// `config::parse`; only `client` must be there.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` names the bad member.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &str, age_ms: f64, wall_ms: f64) -> Result<Self, JsValue> {
        let client = core::Client::new(config::parse(options)?, now(age_ms, wall_ms));
        Ok(Self { client })
    }

    /// Connects, and keeps connected.
    pub fn start(&mut self, age_ms: f64, wall_ms: f64) {
        self.client.start(now(age_ms, wall_ms));
    }

    /// Disconnects for good; the roster stays, offline.
    pub fn stop(&mut self, age_ms: f64, wall_ms: f64) {
        self.client.stop(now(age_ms, wall_ms));
    }

    /// Whether anybody looks at the roster.
    #[wasm_bindgen(js_name = setWatched)]
    pub fn set_watched(&mut self, is_watched: bool, age_ms: f64, wall_ms: f64) {
        self.client.set_watched(is_watched, now(age_ms, wall_ms));
    }

    /// Whether the page is shown.
    #[wasm_bindgen(js_name = setVisible)]
    pub fn set_visible(&mut self, is_visible: bool, age_ms: f64, wall_ms: f64) {
        self.client.set_visible(is_visible, now(age_ms, wall_ms));
    }

    /// Whether the machine has a network.
    #[wasm_bindgen(js_name = setOnline)]
    pub fn set_online(&mut self, is_online: bool, age_ms: f64, wall_ms: f64) {
        self.client.set_online(is_online, now(age_ms, wall_ms));
    }

    /// The user did something just now.
    #[wasm_bindgen(js_name = reportInput)]
    pub fn report_input(&mut self, age_ms: f64, wall_ms: f64) {
        self.client.report_input(now(age_ms, wall_ms));
    }

    /// Reports this client now. Returns the number that the answer will have.
    ///
    /// # Errors
    /// `NOT_CONNECTED` or `TOO_MANY_REQUESTS`.
    pub fn beacon(&mut self, reason: &str, age_ms: f64, wall_ms: f64) -> Result<f64, JsValue> {
        let id = self.client.beacon(reason, now(age_ms, wall_ms));
        id.map(number).map_err(refused)
    }

    /// Calls a method of the gateway; `params` is JSON. Returns the number that the answer will have.
    ///
    /// # Errors
    /// `NOT_CONNECTED`, `TOO_MANY_REQUESTS`, or `INVALID_ARGUMENT` if the parameters are not JSON.
    pub fn request(
        &mut self,
        method: &str,
        params: Option<String>,
        age_ms: f64,
        wall_ms: f64,
    ) -> Result<f64, JsValue> {
        let params = params
            .map(RawValue::from_string)
            .transpose()
            .map_err(|_| invalid("params", "must be JSON"))?;
        let id = self
            .client
            .request(method, params.as_deref(), now(age_ms, wall_ms))
            .map_err(refused)?;
        Ok(number(id))
    }

    /// A socket is open.
    pub fn opened(&mut self, socket: f64, age_ms: f64, wall_ms: f64) {
        self.client.handle_open(integer(socket), now(age_ms, wall_ms));
    }

    /// A text frame arrived.
    pub fn text(&mut self, socket: f64, frame: &str, age_ms: f64, wall_ms: f64) {
        self.client
            .handle_text(integer(socket), frame, now(age_ms, wall_ms));
    }

    /// A socket is closed, or could not be opened: then the code is 1006.
    pub fn closed(&mut self, socket: f64, code: u16, reason: &str, age_ms: f64, wall_ms: f64) {
        self.client
            .handle_close(integer(socket), code, reason, now(age_ms, wall_ms));
    }

    /// What the key made of a `sign` output: base64url without padding, or nothing if it cannot sign.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "wasm-bindgen hands over no optional references"
    )]
    pub fn signature(&mut self, socket: f64, signature: Option<String>, age_ms: f64, wall_ms: f64) {
        self.client
            .handle_signature(integer(socket), signature.as_deref(), now(age_ms, wall_ms));
    }

    /// Time passed.
    pub fn advance(&mut self, age_ms: f64, wall_ms: f64) {
        self.client.handle_timeout(now(age_ms, wall_ms));
    }

    /// When to call [`advance`](Self::advance) next, on the age clock; nothing: no need.
    #[must_use]
    pub fn timeout(&self) -> Option<f64> {
        self.client.poll_timeout().map(number)
    }

    /// What is to be done or told:
    ///
    /// * `["open", socket]`, `["send", socket, text]`, `["close", socket, code, reason]`,
    ///   `["sign", socket, payload]`;
    /// * `["state", word, retryAtMs | undefined, ...problem]`, the problem being `code, message, remedy` or
    ///   nothing;
    /// * `["roster", json]`: what changed, see `Mirror::diff_json` of the core;
    /// * `["answer", id, json]` and `["failure", id, code, message, remedy]` to requests and beacons;
    /// * `["notice", ...problem]`;
    /// * `["shutdown", reason, restartExpectedMs | undefined]`.
    pub fn poll(&mut self) -> Option<Vec<JsValue>> {
        let mut told: Vec<JsValue> = Vec::new();
        let mut tell = |value: JsValue| told.push(value);
        match self.client.poll_output()? {
            ClientOutput::Open { socket } => {
                tell("open".into());
                tell(number(socket).into());
            }
            ClientOutput::Send { socket, text } => {
                tell("send".into());
                tell(number(socket).into());
                tell((&*text).into());
            }
            ClientOutput::Close { socket, code, reason } => {
                tell("close".into());
                tell(number(socket).into());
                tell(code.into());
                tell(reason.into());
            }
            ClientOutput::Sign { socket, payload } => {
                tell("sign".into());
                tell(number(socket).into());
                tell((&*payload).into());
            }
            ClientOutput::Event(ClientEvent::Roster(diff)) => {
                tell("roster".into());
                tell(self.client.mirror().diff_json(&diff).into());
            }
            ClientOutput::Event(event) => tell_event(&event, &mut tell),
            _ => {}
        }
        Some(told)
    }

    /// What the gateway stated of itself, while live, as JSON: `{protocol, serverVersion, connId, bootId?,
    /// scopes?, methods, tickIntervalMs}`.
    #[must_use]
    pub fn hello(&self) -> Option<String> {
        self.client.hello().map(core::Hello::to_json)
    }

    /// The state in one word.
    #[must_use]
    pub fn state(&self) -> String {
        self.client.state().as_str().into()
    }

    /// What looks like one client under two rows, as JSON; see `Roster.findings`.
    #[must_use]
    pub fn findings(&self) -> String {
        self.client.mirror().findings_json()
    }

    /// The gateway's rows as it listed them, as JSON.
    #[must_use]
    pub fn entries(&self) -> String {
        self.client.mirror().raw_list_json()
    }

    /// Whether the gateway cannot be reached, so that the rows are only what was last known.
    #[wasm_bindgen(js_name = isOffline)]
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.client.mirror().is_offline()
    }

    /// What the gateway's clock reads, ms since the Unix epoch.
    #[wasm_bindgen(js_name = serverMs)]
    #[must_use]
    pub fn server_ms(&self, age_ms: f64, wall_ms: f64) -> f64 {
        number(self.client.server_ms(now(age_ms, wall_ms)))
    }
}

fn tell_event(event: &ClientEvent, tell: &mut dyn FnMut(JsValue)) {
    let (word, problem) = match event {
        ClientEvent::State { state, problem } => {
            tell("state".into());
            tell(state.as_str().into());
            tell(match state {
                core::ClientState::Waiting { at_ms } => number(*at_ms).into(),
                _ => JsValue::UNDEFINED,
            });
            return problem.iter().for_each(|problem| tell_problem(problem, tell));
        }
        ClientEvent::Shutdown {
            reason,
            restart_expected_ms,
        } => {
            tell("shutdown".into());
            tell((&**reason).into());
            return tell(restart_expected_ms.map(number).into());
        }
        ClientEvent::Response { id, result } => {
            tell(if result.is_ok() { "answer" } else { "failure" }.into());
            tell(number(*id).into());
            return match result {
                Ok(json) => tell((&**json).into()),
                Err(problem) => tell_problem(problem, tell),
            };
        }
        ClientEvent::BeaconRefused(problem) => ("beacons refused", Some(problem)),
        ClientEvent::NoReadScope(problem) => ("notice", Some(problem)),
        _ => return,
    };
    tell(word.into());
    problem.iter().for_each(|problem| tell_problem(problem, tell));
}

fn tell_problem(problem: &Problem, tell: &mut dyn FnMut(JsValue)) {
    for text in [&problem.code, &problem.message, &problem.remedy] {
        tell((&**text).into());
    }
}

fn refused(why: core::CallError) -> JsValue {
    error(why.code(), &why.to_string())
}
