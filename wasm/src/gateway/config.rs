//! The simulated gateway's configuration.

use alloc::boxed::Box;
use alloc::vec::Vec;

use presence_core::PresenceEntry;
use presence_core::protocol::params::{Length, Members, ParamsError};
use presence_core::protocol::{AuthParams, Limits};
use presence_core::roster::{DEFAULT_MAX_ENTRIES, DEFAULT_TTL_MS};
use presence_core::server::{HubConfig, SecretEvidence};
use serde_json::Value;
use wasm_bindgen::JsValue;

use crate::clock::integer;
use crate::error::invalid;

/// What the simulated gateway is made from.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) hub: HubConfig,
    pub(super) secret: Secret,
}

/// The secret that clients must know.
#[derive(Debug)]
pub(super) struct Secret {
    mode: &'static str,
    secret: Box<str>,
}

impl Config {
    /// Reads `{ttlMs, maxEntries, windowMs, ephemeralModes, hashSeed, serverVersion, bootId,
    /// auth: {mode, secret}, limits: {..}, self: {..}}`, all optional.
    pub(super) fn parse(text: &str) -> Result<Self, JsValue> {
        let mut value: Value = serde_json::from_str(text).map_err(|error| invalid("config", &error))?;
        let self_entry = match value.get_mut("self").map(Value::take) {
            None | Some(Value::Null) => PresenceEntry::default(),
            Some(entry) => serde_json::from_value(entry).map_err(|error| invalid("config.self", &error))?,
        };
        Self::read(&value, self_entry).map_err(|error| invalid("config", &error))
    }

    fn read(value: &Value, self_entry: PresenceEntry) -> Result<Self, ParamsError> {
        let root = Members::root(value)?;
        let secret = Secret::read(&root)?;
        let number = |name, default| Ok(root.optional_number(name)?.map_or(default, integer));
        let text = |name| Ok(Box::from(root.optional_string(name, Length::ANY)?.unwrap_or("0")));
        let modes = root.optional_strings("ephemeralModes", usize::MAX, Length::ANY)?;
        let hub = HubConfig {
            limits: limits(&root)?,
            ttl_ms: number("ttlMs", DEFAULT_TTL_MS)?,
            max_entries: number("maxEntries", DEFAULT_MAX_ENTRIES as u64)? as usize,
            ephemeral_modes: modes.map_or_else(|| Vec::from(["cli".into()]), |modes| {
                modes.into_iter().map(Box::from).collect()
            }),
            hash_seed: number("hashSeed", 0)?,
            server_version: text("serverVersion")?,
            boot_id: text("bootId")?,
            self_entry,
            auth_mode: secret.mode,
        };
        Ok(Self { hub, secret })
    }
}

fn limits(root: &Members<'_>) -> Result<Limits, ParamsError> {
    let mut limits = Limits::default();
    if let Some(window_ms) = root.optional_number("windowMs")? {
        limits.window_ms = integer(window_ms);
    }
    let Some(members) = root.optional_object("limits")? else { return Ok(limits) };
    for (name, limit) in [
        ("handshakeMs", &mut limits.handshake_ms),
        ("tickIntervalMs", &mut limits.tick_interval_ms),
        ("stallMs", &mut limits.stall_ms),
        ("windowMs", &mut limits.window_ms),
        ("pingIntervalMs", &mut limits.ping_interval_ms),
    ] {
        if let Some(number) = members.optional_number(name)? {
            *limit = integer(number);
        }
    }
    for (name, limit) in [
        ("preauthFrameBytes", &mut limits.preauth_frame_bytes),
        ("payloadBytes", &mut limits.payload_bytes),
        ("bufferedBytes", &mut limits.buffered_bytes),
    ] {
        if let Some(number) = members.optional_number(name)? {
            *limit = integer(number) as usize;
        }
    }
    Ok(limits)
}

impl Secret {
    fn read(root: &Members<'_>) -> Result<Self, ParamsError> {
        let Some(auth) = root.optional_object("auth")? else {
            return Ok(Self { mode: "none", secret: "".into() });
        };
        let mode = match auth.required_string("mode", Length::ANY)? {
            "token" => "token",
            "password" => "password",
            _ => "none",
        };
        Ok(Self { mode, secret: auth.optional_string("secret", Length::ANY)?.unwrap_or("").into() })
    }

    /// Compares what a client offers. No constant time here: nobody guards anything with this gateway.
    pub(super) fn compare(&self, offered: &AuthParams) -> SecretEvidence {
        let (missing, mismatch) = match self.mode {
            "token" => (SecretEvidence::TokenMissing, SecretEvidence::TokenMismatch),
            "password" => (SecretEvidence::PasswordMissing, SecretEvidence::PasswordMismatch),
            _ => return SecretEvidence::NotRequired,
        };
        let secrets = [&offered.token, &offered.password].map(|text| text.as_deref().filter(|text| !text.is_empty()));
        if secrets.contains(&Some(&*self.secret)) {
            SecretEvidence::Match
        } else if secrets != [None, None] || offered.device_token.is_some() || offered.bootstrap_token.is_some() {
            mismatch
        } else {
            missing
        }
    }
}
