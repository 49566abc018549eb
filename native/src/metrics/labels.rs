//! The values of all labels. A client's statement selects one of them, and is never a label itself.

use presence_core::model::Role;
use presence_core::server::{Handshake, LeaveCause};
use presence_core::wire::CloseFrame;

/// Classes of client modes; the last is for all others.
const MODES: [&str; 7] = ["ui", "cli", "webchat", "node", "backend", "probe", "other"];
/// Protocol numbers.
const PROTOCOLS: [(u32, &str); 2] = [(3, "3"), (4, "4")];
/// Roles.
const ROLES: [Role; 2] = [Role::Operator, Role::Node];

/// The class of a connection: an index into [`classes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Class(u8);

impl Class {
    /// Its index.
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The class of a client.
    #[expect(clippy::cast_possible_truncation, reason = "there are 28")]
    pub(crate) fn of(handshake: &Handshake) -> Self {
        let role = usize::from(handshake.role == Role::Node);
        let mode = handshake.client.mode.trim();
        let mode = MODES.iter().position(|known| mode.eq_ignore_ascii_case(known));
        let mode = mode.unwrap_or(MODES.len() - 1);
        let protocol = usize::from(handshake.protocol != PROTOCOLS[0].0);
        Self(((role * MODES.len() + mode) * PROTOCOLS.len() + protocol) as u8)
    }
}

/// The labels of each class.
pub(super) fn classes() -> impl Iterator<Item = Vec<(&'static str, &'static str)>> {
    ROLES.into_iter().flat_map(|role| {
        MODES.into_iter().flat_map(move |mode| {
            PROTOCOLS.into_iter().map(move |(_, protocol)| {
                vec![("role", role.as_str()), ("mode", mode), ("protocol", protocol)]
            })
        })
    })
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// The client closed it, or the network did.
    Client,
    /// No pong came.
    Silent,
    /// The client read too slowly.
    SlowConsumer,
    /// The client broke the protocol.
    Protocol,
    /// The gateway stops.
    Shutdown,
    /// The client's named token expired, is gone or permits less.
    Token,
}

impl Leave {
    /// The reason of an end that the connection's own task noticed, with the close that was queued.
    pub(crate) fn noticed(cause: LeaveCause, close: Option<&CloseFrame>) -> Self {
        match cause {
            LeaveCause::PeerClosed => Self::Client,
            // A missing pong is noticed by the hub first.
            LeaveCause::Silent => Self::SlowConsumer,
            LeaveCause::WeClosed => close.map_or(Self::Protocol, Self::with_close),
        }
    }

    /// The reason of a close that the gateway queued.
    pub(crate) fn with_close(close: &CloseFrame) -> Self {
        if close.code == CloseFrame::SERVICE_RESTART.code {
            Self::Shutdown
        } else if [CloseFrame::TOKEN_EXPIRED, CloseFrame::TOKEN_REVOKED].contains(close) {
            Self::Token
        } else {
            Self::Protocol
        }
    }
}

/// The reasons of [`Leave`], in its order.
pub(super) const LEAVES: [&str; 6] = [
    "client",
    "silent",
    "slow_consumer",
    "protocol",
    "shutdown",
    "token",
];
/// How rows are evicted.
pub(super) const EVICTIONS: [&str; 3] = ["closed", "live", "over_quota"];
/// The statuses of rows, in the order of `Status`.
pub(super) const STATUSES: [&str; 4] = ["active", "idle", "stale", "left"];
/// Results of requests and beacons.
pub(super) const RESULTS: [&str; 2] = ["ok", "error"];
/// Contents of broadcasts.
pub(super) const BROADCASTS: [&str; 2] = ["list", "delta"];
/// Contents of frames.
pub(super) const FRAMES: [&str; 3] = ["broadcast", "event", "response"];

/// Results of the webhook's events.
pub(super) const WEBHOOK_EVENTS: [&str; 3] = ["delivered", "failed", "dropped"];
/// Results of the webhook's requests, in the order of their outcomes.
pub(super) const WEBHOOK_ATTEMPTS: [&str; 5] = ["delivered", "refused", "failed", "timeout", "unreachable"];

/// Codes of refusals: those of error responses to handshakes, of closes without one, and the statuses of HTTP. The last
/// is for all others.
pub(super) const CODES: [&str; 32] = [
    "AUTH_PASSWORD_MISMATCH",
    "AUTH_PASSWORD_MISSING",
    "AUTH_TOKEN_MISMATCH",
    "AUTH_TOKEN_MISSING",
    "CONTROL_UI_ORIGIN_NOT_ALLOWED",
    "DEVICE_AUTH_DEVICE_ID_MISMATCH",
    "DEVICE_AUTH_NONCE_MISMATCH",
    "DEVICE_AUTH_NONCE_REQUIRED",
    "DEVICE_AUTH_PUBLIC_KEY_INVALID",
    "DEVICE_AUTH_SIGNATURE_EXPIRED",
    "DEVICE_AUTH_SIGNATURE_INVALID",
    "FORBIDDEN",
    "INVALID_REQUEST",
    "PROTOCOL_MISMATCH",
    "UNAVAILABLE",
    "CLOSE_1000",
    "CLOSE_1002",
    "CLOSE_1007",
    "CLOSE_1008",
    "CLOSE_1009",
    "HTTP_400",
    "HTTP_401",
    "HTTP_403",
    "HTTP_408",
    "HTTP_413",
    "HTTP_415",
    "HTTP_426",
    "HTTP_429",
    "HTTP_431",
    "HTTP_503",
    "TLS",
    "other",
];

/// The index of a code in [`CODES`].
pub(super) fn code(code: &str) -> usize {
    CODES
        .iter()
        .position(|known| *known == code)
        .unwrap_or(CODES.len() - 1)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use presence_core::model::ClientInfo;

    use super::*;

    #[test]
    fn each_code_of_core_has_a_series() {
        let wire = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src/wire");
        let mut found = 0;
        for file in ["error.rs", "connect.rs", "device.rs"] {
            let text = std::fs::read_to_string(wire.join(file)).unwrap();
            let source = text.split("#[cfg(test)]").next().unwrap();
            let is_code = |word: &&str| {
                word.len() > 3
                    && word.contains('_')
                    && word.bytes().all(|b| b == b'_' || b.is_ascii_uppercase())
            };
            for word in source.split('"').skip(1).step_by(2).filter(is_code) {
                // The code of single requests, which are counted by their result.
                if word != "MISSING_SCOPE" {
                    found += 1;
                    assert_ne!(code(word), CODES.len() - 1, "{word} has no series");
                }
            }
        }
        assert!(found > 10, "{found}");
        assert_eq!(CODES[code("x\"} 1")], "other");
    }

    #[test]
    fn each_class_has_its_labels() {
        let classes: Vec<_> = classes().collect();
        let mut indexes = Vec::new();
        for role in ROLES {
            for mode in MODES {
                for (protocol, label) in PROTOCOLS {
                    let class = Class::of(&handshake(role, &format!(" {}", mode.to_uppercase()), protocol));
                    indexes.push(class.index());
                    let labels = [("role", role.as_str()), ("mode", mode), ("protocol", label)];
                    assert_eq!(classes[class.index()], labels);
                }
            }
        }
        assert!(indexes.into_iter().eq(0..classes.len()));
        let unknown = Class::of(&handshake(Role::Operator, "x\"} 1", 4));
        assert_eq!(classes[unknown.index()][1], ("mode", "other"));
    }

    fn handshake(role: Role, mode: &str, protocol: u32) -> Handshake {
        Handshake {
            request_id: "1".into(),
            conn_id: "c".into(),
            protocol,
            role,
            scopes: [].into(),
            client: ClientInfo {
                mode: mode.into(),
                ..ClientInfo::default()
            }
            .into(),
            device_id: None,
            caps: Vec::new(),
            commands: Vec::new(),
            remote_ip: None,
            user: None,
            may_report_input: false,
            clock_skew_ms: None,
            visitor: None,
        }
    }

    #[test]
    fn each_leave_has_its_label() {
        for (leave, label) in [
            (Leave::noticed(LeaveCause::PeerClosed, None), "client"),
            (Leave::Silent, "silent"),
            (Leave::noticed(LeaveCause::Silent, None), "slow_consumer"),
            (Leave::noticed(LeaveCause::WeClosed, None), "protocol"),
            (Leave::with_close(&CloseFrame::PROTOCOL_ERROR), "protocol"),
            (Leave::with_close(&CloseFrame::SERVICE_RESTART), "shutdown"),
            (
                Leave::noticed(LeaveCause::WeClosed, Some(&CloseFrame::TOKEN_EXPIRED)),
                "token",
            ),
            (Leave::with_close(&CloseFrame::TOKEN_REVOKED), "token"),
        ] {
            assert_eq!(LEAVES[leave as usize], label);
        }
    }
}
