//! The client of one gateway: the core's state machine, for a shell that provides sockets, timers and the key.

mod config;
mod output;

use alloc::string::{String, ToString};

use presence_core::client as core;
use serde_json::value::RawValue;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use self::output::ClientOutput;
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
    /// Returns a client that is inactive until [`start`](Self::start). `options` is JSON with the members listed
    /// at `config::parse`; only `client` is required.
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

    /// Disconnects until the next [`start`](Self::start); the roster stays, offline.
    pub fn stop(&mut self, age_ms: f64, wall_ms: f64) {
        self.client.stop(now(age_ms, wall_ms));
    }

    /// Sets whether the roster is displayed.
    #[wasm_bindgen(js_name = setWatched)]
    pub fn set_watched(&mut self, is_watched: bool, age_ms: f64, wall_ms: f64) {
        self.client.set_watched(is_watched, now(age_ms, wall_ms));
    }

    /// Sets whether the page is visible.
    #[wasm_bindgen(js_name = setVisible)]
    pub fn set_visible(&mut self, is_visible: bool, age_ms: f64, wall_ms: f64) {
        self.client.set_visible(is_visible, now(age_ms, wall_ms));
    }

    /// Sets whether the machine has a network.
    #[wasm_bindgen(js_name = setOnline)]
    pub fn set_online(&mut self, is_online: bool, age_ms: f64, wall_ms: f64) {
        self.client.set_online(is_online, now(age_ms, wall_ms));
    }

    /// Reports user input at this time.
    #[wasm_bindgen(js_name = reportInput)]
    pub fn report_input(&mut self, age_ms: f64, wall_ms: f64) {
        self.client.report_input(now(age_ms, wall_ms));
    }

    /// Sends a beacon now. Returns the `id` that its answer or failure will have.
    ///
    /// # Errors
    /// `NOT_CONNECTED` or `TOO_MANY_REQUESTS`.
    pub fn beacon(&mut self, reason: &str, age_ms: f64, wall_ms: f64) -> Result<f64, JsValue> {
        let id = self.client.beacon(reason, now(age_ms, wall_ms));
        id.map(number).map_err(refused)
    }

    /// Calls a method of the gateway; `params` is JSON. Returns the `id` that its answer or failure will have.
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

    /// Handles an opened socket.
    pub fn opened(&mut self, socket: f64, age_ms: f64, wall_ms: f64) {
        self.client.handle_open(integer(socket), now(age_ms, wall_ms));
    }

    /// Handles a text frame.
    pub fn text(&mut self, socket: f64, frame: &str, age_ms: f64, wall_ms: f64) {
        self.client
            .handle_text(integer(socket), frame, now(age_ms, wall_ms));
    }

    /// Handles a closed socket, or one that could not be opened: then the code is 1006.
    pub fn closed(&mut self, socket: f64, code: u16, reason: &str, age_ms: f64, wall_ms: f64) {
        self.client
            .handle_close(integer(socket), code, reason, now(age_ms, wall_ms));
    }

    /// Takes the key's signature for a `sign` output: base64url without padding, or `undefined` if it cannot sign.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "wasm-bindgen passes no optional references"
    )]
    pub fn signature(&mut self, socket: f64, signature: Option<String>, age_ms: f64, wall_ms: f64) {
        self.client
            .handle_signature(integer(socket), signature.as_deref(), now(age_ms, wall_ms));
    }

    /// Executes what is due.
    pub fn advance(&mut self, age_ms: f64, wall_ms: f64) {
        self.client.handle_timeout(now(age_ms, wall_ms));
    }

    /// Returns when to call [`advance`](Self::advance) next, on the age clock; `undefined` without a timer.
    #[must_use]
    pub fn timeout(&self) -> Option<f64> {
        self.client.poll_timeout().map(number)
    }

    /// Returns the next output, or `undefined`.
    ///
    /// # Errors
    /// Does not happen: texts, booleans and safe integers always convert.
    pub fn poll(&mut self) -> Result<Option<Ts<ClientOutput>>, JsError> {
        while let Some(output) = self.client.poll_output() {
            if let Some(output) = ClientOutput::of(output, &self.client) {
                return Ok(Some(output.into_ts()?));
            }
        }
        Ok(None)
    }

    /// Returns the findings in the list, in the form of the core's `Mirror::findings_json`. Indexes are those of
    /// [`entries`](Self::entries).
    #[must_use]
    pub fn findings(&self) -> String {
        self.client.mirror().findings_json()
    }

    /// Explains the row with this key, in the form of the core's `Mirror::explain_json`; `undefined` if it is absent.
    #[must_use]
    pub fn explain(&self, key: &str, age_ms: f64, wall_ms: f64) -> Option<String> {
        let now_ms = self.client.server_ms(now(age_ms, wall_ms));
        self.client.mirror().explain_json(key, now_ms)
    }

    /// Returns the rows in the gateway's order, as JSON.
    #[must_use]
    pub fn entries(&self) -> String {
        self.client.mirror().raw_list_json()
    }

    /// Whether the gateway is unreachable; the rows are then the last received ones.
    #[wasm_bindgen(js_name = isOffline)]
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.client.mirror().is_offline()
    }

    /// Returns the gateway's time, in ms since the Unix epoch.
    #[wasm_bindgen(js_name = serverMs)]
    #[must_use]
    pub fn server_ms(&self, age_ms: f64, wall_ms: f64) -> f64 {
        number(self.client.server_ms(now(age_ms, wall_ms)))
    }
}

fn refused(why: core::CallError) -> JsValue {
    error(why.code(), &why.to_string())
}
