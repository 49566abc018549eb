//! Builds the params of a `connect` step, with a signed device proof (README, "connect").

use serde_json::{Map, Value};

use super::Failure;
use super::device::{sign, signed_text};
use super::format::Client;
use super::load::{Suite, lay_over};
use super::step::{Connect, DeviceClaim, DeviceDetail};
use super::values::{Context, Use};
use crate::fail;

/// The params: the base client's, the client's and the step's, laid over each other, and the proof.
///
/// # Errors
/// A placeholder or a device that does not exist.
pub fn connect_request(
    context: &Context<'_>,
    suite: &Suite,
    base: &Client,
    client: &Client,
    step: &Connect,
    challenge: &Value,
) -> Result<Value, Failure> {
    let mut params = base.params.clone();
    lay_over(&mut params, &client.params);
    lay_over(&mut params, &step.params);
    let mut params = context.expand(&Value::Object(params), Use::Sent)?;
    let detail = match &step.device {
        None => return Ok(params),
        Some(DeviceClaim::Name(name)) => DeviceDetail {
            name: name.clone(),
            ..DeviceDetail::default()
        },
        Some(DeviceClaim::Detail(detail)) => (**detail).clone(),
    };
    let proof = proof(context, suite, &detail, &params, challenge)?;
    params["device"] = Value::Object(proof);
    Ok(params)
}

fn proof(
    context: &Context<'_>,
    suite: &Suite,
    detail: &DeviceDetail,
    params: &Value,
    challenge: &Value,
) -> Result<Map<String, Value>, Failure> {
    let Some(device) = suite.devices.devices.get(&detail.name) else {
        fail!("no device {}", detail.name);
    };
    let given = |value: &Option<Value>, otherwise: Value| match value {
        Some(value) => context.expand(value, Use::Sent),
        None => Ok(otherwise),
    };
    let id = given(&detail.id, device.id.as_str().into())?;
    let signed_at = given(&detail.signed_at, challenge["ts"].clone())?;
    let nonce = given(&detail.nonce, challenge["nonce"].clone())?;
    let public_key = given(&detail.public_key, device.public_key.as_str().into())?;
    let mut signed = signed_fields(params, &id, &signed_at, &nonce);
    for (name, value) in &detail.signed {
        signed.insert(name.clone(), context.expand(value, Use::Sent)?);
    }
    let otherwise = if params["maxProtocol"] == 3 { "v2" } else { "v3" };
    let version = detail.payload.as_deref().unwrap_or(otherwise);
    let right = sign(device, &signed_text(version, &signed)?)?;
    let signature = given(&detail.signature, right.into())?;
    let mut proof = Map::from_iter([
        ("id".to_owned(), id),
        ("publicKey".to_owned(), public_key),
        ("signature".to_owned(), signature),
        ("signedAt".to_owned(), signed_at),
    ]);
    if !nonce.is_null() {
        proof.insert("nonce".into(), nonce);
    }
    Ok(proof)
}

/// The fields that a right proof signs, by the names of `devicePayload`.
fn signed_fields(params: &Value, id: &Value, signed_at: &Value, nonce: &Value) -> Map<String, Value> {
    let auth = &params["auth"];
    let token = ["token", "deviceToken", "bootstrapToken"]
        .iter()
        .find_map(|name| auth[name].as_str());
    let client = &params["client"];
    let text = |value: &Value| Value::from(value.as_str().unwrap_or_default());
    Map::from_iter([
        ("deviceId".to_owned(), id.clone()),
        ("clientId".to_owned(), text(&client["id"])),
        ("clientMode".to_owned(), text(&client["mode"])),
        (
            "role".to_owned(),
            params["role"].as_str().unwrap_or("operator").into(),
        ),
        (
            "scopes".to_owned(),
            Value::Array(params["scopes"].as_array().cloned().unwrap_or_default()),
        ),
        ("signedAt".to_owned(), signed_at.clone()),
        ("token".to_owned(), token.unwrap_or_default().into()),
        ("nonce".to_owned(), text(nonce)),
        ("platform".to_owned(), text(&client["platform"])),
        ("deviceFamily".to_owned(), text(&client["deviceFamily"])),
    ])
}
