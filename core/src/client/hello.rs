//! The gateway's metadata in `hello-ok` (reference 2.3).

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde_json::value::RawValue;

use crate::model::json::{inner, integer, items, members, string};
use crate::model::scope;
use crate::wire::message::presence_version;

/// The tick interval of a gateway that does not state one, in ms.
const DEFAULT_TICK_MS: u64 = 30_000;
/// The bounds to which a stated tick interval is clamped, in ms.
const TICK_BOUNDS_MS: (u64, u64) = (1_000, 600_000);
/// The maximum number of stored methods, and of scopes.
const MAX_TEXTS: usize = 2_048;

/// The contents of `hello-ok`. Unknown members are ignored, missing ones take defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The negotiated protocol: 3 or 4.
    pub protocol: u32,
    /// The gateway's version; empty if not stated.
    pub server_version: Box<str>,
    /// The gateway's id of this connection; empty if not stated.
    pub conn_id: Box<str>,
    /// The id of the gateway's process, if stated.
    pub boot_id: Option<Box<str>>,
    /// The methods that the gateway supports.
    pub methods: Vec<Box<str>>,
    /// The granted scopes; `None` if not stated (protocol 3).
    pub scopes: Option<Vec<Box<str>>>,
    /// The interval of its ticks, in ms.
    pub tick_interval_ms: u64,
    /// The presence version of its snapshot.
    pub presence_version: Option<u64>,
}

impl Hello {
    /// Parses the payload of the answer to `connect`; `None` if it is not a `hello-ok`.
    pub(super) fn read(payload: &RawValue) -> Option<Self> {
        let [kind, protocol, server, features, auth, policy, snapshot] = members(
            payload.get(),
            [
                "type", "protocol", "server", "features", "auth", "policy", "snapshot",
            ],
        )?;
        if string(kind?)? != "hello-ok" {
            return None;
        }
        let [version, conn_id, boot_id] = inner(server, ["version", "connId", "bootId"]);
        let [methods] = inner(features, ["methods"]);
        let [scopes] = inner(auth, ["scopes"]);
        let [tick] = inner(policy, ["tickIntervalMs"]);
        let [state] = inner(snapshot, ["stateVersion"]);
        let text = |json: Option<&RawValue>| json.and_then(string).map(Box::from);
        let tick_ms = tick.and_then(integer).unwrap_or(DEFAULT_TICK_MS);
        Some(Self {
            protocol: u32::try_from(integer(protocol?)?).ok()?,
            server_version: text(version).unwrap_or_default(),
            conn_id: text(conn_id).unwrap_or_default(),
            boot_id: text(boot_id),
            methods: methods.map(texts).unwrap_or_default(),
            scopes: scopes.map(texts),
            tick_interval_ms: tick_ms.clamp(TICK_BOUNDS_MS.0, TICK_BOUNDS_MS.1),
            presence_version: state.and_then(presence_version),
        })
    }

    /// Returns whether this client may read the roster; assumed if the gateway does not state its scopes.
    #[must_use]
    pub fn may_read(&self) -> bool {
        self.scopes
            .as_deref()
            .is_none_or(|scopes| scope::is_satisfied(scopes, scope::READ))
    }

    /// Returns whether the gateway states that it supports `method`.
    #[must_use]
    pub fn has_method(&self, method: &str) -> bool {
        self.methods.iter().any(|own| **own == *method)
    }
}

/// Returns the strings of a list, without its other items.
fn texts(list: &RawValue) -> Vec<Box<str>> {
    let texts = items(list.get())
        .unwrap_or_default()
        .into_iter()
        .filter_map(string);
    texts.take(MAX_TEXTS).map(Box::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Hello> {
        Hello::read(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn stated_members_are_read_and_others_take_defaults() {
        let full = r#"{
            "type":"hello-ok","protocol":4,"extra":{},
            "server":{"version":"2026.9.6","bootId":"b","connId":"c","buildId":"x"},
            "features":{"methods":["health","system-presence",5],"events":[],"capabilities":["x"]},
            "snapshot":{"presence":[],"stateVersion":{"presence":2,"health":2}},
            "auth":{"role":"operator","scopes":["operator.write"]},
            "policy":{"tickIntervalMs":15000}
        }"#;
        let hello = read(full).unwrap();
        assert_eq!(
            (hello.protocol, hello.tick_interval_ms, hello.presence_version),
            (4, 15_000, Some(2))
        );
        assert_eq!(
            (&*hello.server_version, &*hello.conn_id, hello.boot_id.as_deref()),
            ("2026.9.6", "c", Some("b"))
        );
        assert!(hello.may_read() && hello.has_method("system-presence") && !hello.has_method("x"));

        let bare = read(r#"{"type":"hello-ok","protocol":3}"#).unwrap();
        assert_eq!(
            (bare.tick_interval_ms, bare.scopes.as_ref(), bare.may_read()),
            (30_000, None, true)
        );
    }

    #[test]
    fn a_client_without_the_scope_may_not_read() {
        let text = r#"{"type":"hello-ok","protocol":4,"auth":{"scopes":[]},"policy":{"tickIntervalMs":0}}"#;
        let hello = read(text).unwrap();
        assert!(!hello.may_read());
        assert_eq!(hello.tick_interval_ms, 1_000);
    }

    #[test]
    fn other_payloads_are_not_a_hello() {
        for text in [
            "{}",
            "[]",
            r#"{"type":"hello-ok"}"#,
            r#"{"type":"x","protocol":3}"#,
        ] {
            assert_eq!(read(text), None);
        }
    }
}
