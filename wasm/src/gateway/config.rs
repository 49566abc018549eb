//! The simulated gateway's configuration.

use alloc::boxed::Box;
use alloc::vec::Vec;

use presence_core::PresenceEntry;
use presence_core::roster::{DEFAULT_MAX_ENTRIES, DEFAULT_TTL_MS};
use presence_core::server::{HubConfig, SecretEvidence};
use presence_core::wire::{AuthParams, Limits};
use wasm_bindgen::JsValue;

use crate::error::invalid;
use crate::options::{self, Options};

/// The configuration of the simulated gateway.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) hub: HubConfig,
    pub(super) secret: Secret,
}

/// The secret that clients must present.
#[derive(Debug)]
pub(super) struct Secret {
    mode: &'static str,
    secret: Box<str>,
}

impl Config {
    /// Reads `{ttlMs, maxEntries, windowMs, ephemeralModes, serverVersion, bootId, auth: {mode, secret},
    /// limits: {..}, self: {..}}`, all optional.
    pub(super) fn parse(text: &str) -> Result<Self, JsValue> {
        let json = options::parse(text, "options")?;
        let options = Options::new(json, "options")?;
        let secret = Secret::read(&options.object("auth")?)?;
        let hub = HubConfig {
            limits: limits(&options)?,
            ttl_ms: options.integer("ttlMs", DEFAULT_TTL_MS)?,
            max_entries: options::size(options.integer("maxEntries", DEFAULT_MAX_ENTRIES as u64)?),
            ephemeral_modes: options
                .texts("ephemeralModes")?
                .unwrap_or_else(|| Vec::from(["cli".into()])),
            hash_seed: 0,
            server_version: options
                .boxed("serverVersion")?
                .unwrap_or_else(|| "simulated".into()),
            boot_id: options.boxed("bootId")?.unwrap_or_else(|| "simulated".into()),
            self_entry: self_entry(&options.object("self")?)?,
            auth_mode: secret.mode,
        };
        hub.validate().map_err(options::out_of_bounds)?;
        Ok(Self { hub, secret })
    }
}

/// Returns the gateway's own row, without unknown members.
fn self_entry(options: &Options<'_>) -> Result<PresenceEntry, JsValue> {
    Ok(PresenceEntry {
        host: options.boxed("host")?,
        ip: options.boxed("ip")?,
        version: options.boxed("version")?,
        platform: options.boxed("platform")?,
        device_family: options.boxed("deviceFamily")?,
        model_identifier: options.boxed("modelIdentifier")?,
        mode: options.boxed("mode")?,
        reason: options.boxed("reason")?,
        instance_id: options.boxed("instanceId")?,
        device_id: options.boxed("deviceId")?,
        roles: options.texts("roles")?.unwrap_or_default(),
        scopes: options.texts("scopes")?.unwrap_or_default(),
        client_id: options.boxed("clientId")?,
        time_zone: options.boxed("timeZone")?,
        text: options.boxed("text")?,
        ..PresenceEntry::default()
    })
}

fn limits(options: &Options<'_>) -> Result<Limits, JsValue> {
    let mut limits = Limits::default();
    limits.window_ms = options.integer("windowMs", limits.window_ms)?;
    let options = options.object("limits")?;
    for (name, limit) in [
        ("handshakeMs", &mut limits.handshake_ms),
        ("tickIntervalMs", &mut limits.tick_interval_ms),
        ("stallMs", &mut limits.stall_ms),
        ("pingIntervalMs", &mut limits.ping_interval_ms),
    ] {
        *limit = options.integer(name, *limit)?;
    }
    for (name, limit) in [
        ("preauthFrameBytes", &mut limits.preauth_frame_bytes),
        ("payloadBytes", &mut limits.payload_bytes),
        ("bufferedBytes", &mut limits.buffered_bytes),
    ] {
        *limit = options::size(options.integer(name, *limit as u64)?);
    }
    let calls = options.integer("unauthorizedCalls", limits.unauthorized_calls.into())?;
    limits.unauthorized_calls = calls.try_into().unwrap_or(u32::MAX);
    Ok(limits)
}

impl Secret {
    fn read(auth: &Options<'_>) -> Result<Self, JsValue> {
        let mode = match auth.text("mode")?.as_deref() {
            Some("token") => "token",
            Some("password") => "password",
            Some("none") => "none",
            None if auth.text("secret")?.is_none() => "none",
            _ => return Err(invalid("options.auth.mode", "must be token, password or none")),
        };
        let secret = if mode == "none" {
            Box::default()
        } else {
            auth.required("secret")?.into()
        };
        Ok(Self { mode, secret })
    }

    /// Compares a client's secret, not in constant time: a simulated gateway protects no data.
    pub(super) fn compare(&self, offered: &AuthParams) -> SecretEvidence {
        let (missing, mismatch) = match self.mode {
            "token" => (SecretEvidence::TokenMissing, SecretEvidence::TokenMismatch),
            "password" => (SecretEvidence::PasswordMissing, SecretEvidence::PasswordMismatch),
            _ => return SecretEvidence::NotRequired,
        };
        let secrets =
            [&offered.token, &offered.password].map(|text| text.as_deref().filter(|text| !text.is_empty()));
        if secrets.contains(&Some(&*self.secret)) {
            SecretEvidence::Match
        } else if secrets != [None, None]
            || offered.device_token.is_some()
            || offered.bootstrap_token.is_some()
        {
            mismatch
        } else {
            missing
        }
    }
}
