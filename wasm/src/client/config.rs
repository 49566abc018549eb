//! The configuration of a client.

use presence_core::client::{BeaconOccasions, BeaconPolicy, ClientConfig, DeviceKey, MirrorConfig};
use presence_core::model::ClientInfo;
use wasm_bindgen::JsValue;

use crate::options::{self, Options};
use crate::roster::mirror_config;

/// Reads `{client: {id, mode, version, platform, displayName?, deviceFamily?, modelIdentifier?, instanceId?},
/// token?, password?, device?: {id, publicKey}, scopes?, ip?, beacons?: {everyMs?: number | false, onActivity?,
/// onVisibility?, idleMs?}, backoff?: {initialMs?, factor?, maxMs?, stableMs?}, thresholds?: {activeMs?, idleMs?},
/// ttlMs?, maxRows?, deltas?, handshakeMs?, seed?}`. Without `beacons` the client sends none.
pub(super) fn parse(text: &str) -> Result<ClientConfig, JsValue> {
    let json = options::parse(text, "options")?;
    let options = Options::new(json, "options")?;
    let mut config = ClientConfig::new(client_info(&options.object("client")?)?);
    config.token = options.boxed("token")?;
    config.password = options.boxed("password")?;
    config.scopes = options.texts("scopes")?;
    config.ip = options.boxed("ip")?;
    config.deltas = options.bool("deltas")?.unwrap_or(config.deltas);
    config.handshake_ms = options.integer("handshakeMs", config.handshake_ms)?;
    config.seed = options.integer("seed", 0)?;
    config.mirror = mirror_config(&options, MirrorConfig::default())?;
    let device = options.object("device")?;
    if device.is_some() {
        config.device = Some(DeviceKey {
            id: device.required("id")?.into(),
            public_key: device.required("publicKey")?.into(),
        });
    }
    let backoff = options.object("backoff")?;
    config.backoff.initial_ms = backoff.integer("initialMs", config.backoff.initial_ms)?;
    config.backoff.factor = backoff
        .integer("factor", config.backoff.factor.into())?
        .try_into()
        .unwrap_or(u32::MAX);
    config.backoff.max_ms = backoff.integer("maxMs", config.backoff.max_ms)?;
    config.backoff.stable_ms = backoff.integer("stableMs", config.backoff.stable_ms)?;
    let beacons = options.object("beacons")?;
    if beacons.is_some() {
        config.beacons = BeaconPolicy::On(occasions(&beacons)?);
    }
    config.validate().map_err(options::out_of_bounds)?;
    Ok(config)
}

fn client_info(options: &Options<'_>) -> Result<ClientInfo, JsValue> {
    Ok(ClientInfo {
        id: options.required("id")?.into(),
        version: options.required("version")?.into(),
        platform: options.required("platform")?.into(),
        mode: options.required("mode")?.into(),
        display_name: options.boxed("displayName")?,
        device_family: options.boxed("deviceFamily")?,
        model_identifier: options.boxed("modelIdentifier")?,
        instance_id: options.boxed("instanceId")?,
        time_zone: None,
    })
}

fn occasions(options: &Options<'_>) -> Result<BeaconOccasions, JsValue> {
    let default = BeaconOccasions::default();
    let every_ms = if options.is_false("everyMs") {
        None
    } else {
        Some(options.integer("everyMs", default.every_ms.unwrap_or(0))?)
    };
    Ok(BeaconOccasions {
        every_ms,
        on_activity: options.bool("onActivity")?.unwrap_or(default.on_activity),
        on_visibility: options.bool("onVisibility")?.unwrap_or(default.on_visibility),
        idle_ms: options.integer("idleMs", default.idle_ms)?,
    })
}
