//! The parameters of a call.

use alloc::boxed::Box;
use alloc::string::String;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::model::Beacon;
use crate::model::beacon::CLEAR_LAST_INPUT_TAG;

/// The parameters of a call, as JSON text: a replay hands them to the parser of requests.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Params(Box<RawValue>);

impl Params {
    /// These parameters.
    #[must_use]
    pub fn new(params: &impl Serialize) -> Self {
        // Texts, numbers and lists always serialise.
        Self(to_raw_value(params).unwrap_or_default())
    }

    /// Those of a `system-event`.
    pub(super) fn of_beacon(beacon: &Beacon) -> Self {
        // Without `..`, so that a new member is a compile error here.
        let Beacon {
            text,
            instance_id,
            device_id,
            host,
            ip,
            mode,
            version,
            platform,
            device_family,
            model_identifier,
            last_input_seconds,
            reason,
            roles,
            scopes,
            clear_last_input,
            ttl_ms,
        } = beacon;
        let tags: &[&str] = if *clear_last_input {
            &[CLEAR_LAST_INPUT_TAG]
        } else {
            &[]
        };
        Self::new(&BeaconParams {
            text,
            instance_id: instance_id.as_deref(),
            device_id: device_id.as_deref(),
            host: host.as_deref(),
            ip: ip.as_deref(),
            mode: mode.as_deref(),
            version: version.as_deref(),
            platform: platform.as_deref(),
            device_family: device_family.as_deref(),
            model_identifier: model_identifier.as_deref(),
            last_input_seconds: *last_input_seconds,
            reason: reason.as_deref(),
            roles,
            scopes,
            tags,
            ttl_ms: *ttl_ms,
        })
    }

    /// The request with them.
    pub(super) fn request(&self, method: &str) -> String {
        let method = crate::model::json::json_text(method);
        let params = self.0.get();
        alloc::format!(r#"{{"type":"req","id":"1","method":{method},"params":{params}}}"#)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BeaconParams<'a> {
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_family: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_identifier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_input_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    roles: &'a [Box<str>],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    scopes: &'a [Box<str>],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tags: &'a [&'a str],
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl_ms: Option<u64>,
}

impl PartialEq for Params {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}
