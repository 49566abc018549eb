//! From the challenge to hello (reference 2.3).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::calls::Purpose;
use super::live::Live;
use super::{CLOSE_CONNECT_FAILED, Client, Phase};
use crate::client::event::{ClientEvent, ClientOutput};
use crate::client::hello::Hello;
use crate::client::json::Json;
use crate::client::problem::Problem;
use crate::protocol::device::SignedFields;
use crate::protocol::scope::Role;
use crate::time::Now;

/// The extension that this client understands (SPEC 2.1).
const DELTA_CAP: &str = "presence-delta";

/// What the gateway sent to be signed.
#[derive(Clone, Debug)]
pub(super) struct Challenge {
    nonce: Box<str>,
    /// The gateway's time: `signedAt` repeats it, so that a wrong clock here does not matter.
    ts: u64,
    /// The device signature is under way.
    awaits_signature: bool,
}

impl Client {
    /// `connect.challenge` arrived: gateways send it at once, and only once. Without one there is no
    /// handshake, since a proof needs its nonce.
    pub(super) fn handle_challenge(&mut self, payload: &Json, now: Now) {
        let Phase::Handshake { challenge: None, .. } = self.phase else {
            return;
        };
        let Some(nonce) = payload
            .get("nonce")
            .and_then(Json::as_str)
            .filter(|nonce| !nonce.is_empty())
        else {
            return;
        };
        let stated = payload.get("ts").and_then(Json::as_u64);
        if let Some(ts) = stated {
            self.clock.learn(ts, now);
        }
        let made = Challenge {
            nonce: nonce.into(),
            ts: stated.unwrap_or_else(|| self.clock.server_ms(now)),
            awaits_signature: self.config.device.is_some(),
        };
        if made.awaits_signature {
            let payload = self.signed_text(&made).into();
            self.outputs.push_back(ClientOutput::Sign {
                socket: self.socket,
                payload,
            });
        } else {
            self.send_connect(&made, None, now);
        }
        if let Phase::Handshake { challenge, .. } = &mut self.phase {
            *challenge = Some(made);
        }
    }

    /// The answer to [`ClientOutput::Sign`]: the Ed25519 signature, base64url without padding. `None` if
    /// the key cannot sign: the client then connects without a device.
    pub fn handle_signature(&mut self, socket: u64, signature: Option<&str>, now: Now) {
        self.clock.advance(now);
        let Phase::Handshake {
            challenge: Some(challenge),
            ..
        } = &mut self.phase
        else {
            return;
        };
        if socket != self.socket || !challenge.awaits_signature {
            return;
        }
        challenge.awaits_signature = false;
        let challenge = challenge.clone();
        self.send_connect(&challenge, signature, now);
    }

    /// The text of version 2: every gateway verifies it.
    fn signed_text(&self, challenge: &Challenge) -> String {
        let config = &self.config;
        let fields = SignedFields {
            device_id: config.device.as_ref().map_or("", |device| &*device.id),
            client_id: &config.client.id,
            client_mode: &config.client.mode,
            role: Role::Operator.as_str(),
            scopes: &config.asked_scopes(),
            signed_at_ms: challenge.ts,
            token: secret(config.token.as_deref()),
            nonce: &challenge.nonce,
            platform: None,
            device_family: None,
        };
        fields.v2()
    }

    /// Sends `connect` with the members that gateways of both generations know.
    fn send_connect(&mut self, challenge: &Challenge, signature: Option<&str>, now: Now) {
        let config = &self.config;
        let info = &config.client;
        let mut client = Json::object([
            ("id", (*info.id).into()),
            ("version", (*info.version).into()),
            ("platform", (*info.platform).into()),
            ("mode", (*info.mode).into()),
        ]);
        for (name, value) in [
            ("displayName", &info.display_name),
            ("deviceFamily", &info.device_family),
            ("modelIdentifier", &info.model_identifier),
            ("instanceId", &info.instance_id),
        ] {
            // Real gateways refuse an empty one.
            if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
                client.push(name, value);
            }
        }
        let caps = self.wants_deltas.then(|| Json::from(DELTA_CAP));
        let mut params = Json::object([
            ("minProtocol", u64::from(self.range.0).into()),
            ("maxProtocol", u64::from(self.range.1).into()),
            ("client", client),
            ("caps", caps.into_iter().collect()),
            ("role", Role::Operator.as_str().into()),
            (
                "scopes",
                config
                    .asked_scopes()
                    .iter()
                    .map(|scope| Json::from(&**scope))
                    .collect(),
            ),
        ]);
        let mut auth = Json::Object(Vec::new());
        for (name, value) in [("token", &config.token), ("password", &config.password)] {
            if let Some(value) = secret(value.as_deref()) {
                auth.push(name, value);
            }
        }
        if auth != Json::object([]) {
            params.push("auth", auth);
        }
        if let (Some(device), Some(signature)) = (&config.device, signature) {
            let proof = Json::object([
                ("id", (*device.id).into()),
                ("publicKey", (*device.public_key).into()),
                ("signature", signature.into()),
                ("signedAt", challenge.ts.into()),
                ("nonce", (*challenge.nonce).into()),
            ]);
            params.push("device", proof);
        }
        self.send_request(Purpose::Connect, "connect", Some(params), now);
    }

    /// The answer to `connect`.
    pub(super) fn handle_hello(&mut self, answer: Result<&Json, Option<&Json>>, now: Now) {
        let payload = match answer {
            Ok(payload) => payload,
            Err(error) => {
                let problem = Problem::of_error(error);
                let verdict = problem.verdict(error);
                self.close_socket(CLOSE_CONNECT_FAILED, "connect failed");
                self.judge(problem, verdict, now);
                return;
            }
        };
        let Some(hello) = Hello::read(payload) else {
            self.close_socket(CLOSE_CONNECT_FAILED, "connect failed");
            self.retry(
                Problem::new("BAD_HELLO", "the gateway's hello cannot be read"),
                0,
                now,
            );
            return;
        };
        let may_read = hello.may_read();
        self.enter(Phase::Live(Box::new(Live::new(hello, now))));
        let snapshot = payload.get("snapshot").unwrap_or(&Json::Null);
        if !self.handle_keyed(snapshot, now) {
            let list = snapshot
                .get("presence")
                .and_then(Json::as_array)
                .unwrap_or_default();
            self.handle_list(list, now);
        }
        if !may_read {
            let problem = Problem::new("NO_READ_SCOPE", "the gateway granted no scope to read the roster");
            self.event(ClientEvent::NoReadScope(Box::new(problem)));
        }
        self.beacon_on_hello(now);
    }
}

/// An empty secret is none.
fn secret(secret: Option<&str>) -> Option<&str> {
    secret.filter(|secret| !secret.is_empty())
}
