//! The parameters of `connect`, against a reader on `serde_json::Value`.

use presence_core::model::Role;
use presence_core::model::entry::MAX_STRING_UNITS;
use presence_core::wire::connect::{MAX_COMMANDS, MAX_LIST_ITEMS};
use presence_core::wire::{AuthParams, ConnectParams, DeviceProof};
use serde_json::Value;

use crate::naive::{Bad, MAX_COMPARED_BYTES, Members, boolean, integer, object, string, strings};

/// Reads the bytes as parameters and compares what comes out.
///
/// # Panics
/// When the two readers disagree.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let read = ConnectParams::parse(text);
    if text.len() > MAX_COMPARED_BYTES {
        return;
    }
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    match (value.as_object().ok_or(Bad).and_then(expected), read) {
        (Err(Bad), Err(_)) => {}
        (Ok(expected), Ok(read)) => {
            assert_eq!(expected, read);
            assert!(read.protocol().is_none_or(|number| number == 3 || number == 4));
        }
        (expected, read) => panic!("expected {expected:?}, read {read:?}"),
    }
}

fn expected(of: &Members) -> Result<ConnectParams, Bad> {
    let protocol = |name| Ok(u32::try_from(integer(of, name, 1)?).unwrap_or(u32::MAX));
    let list = |name, items| {
        let list = strings(of, name, items, 1, MAX_STRING_UNITS)?;
        Ok(list.into_iter().map(Box::from).collect())
    };
    for name in ["pathEnv", "locale", "userAgent"] {
        string(of, name, 0, usize::MAX)?;
    }
    let permissions = object(of, "permissions")?;
    if permissions.is_some_and(|of| of.values().any(|value| !value.is_boolean())) {
        return Err(Bad);
    }
    let role_word: Box<str> = string(of, "role", 1, MAX_STRING_UNITS)?
        .unwrap_or("operator")
        .into();
    let client = object(of, "client")?.ok_or(Bad)?;
    string(client, "buildId", 1, 96)?;
    let stated = |name| Ok(string(client, name, 1, MAX_STRING_UNITS)?.map(Box::from));
    let required = |name| stated(name)?.ok_or(Bad);
    Ok(ConnectParams {
        min_protocol: protocol("minProtocol")?,
        max_protocol: protocol("maxProtocol")?,
        client: presence_core::ClientInfo {
            id: required("id")?,
            version: required("version")?,
            platform: required("platform")?,
            mode: required("mode")?,
            display_name: stated("displayName")?,
            device_family: stated("deviceFamily")?,
            model_identifier: stated("modelIdentifier")?,
            instance_id: stated("instanceId")?,
            time_zone: string(client, "timeZone", 1, 64)?.map(Box::from),
        }
        .into(),
        caps: list("caps", MAX_LIST_ITEMS)?,
        commands: list("commands", MAX_COMMANDS)?,
        may_report_input: permissions
            .map(|of| boolean(of, "accessibility"))
            .transpose()?
            .flatten()
            .unwrap_or_default(),
        role: match &*role_word {
            "operator" => Some(Role::Operator),
            "node" => Some(Role::Node),
            _ => None,
        },
        role_word,
        scopes: list("scopes", MAX_LIST_ITEMS)?,
        device: object(of, "device")?.map(device).transpose()?,
        auth: object(of, "auth")?.map(auth).transpose()?.unwrap_or_default(),
    })
}

fn device(of: &Members) -> Result<DeviceProof, Bad> {
    let text = |name, max| Ok(string(of, name, 1, max)?.map(Box::from));
    Ok(DeviceProof {
        id: text("id", MAX_STRING_UNITS)?.ok_or(Bad)?,
        public_key: text("publicKey", usize::MAX)?.ok_or(Bad)?,
        signature: text("signature", usize::MAX)?.ok_or(Bad)?,
        signed_at_ms: integer(of, "signedAt", 0)?,
        nonce: text("nonce", usize::MAX)?,
    })
}

fn auth(of: &Members) -> Result<AuthParams, Bad> {
    let text = |name| Ok(string(of, name, 0, usize::MAX)?.map(Box::from));
    Ok(AuthParams {
        token: text("token")?,
        password: text("password")?,
        device_token: text("deviceToken")?,
        bootstrap_token: text("bootstrapToken")?,
    })
}
