//! A recording has no name of its inputs, and gives as many rows as the hub has.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde_json::json;

use super::{Input, Reader, Recorder, Redactor, Replay};
use crate::model::time::Now;
use crate::model::{ClientInfo, PresenceEntry, Role};
use crate::server::{Handshake, Hub, HubConfig};
use crate::wire::{Limits, Request};

const START: Now = Now {
    age_ms: 5_000,
    wall_ms: 1_700_000_000_000,
};

/// Some names and addresses, which repeat.
struct Secrets {
    random: fastrand::Rng,
    names: Vec<String>,
    addresses: Vec<String>,
}

impl Secrets {
    fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut name = || (0..12).map(|_| random.alphabetic()).collect();
        let names = (0..8).map(|_| name()).collect();
        let octets = |random: &mut fastrand::Rng| [0; 3].map(|_: u8| random.u8(130..=255));
        let addresses = (0..8)
            .map(|_| {
                let [a, b, c] = octets(&mut random);
                format!("198.{a}.{b}.{c}")
            })
            .collect();
        Self {
            random,
            names,
            addresses,
        }
    }

    fn name(&mut self) -> String {
        let name = &self.names[self.random.usize(..self.names.len())];
        match self.random.u8(..4) {
            0 => name.to_uppercase(),
            1 => format!(" {name}"),
            _ => name.clone(),
        }
    }

    fn address(&mut self) -> String {
        let address = &self.addresses[self.random.usize(..self.addresses.len())];
        match self.random.u8(..3) {
            0 => format!("::ffff:{address}"),
            _ => address.clone(),
        }
    }

    /// A value of any member: mostly an unexpected one.
    fn text(&mut self) -> String {
        let (name, address) = (self.name(), self.address());
        match self.random.u8(..7) {
            0 => name,
            1 => address,
            2 => format!("{name}@example"),
            3 => format!("app {address}:80 v2"),
            4 => format!("ui ({name})"),
            5 => "ui".into(),
            _ => format!("2026.9.1-{name}.2"),
        }
    }

    fn boxed(&mut self) -> Option<Box<str>> {
        (self.random.u8(..4) > 0).then(|| self.text().into())
    }

    fn handshake(&mut self, n: u64) -> Handshake {
        Handshake {
            request_id: "1".into(),
            conn_id: format!("c-{n}").into(),
            protocol: 4,
            role: if self.random.bool() {
                Role::Operator
            } else {
                Role::Node
            },
            scopes: ["operator.admin".into(), self.text().into()]
                .into_iter()
                .collect(),
            client: Arc::new(ClientInfo {
                id: self.text().into(),
                version: self.text().into(),
                platform: self.text().into(),
                mode: self.text().into(),
                display_name: self.boxed(),
                device_family: self.boxed(),
                model_identifier: self.boxed(),
                instance_id: self.boxed(),
                time_zone: self.boxed(),
            }),
            device_id: self.boxed(),
            caps: Vec::new(),
            commands: Vec::new(),
            remote_ip: Some(self.address().into()),
            user: self.boxed(),
            may_report_input: false,
            clock_skew_ms: None,
            visitor: None,
        }
    }

    fn beacon(&mut self) -> Request {
        let (host, ip, before) = (self.name(), self.address(), self.text());
        let (version, mode, reason) = (self.text(), self.text(), self.text());
        let text = match self.random.u8(..3) {
            0 => format!("{before} about {host}, at {ip}; {reason}"),
            1 => format!("{before} {host}"),
            _ => format!(
                "{before} Node: {} ({ip}) \u{b7} app {version} \u{b7} last input 12s ago \u{b7} mode {mode} \u{b7} reason {reason}",
                host.trim()
            ),
        };
        let names = [
            "instanceId",
            "deviceId",
            "host",
            "ip",
            "mode",
            "version",
            "platform",
            "deviceFamily",
            "modelIdentifier",
            "reason",
        ];
        let mut params =
            json!({ "text": text, "roles": [self.text()], "scopes": [self.text()], "tags": [self.text()] });
        for name in names {
            if self.random.bool() {
                params[name] = self.text().into();
            }
        }
        let frame = json!({ "type": "req", "id": "9", "method": "system-event", "params": params });
        Request::parse(&frame.to_string()).unwrap()
    }

    fn config(&mut self) -> HubConfig {
        HubConfig {
            limits: Limits::default(),
            ttl_ms: 300_000,
            max_entries: 200,
            ephemeral_modes: [self.names[0].to_lowercase().into()].into(),
            hash_seed: 7,
            server_version: "1.0.0".into(),
            boot_id: "boot".into(),
            self_entry: PresenceEntry {
                host: Some(self.name().into()),
                ip: Some(self.address().into()),
                version: Some("1.0.0".into()),
                platform: self.boxed(),
                device_family: self.boxed(),
                model_identifier: self.boxed(),
                mode: Some("gateway".into()),
                reason: Some("self".into()),
                instance_id: self.boxed(),
                device_id: self.boxed(),
                text: Some(format!("Gateway: {} ({})", self.name(), self.address()).into()),
                ..PresenceEntry::default()
            },
            auth_mode: "none",
        }
    }
}

#[test]
fn no_name_of_any_input_is_in_the_recording_and_rows_are_as_many() {
    for seed in 0..40 {
        let mut secrets = Secrets::new(seed);
        let redactor = Redactor::new(core::array::from_fn(|_| secrets.random.u8(..)));
        let config = secrets.config();
        let (mut recorder, mut text) = Recorder::new(&config, &redactor, START);
        let mut hub = Hub::new(config, START);
        let mut conns = Vec::new();
        let mut replay = Replay::new(Reader::new(&text).unwrap().header());
        for n in 1..60 {
            let now = START.after(n * 10);
            let input = if n % 3 == 1 {
                let handshake = secrets.handshake(n);
                let input = Input::join(n, &handshake, &redactor);
                conns.push((n, hub.join(handshake, now)));
                input
            } else {
                let (serial, conn) = conns[secrets.random.usize(..conns.len())];
                let beacon = secrets.beacon();
                hub.call(conn, &beacon, now);
                Input::call(serial, &beacon, &redactor).unwrap()
            };
            replay.input(&input, now);
            text.push_str(&recorder.record(input, now));
            assert_eq!(replay.list().len(), hub.list(now).len(), "seed {seed}, input {n}");
        }
        text.push_str(&recorder.restart(START.after(1_000)));
        let lowered = text.to_lowercase();
        let names = secrets.names.iter().map(|name| name.to_lowercase());
        for secret in names.chain(secrets.addresses.iter().map(ToString::to_string)) {
            let at = lowered.find(&secret);
            assert_eq!(at, None, "seed {seed}: {}", &lowered[at.unwrap_or(0)..][..80]);
        }
    }
}
