//! The handshake, from the challenge to the hello (reference 2.3).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::value::RawValue;

use super::calls::Purpose;
use super::challenge::Challenge;
use super::live::Live;
use super::phase::Phase;
use super::{CLOSE_CONNECT_FAILED, Client};
use crate::client::event::{ClientEvent, ClientOutput};
use crate::client::hello::Hello;
use crate::client::problem::Problem;
use crate::model::Role;
use crate::model::json::{ObjectText, inner, integer, string};
use crate::model::time::Now;
use crate::wire::device::SignedFields;
use crate::wire::message::Outcome;

/// The capability for deltas (SPEC 2.1).
const DELTA_CAP: &str = "presence-delta";
/// The capability that observers request (SPEC 7).
const OWN_ROWS_CAP: &str = "presence-own";

impl Client {
    /// Handles `connect.challenge`, which gateways send once, first. Without it there is no handshake,
    /// because a proof requires its nonce.
    pub(super) fn handle_challenge(&mut self, payload: &RawValue, now: Now) {
        let Phase::Handshake { challenge: None, .. } = self.phase else {
            return;
        };
        let [nonce, ts] = inner(Some(payload), ["nonce", "ts"]);
        let Some(nonce) = nonce.and_then(string).filter(|nonce| !nonce.is_empty()) else {
            return;
        };
        let stated = ts.and_then(integer);
        if let Some(ts) = stated {
            self.clock.synchronise(ts, now);
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

    /// Handles the answer to [`ClientOutput::Sign`]: the Ed25519 signature, base64url without padding. With
    /// `None`, if the key cannot sign, the client connects without a device.
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

    /// Returns the text of version 2, which every gateway verifies.
    fn signed_text(&self, challenge: &Challenge) -> String {
        let config = &self.config;
        let fields = SignedFields {
            device_id: config.device.as_ref().map_or("", |device| &*device.id),
            client_id: &config.client.id,
            client_mode: &config.client.mode,
            role: Role::Operator.as_str(),
            scopes: &config.requested_scopes(),
            signed_at_ms: challenge.ts,
            token: config.token.as_deref().filter(|token| !token.is_empty()),
            nonce: &challenge.nonce,
            platform: None,
            device_family: None,
        };
        fields.v2()
    }

    /// Sends `connect` with the members that gateways of both generations accept.
    fn send_connect(&mut self, challenge: &Challenge, signature: Option<&str>, now: Now) {
        let config = &self.config;
        let info = &config.client;
        let mut client = ObjectText::new();
        client.text("id", &info.id);
        client.text("version", &info.version);
        client.text("platform", &info.platform);
        client.text("mode", &info.mode);
        client.text_if_any("displayName", info.display_name.as_deref());
        client.text_if_any("deviceFamily", info.device_family.as_deref());
        client.text_if_any("modelIdentifier", info.model_identifier.as_deref());
        client.text_if_any("instanceId", info.instance_id.as_deref());

        let mut params = ObjectText::new();
        params.number("minProtocol", u64::from(self.range.0));
        params.number("maxProtocol", u64::from(self.range.1));
        params.raw("client", &client.end());
        let caps = [
            self.wants_deltas.then_some(DELTA_CAP),
            config.own_rows.then_some(OWN_ROWS_CAP),
        ];
        params.texts("caps", &mut caps.into_iter().flatten());
        params.text("role", Role::Operator.as_str());
        params.texts(
            "scopes",
            &mut config.requested_scopes().iter().map(|scope| &**scope),
        );
        let mut auth = ObjectText::new();
        auth.text_if_any("token", config.token.as_deref());
        auth.text_if_any("password", config.password.as_deref());
        let auth = auth.end();
        if auth != "{}" {
            params.raw("auth", &auth);
        }
        if let (Some(device), Some(signature)) = (&config.device, signature) {
            let mut proof = ObjectText::new();
            proof.text("id", &device.id);
            proof.text("publicKey", &device.public_key);
            proof.text("signature", signature);
            proof.number("signedAt", challenge.ts);
            proof.text("nonce", &challenge.nonce);
            params.raw("device", &proof.end());
        }
        self.send_request(Purpose::Connect, "connect", &params.end(), now);
    }

    /// Handles the answer to `connect`.
    pub(super) fn handle_hello(&mut self, answer: Outcome<'_>, now: Now) {
        let payload = match answer {
            Ok(payload) => payload,
            Err(error) => {
                let (problem, verdict) = Problem::of_error(error);
                self.close_socket(CLOSE_CONNECT_FAILED, "connect failed");
                self.handle_verdict(problem, verdict, now);
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
        let [snapshot] = inner(Some(payload), ["snapshot"]);
        let snapshot = snapshot.unwrap_or(RawValue::NULL);
        if !self.handle_snapshot(snapshot, now) && !self.handle_listed(snapshot, now) {
            self.handle_list(Vec::new(), now);
        }
        if !may_read {
            let problem = Problem::no_read_scope(&self.config.requested_scopes());
            self.event(ClientEvent::NoReadScope(Box::new(problem)));
        }
        self.beacon_on_hello(now);
    }
}
