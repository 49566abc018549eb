//! A client with its outputs sorted, under virtual time.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::Value;

use crate::client::config::ClientConfig;
use crate::client::event::{ClientEvent, ClientOutput, ClientState};
use crate::client::machine::Client;
use crate::model::ClientInfo;
use crate::model::json::members;
use crate::model::status::Status;
use crate::model::time::Now;

/// The gateway's clock when a test starts; the client's clock is hours off.
pub(super) const SERVER: u64 = 1_800_000_000_000;
pub(super) const START: Now = Now {
    age_ms: 1_000,
    wall_ms: SERVER - 5 * 3_600_000,
};

pub(super) fn config() -> ClientConfig {
    let client = ClientInfo {
        id: "gateway-client".into(),
        version: "1.0".into(),
        platform: "linux".into(),
        mode: "backend".into(),
        display_name: Some("Dash".into()),
        instance_id: Some("Dash-1".into()),
        time_zone: Some("Europe/Paris".into()),
        ..ClientInfo::default()
    };
    ClientConfig {
        token: Some("secret".into()),
        ..ClientConfig::new(client)
    }
}

/// A client and the outputs it made, under virtual time.
pub(super) struct Bench {
    pub(super) client: Client,
    pub(super) now: Now,
    pub(super) sent: Vec<Value>,
    /// The texts of sent frames.
    pub(super) texts: Vec<String>,
    pub(super) closes: Vec<(u64, u16, &'static str)>,
    pub(super) opened: u64,
    pub(super) signs: Vec<String>,
    pub(super) events: Vec<ClientEvent>,
}

impl Bench {
    pub(super) fn new(config: ClientConfig) -> Self {
        let mut bench = Self {
            client: Client::new(config, START),
            now: START,
            sent: Vec::new(),
            texts: Vec::new(),
            closes: Vec::new(),
            opened: 0,
            signs: Vec::new(),
            events: Vec::new(),
        };
        bench.client.start(START);
        bench.drain();
        bench
    }

    /// Returns a bench whose client is live at a gateway that lists `presence`.
    pub(super) fn live(config: ClientConfig, protocol: u32, presence: &str) -> Self {
        let mut bench = Self::new(config);
        bench.shake_hands(protocol, presence);
        bench
    }

    pub(super) fn shake_hands(&mut self, protocol: u32, presence: &str) {
        self.client.handle_open(self.opened, self.now);
        self.challenge();
        self.hello(
            protocol,
            presence,
            r#"{"role":"operator","scopes":["operator.admin"]}"#,
        );
        assert_eq!(self.client.state(), ClientState::Live);
    }

    pub(super) fn server_ms(&self) -> u64 {
        SERVER + self.now.age_ms - START.age_ms
    }

    pub(super) fn challenge(&mut self) {
        let ts = self.server_ms();
        self.receive(&format!(
            r#"{{"type":"event","event":"connect.challenge","payload":{{"nonce":"n-1","ts":{ts}}}}}"#
        ));
    }

    pub(super) fn hello(&mut self, protocol: u32, presence: &str, auth: &str) {
        let id = self.last("connect").get("id").unwrap().clone();
        self.receive(&format!(
            r#"{{"type":"res","id":{id},"ok":true,"payload":{{"type":"hello-ok","protocol":{protocol},
                "server":{{"version":"t","connId":"c"}},"features":{{"methods":[],"events":[]}},"auth":{auth},
                "snapshot":{{"presence":{presence},"stateVersion":{{"presence":1,"health":1}}}},
                "policy":{{"tickIntervalMs":30000}}}}}}"#
        ));
    }

    pub(super) fn refuse(&mut self, error: &str) {
        let id = self.last("connect").get("id").unwrap().clone();
        self.receive(&format!(
            r#"{{"type":"res","id":{id},"ok":false,"error":{error}}}"#
        ));
    }

    pub(super) fn receive(&mut self, text: &str) {
        self.client.handle_text(self.opened, text, self.now);
        self.drain();
    }

    pub(super) fn close(&mut self, code: u16, reason: &str) {
        self.client.handle_close(self.opened, code, reason, self.now);
        self.drain();
    }

    pub(super) fn tick(&mut self) {
        let ts = self.server_ms();
        self.receive(&format!(
            r#"{{"type":"event","event":"tick","payload":{{"ts":{ts}}}}}"#
        ));
    }

    pub(super) fn answer(&mut self, method: &str, payload: &str) {
        let id = self.last(method).get("id").unwrap().clone();
        self.receive(&format!(
            r#"{{"type":"res","id":{id},"ok":true,"payload":{payload}}}"#
        ));
    }

    /// Advances time without frames; timers fire on time.
    pub(super) fn pass(&mut self, ms: u64) {
        let end = self.now.after(ms);
        while let Some(due_ms) = self.client.poll_timeout().filter(|&due_ms| due_ms <= end.age_ms) {
            let step = due_ms.saturating_sub(self.now.age_ms);
            self.now = self.now.after(step);
            self.client.handle_timeout(self.now);
            self.drain();
            let next = self.client.poll_timeout();
            assert!(
                next.is_none_or(|next| next > self.now.age_ms),
                "a timer is due again at once: {next:?}"
            );
        }
        self.now = end;
    }

    /// Advances time with a tick every 30 s.
    pub(super) fn pass_with_ticks(&mut self, ms: u64) {
        let end_ms = self.now.age_ms + ms;
        while self.now.age_ms + 30_000 <= end_ms {
            self.pass(30_000);
            self.tick();
        }
        self.pass(end_ms - self.now.age_ms);
    }

    /// Advances time without timers, then fires one.
    pub(super) fn sleep(&mut self, ms: u64) {
        self.now = self.now.after(ms);
        self.client.handle_timeout(self.now);
        self.drain();
    }

    pub(super) fn drain(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                ClientOutput::Open { socket } => self.opened = socket,
                ClientOutput::Send { socket, text } => {
                    assert_eq!(socket, self.opened);
                    self.sent.push(serde_json::from_str(&text).unwrap());
                    self.texts.push(text.into());
                }
                ClientOutput::Close { socket, code, reason } => self.closes.push((socket, code, reason)),
                ClientOutput::Sign { payload, .. } => self.signs.push(payload.into()),
                ClientOutput::Event(event) => self.events.push(event),
            }
        }
    }

    pub(super) fn last(&self, method: &str) -> &Value {
        let is_it = |frame: &&Value| frame["method"] == method;
        self.sent.iter().rev().find(is_it).unwrap()
    }

    /// The parameters of the last request, as sent.
    pub(super) fn last_params(&self) -> &str {
        let [params] = members(self.texts.last().unwrap(), ["params"]).unwrap();
        params.unwrap().get()
    }

    pub(super) fn count(&self, method: &str) -> usize {
        self.sent.iter().filter(|frame| frame["method"] == method).count()
    }

    pub(super) fn status(&self, key: &str) -> Option<Status> {
        self.client.mirror().row(key).map(|row| row.status())
    }

    /// The number of roster events with status changes.
    pub(super) fn status_events(&self) -> usize {
        self.events
            .iter()
            .filter(|event| matches!(event, ClientEvent::Roster(diff) if !diff.status.is_empty()))
            .count()
    }

    pub(super) fn problem(&self) -> &str {
        &self.client.problem().unwrap().code
    }
}

pub(super) fn row(id: &str, age_ms: u64) -> String {
    format!(
        r#"{{"instanceId":"{id}","reason":"connect","ts":{}}}"#,
        SERVER - age_ms
    )
}

/// The gateway's own row, so that lists are never empty.
pub(super) fn gateway() -> String {
    format!(r#"{{"mode":"gateway","reason":"self","ts":{SERVER}}}"#)
}
