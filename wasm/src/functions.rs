//! The core's pure functions.

use alloc::string::String;
use alloc::vec::Vec;

use presence_core::PresenceKey;
use presence_core::model::beacon;
use presence_core::model::entry::MAX_SAFE_INTEGER;
use presence_core::model::ip;
use presence_core::model::scope;
use presence_core::model::status::{self, Thresholds};
use presence_core::wire::CloseFrame;
use presence_core::wire::device::SignedFields;
use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use crate::clock::{integer, number};
use crate::options::{self, Options};

/// Returns the status of a row of this age in ms: `Active`, `Idle` or `Stale`. Absent thresholds are the
/// mac app's.
#[wasm_bindgen(js_name = status)]
#[must_use]
pub fn status_of(age_ms: f64, active_ms: Option<f64>, idle_ms: Option<f64>) -> String {
    thresholds(active_ms, idle_ms)
        .status(integer(age_ms))
        .label()
        .into()
}

/// Returns the status that a row is displayed with: `Left` if it left, else that of [`status_of`]. `reasons` are those
/// of its raw rows; a raw row without a reason has an empty one.
#[wasm_bindgen(js_name = displayStatus)]
#[must_use]
#[expect(
    clippy::needless_pass_by_value,
    reason = "wasm-bindgen passes no lists of references"
)]
pub fn display_status(
    reasons: Vec<String>,
    age_ms: f64,
    active_ms: Option<f64>,
    idle_ms: Option<f64>,
) -> String {
    let has_left = status::has_left(reasons.iter().map(|reason| Some(reason.as_str())));
    thresholds(active_ms, idle_ms)
        .display_status(has_left, integer(age_ms))
        .label()
        .into()
}

/// Returns the next age, in ms, at which the status changes; `undefined` once Stale.
#[wasm_bindgen(js_name = nextStatusChange)]
#[must_use]
pub fn next_status_change(age_ms: f64, active_ms: Option<f64>, idle_ms: Option<f64>) -> Option<f64> {
    thresholds(active_ms, idle_ms)
        .next_change_ms(integer(age_ms))
        .map(number)
}

/// Returns the thresholds; absent ages are the mac app's.
fn thresholds(active_ms: Option<f64>, idle_ms: Option<f64>) -> Thresholds {
    let default = Thresholds::default();
    Thresholds {
        active_ms: active_ms.map_or(default.active_ms, integer),
        idle_ms: idle_ms.map_or(default.idle_ms, integer),
    }
}

/// Formats an age in ms for people.
#[wasm_bindgen(js_name = ageText)]
#[must_use]
pub fn age_text(age_ms: f64) -> String {
    status::age_text(integer(age_ms)).into()
}

/// Returns the label of a `reason`.
#[wasm_bindgen(js_name = reasonLabel)]
#[must_use]
pub fn reason_label(reason: &str) -> String {
    status::reason_label(reason).into()
}

/// Formats a `platform` for people.
#[wasm_bindgen(js_name = platformLabel)]
#[must_use]
pub fn platform_label(platform: &str) -> String {
    status::platform_label(platform)
}

/// Returns the presence key of an id; `undefined` for a blank id and for a placeholder such as the text `undefined`.
#[wasm_bindgen(js_name = normalizeKey)]
#[must_use]
pub fn normalize_key(raw: &str) -> Option<String> {
    PresenceKey::parse(raw).map(|key| key.as_str().into())
}

/// Returns the presence key of a beacon that has only a text.
#[wasm_bindgen(js_name = textKey)]
#[must_use]
pub fn text_key(text: &str) -> Option<String> {
    PresenceKey::of_text(text).map(|key| key.as_str().into())
}

/// The parts of a beacon's text.
#[derive(Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct BeaconText {
    host: String,
    ip: String,
    version: String,
    last_input_seconds: u64,
    mode: String,
    reason: String,
}

/// Parses a beacon's text, if it has the known form.
///
/// # Errors
/// Does not happen.
#[wasm_bindgen(js_name = parseBeaconText)]
pub fn parse_beacon_text(text: &str) -> Result<Option<Ts<BeaconText>>, JsError> {
    let Some(parsed) = beacon::parse_text(text) else {
        return Ok(None);
    };
    let beacon = BeaconText {
        host: parsed.host.into(),
        ip: parsed.ip.into(),
        version: parsed.version.into(),
        last_input_seconds: parsed.last_input_seconds.min(MAX_SAFE_INTEGER),
        mode: parsed.mode.into(),
        reason: parsed.reason.into(),
    };
    Ok(Some(beacon.into_ts()?))
}

/// Returns whether an IP address is a loopback address, in any spelling.
#[wasm_bindgen(js_name = isLoopback)]
#[must_use]
pub fn is_loopback(address: &str) -> bool {
    ip::is_loopback(address)
}

/// Returns whether the granted scopes include the wanted one.
#[wasm_bindgen(js_name = scopesSatisfy)]
#[must_use]
#[expect(
    clippy::needless_pass_by_value,
    reason = "wasm-bindgen passes no lists of references"
)]
pub fn scopes_satisfy(granted: Vec<String>, wanted: &str) -> bool {
    scope::is_satisfied(&granted, wanted)
}

/// Returns a close reason, truncated to the limit of a close frame.
#[wasm_bindgen(js_name = closeReason)]
#[must_use]
pub fn close_reason(reason: String) -> String {
    CloseFrame::new(1_000, reason).reason.into()
}

/// Returns the text that a device signs, in version 2 or 3. `fields` is the JSON of `{deviceId, clientId,
/// clientMode, role, scopes, signedAt, token?, nonce, platform?, deviceFamily?}`.
///
/// # Errors
/// `INVALID_ARGUMENT` names the bad member.
#[wasm_bindgen(js_name = deviceSignaturePayload)]
pub fn device_signature_payload(version: u32, fields: &str) -> Result<String, JsValue> {
    let json = options::parse(fields, "fields")?;
    let fields = Options::new(json, "fields")?;
    let text = |name| Ok::<_, JsValue>(fields.text(name)?.unwrap_or_default());
    let (token, platform) = (fields.text("token")?, fields.text("platform")?);
    let family = fields.text("deviceFamily")?;
    let signed = SignedFields {
        device_id: &text("deviceId")?,
        client_id: &text("clientId")?,
        client_mode: &text("clientMode")?,
        role: &text("role")?,
        scopes: &fields.texts("scopes")?.unwrap_or_default(),
        signed_at_ms: fields.integer("signedAt", 0)?,
        token: token.as_deref(),
        nonce: &text("nonce")?,
        platform: platform.as_deref(),
        device_family: family.as_deref(),
    };
    Ok(if version >= 3 { signed.v3() } else { signed.v2() })
}
