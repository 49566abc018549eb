//! Vectors of pure functions, run on the core.

use presence_core::PresenceKey;
use presence_core::client::mirror::DeltaOutcome;
use presence_core::client::{Mirror, MirrorConfig};
use presence_core::model::RawEntry;
use presence_core::model::status::{self, Thresholds};
use presence_core::model::{beacon, ip, scope};
use presence_core::wire::CloseFrame;
use presence_core::wire::device::SignedFields;
use presence_core::wire::presence::Presence;
use presence_simulation::merge;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Failure;
use super::format::Table;
use super::load::Suite;
use super::values::{Context, Use, compare};
use crate::fail;

/// Runs every case of a table.
///
/// # Errors
/// The first case that is not as it should be.
pub fn run(suite: &Suite, table: &Table) -> Result<(), Failure> {
    let context = Context::new(suite, None, serde_json::Map::new());
    for (index, case) in table.cases.iter().enumerate() {
        let place = || format!("case {index}");
        let run = || {
            let input = case.input.iter().map(|input| context.expand(input, Use::Sent));
            let input = input.collect::<Result<Vec<_>, _>>()?;
            let expected = context.expand(&case.output, Use::Sent)?;
            compare(&expected, &apply(&table.function, &input)?)
        };
        run().map_err(|failure: Failure| failure.at(place()))?;
    }
    Ok(())
}

fn apply(function: &str, input: &[Value]) -> Result<Value, Failure> {
    let key = |key: Option<PresenceKey>| key.map_or(Value::Null, |key| key.as_str().into());
    Ok(match function {
        "normalizeKey" => key(PresenceKey::parse(&argument::<String>(input, 0)?)),
        "textKey" => key(PresenceKey::of_text(&argument::<String>(input, 0)?)),
        "parseBeacon" => parse_beacon(&argument::<String>(input, 0)?),
        "status" => Thresholds::default().status(argument(input, 0)?).label().into(),
        "displayStatus" => display_status(&argument::<Vec<Option<String>>>(input, 0)?, input)?.into(),
        "ageText" => status::age_text(argument(input, 0)?).into(),
        "reasonLabel" => status::reason_label(&argument::<String>(input, 0)?).into(),
        "prettyPlatform" => status::platform_label(&argument::<String>(input, 0)?).into(),
        "isLoopback" => ip::is_loopback(&argument::<String>(input, 0)?).into(),
        "scopesSatisfy" => scope::is_satisfied(
            &argument::<Vec<String>>(input, 0)?,
            &argument::<String>(input, 1)?,
        )
        .into(),
        "devicePayload" => device_payload(&argument(input, 0)?)?.into(),
        "follow" => follow(argument(input, 0)?, &argument::<Vec<Value>>(input, 1)?)?,
        "closeReason" => CloseFrame::new(1008, argument::<String>(input, 0)?).reason.into(),
        _ => match merge::apply(function, input) {
            Some(result) => result.map_err(Failure::new)?,
            None => fail!("no function {function}"),
        },
    })
}

fn argument<T: DeserializeOwned>(input: &[Value], index: usize) -> Result<T, Failure> {
    let Some(value) = input.get(index) else {
        fail!("argument {index} is missing")
    };
    Ok(serde_json::from_value(value.clone())?)
}

/// The status of a row merged from raw rows with these reasons, as the function and a mirror have it.
fn display_status(reasons: &[Option<String>], input: &[Value]) -> Result<&'static str, Failure> {
    let (age_ms, is_offline): (u64, bool) = (argument(input, 1)?, argument(input, 2)?);
    let has_left = status::has_left(reasons.iter().map(Option::as_deref));
    let label = Thresholds::default().display_status(has_left, age_ms).label();

    let rows = reasons.iter().map(|reason| match reason {
        Some(reason) => json!({ "instanceId": "a", "reason": reason, "ts": 0 }),
        None => json!({ "instanceId": "a", "ts": 0 }),
    });
    let list = RawEntry::parse_list(&Value::from_iter(rows).to_string());
    let mut mirror = Mirror::new(MirrorConfig {
        ttl_ms: u64::MAX,
        ..MirrorConfig::default()
    });
    mirror.apply_list(list.unwrap_or_default(), 0);
    if is_offline {
        mirror.handle_offline(0);
    }
    mirror.settle(age_ms);
    let shown: Vec<_> = mirror.rows().iter().map(|row| row.status().label()).collect();
    if shown != [label] {
        fail!("the function says {label}, a mirror {shown:?}")
    }
    Ok(label)
}

fn parse_beacon(text: &str) -> Value {
    beacon::parse_text(text).map_or(Value::Null, |parsed| {
        json!({
            "host": parsed.host,
            "ip": parsed.ip,
            "version": parsed.version,
            "lastInputSeconds": parsed.last_input_seconds,
            "mode": parsed.mode,
            "reason": parsed.reason,
        })
    })
}

/// Applies payloads to a mirror. Returns for each whether it follows the state before it, and the rows after it.
fn follow(now_ms: u64, payloads: &[Value]) -> Result<Value, Failure> {
    let mut mirror = Mirror::standalone(MirrorConfig::standalone());
    let steps = payloads.iter().map(|payload| {
        let follows = match Presence::find(&payload.to_string()) {
            Some(Presence::Delta(Some(delta))) => mirror.apply_delta(delta, now_ms) != DeltaOutcome::Gap,
            Some(Presence::Snapshot(snapshot)) => {
                mirror.apply_snapshot(snapshot, now_ms);
                true
            }
            Some(Presence::List(rows)) if payload.is_array() => {
                mirror.apply_list(rows, now_ms);
                true
            }
            _ => false,
        };
        let rows: Value = serde_json::from_str(&mirror.raw_list_json())?;
        Ok(json!({ "follows": follows, "rows": rows }))
    });
    steps.collect()
}

/// The fields that a device signs.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Signed {
    version: String,
    device_id: String,
    client_id: String,
    client_mode: String,
    role: String,
    scopes: Vec<String>,
    signed_at: u64,
    token: String,
    nonce: String,
    platform: Option<String>,
    device_family: Option<String>,
}

/// The text that a device signs.
///
/// # Errors
/// A version that there is not.
pub fn device_payload(signed: &Signed) -> Result<String, Failure> {
    let fields = SignedFields {
        device_id: &signed.device_id,
        client_id: &signed.client_id,
        client_mode: &signed.client_mode,
        role: &signed.role,
        scopes: &signed.scopes,
        signed_at_ms: signed.signed_at,
        token: Some(&signed.token),
        nonce: &signed.nonce,
        platform: signed.platform.as_deref(),
        device_family: signed.device_family.as_deref(),
    };
    match signed.version.as_str() {
        "v2" => Ok(fields.v2()),
        "v3" => Ok(fields.v3()),
        other => fail!("no signature version {other}"),
    }
}
