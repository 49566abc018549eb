//! The kinds of findings, and their texts.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// The kind of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FindingKind {
    /// An id that is a placeholder, such as `undefined` or the nil UUID.
    PlaceholderId,
    /// Ids that differ by case, blanks or Unicode form only.
    IdSpelling,
    /// A handshake came without an `instanceId`, so its row is keyed by the connection or the device.
    NoInstanceId,
    /// A client's beacons carry another id than its handshake.
    BeaconIdDiffers,
    /// A `disconnect` row is left beside a live one of the same client.
    StaleDisconnect,
    /// The same host, ip and version under two ids.
    SameMachine,
    /// A connected app or node on another machine than the gateway has no ip.
    NoAddress,
    /// The list is nearly as long as it may get.
    NearCap,
    /// A client has another id at each connect.
    #[cfg(feature = "server")]
    NewIdEachConnect,
    /// One id is live in two places at once.
    #[cfg(feature = "server")]
    IdInTwoPlaces,
    /// One client has two live connections of the same client id, mode and role.
    #[cfg(feature = "server")]
    TwoSockets,
    /// A client connects and disconnects again and again.
    #[cfg(feature = "server")]
    Flapping,
    /// A client's clock is wrong.
    #[cfg(feature = "server")]
    ClientClock,
    /// Rows were removed because there were too many.
    #[cfg(feature = "server")]
    Evictions,
    /// A connection sends more beacons than its rows need.
    #[cfg(feature = "server")]
    BeaconsTooOften,
}

/// The severity of a finding, with the names of OpenClaw's doctor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For information; also found in healthy systems.
    Info,
    /// The list is misleading, or is about to be.
    Warning,
    /// The list is wrong.
    Error,
}

impl Severity {
    /// `info`, `warning` or `error`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// The confidence of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// A harmless explanation is about as likely.
    Low,
    /// Likely.
    Medium,
    /// The rows leave no other explanation.
    High,
}

impl Confidence {
    /// `low`, `medium` or `high`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// The texts of one kind of finding.
struct Words {
    code: &'static str,
    severity: Severity,
    title: &'static str,
    fix: &'static str,
}

impl FindingKind {
    /// The kinds that [`findings`](super::findings) looks for, the more specific first.
    pub const OF_LISTS: [Self; 8] = [
        Self::PlaceholderId,
        Self::IdSpelling,
        Self::NoInstanceId,
        Self::BeaconIdDiffers,
        Self::StaleDisconnect,
        Self::SameMachine,
        Self::NoAddress,
        Self::NearCap,
    ];

    /// The kinds that only a gateway finds, from its memory.
    #[cfg(feature = "server")]
    pub const OF_GATEWAYS: [Self; 7] = [
        Self::NewIdEachConnect,
        Self::IdInTwoPlaces,
        Self::TwoSockets,
        Self::Flapping,
        Self::ClientClock,
        Self::Evictions,
        Self::BeaconsTooOften,
    ];

    /// All kinds.
    #[cfg(feature = "server")]
    pub fn all() -> impl Iterator<Item = Self> {
        Self::OF_LISTS.into_iter().chain(Self::OF_GATEWAYS)
    }

    /// The stable code, for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.words().code
    }

    /// The stable id as OpenClaw's doctor writes ids: `presence/no-instance-id`.
    #[must_use]
    pub fn check_id(self) -> String {
        let mut id = String::from("presence/");
        for byte in self.code().bytes() {
            id.push(if byte == b'_' {
                '-'
            } else {
                char::from(byte.to_ascii_lowercase())
            });
        }
        id
    }

    /// Returns the severity, unless a finding has a harmless explanation that is as likely.
    #[must_use]
    pub fn severity(self) -> Severity {
        self.words().severity
    }

    /// Returns the finding in one sentence.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.words().title
    }

    /// Returns what to change in the client.
    #[must_use]
    pub fn fix(self) -> &'static str {
        self.words().fix
    }

    fn words(self) -> &'static Words {
        match self {
            Self::PlaceholderId => &Words {
                code: "PLACEHOLDER_ID",
                severity: Severity::Error,
                title: "An id is a placeholder.",
                fix: "Make the id once, store it, and send it in the handshake and in every beacon. Send no id before it is \
                      loaded.",
            },
            Self::IdSpelling => &Words {
                code: "ID_SPELLING",
                severity: Severity::Warning,
                title: "One id is written in more than one way.",
                fix: "Make the id once, store it, and send exactly the stored text everywhere: in client.instanceId \
                      and in every beacon.",
            },
            Self::NoInstanceId => &Words {
                code: "NO_INSTANCE_ID",
                severity: Severity::Warning,
                title: "A client connects without an instanceId.",
                fix: "Send a stable client.instanceId in the handshake and in every beacon, and keep it through restarts \
                      and reloads.",
            },
            Self::BeaconIdDiffers => &Words {
                code: "BEACON_ID_DIFFERS",
                severity: Severity::Warning,
                title: "A client's beacons carry another id than its handshake.",
                fix: "Send one instanceId in both the handshake (client.instanceId) and every beacon; a client with a \
                      device key also sends its deviceId in every beacon.",
            },
            Self::StaleDisconnect => &Words {
                code: "STALE_DISCONNECT",
                severity: Severity::Info,
                title: "A closed connection is listed beside a live one of the same client.",
                fix: "Show one row per instance, as this package's roster does. The old row expires after \
                      the gateway's TTL.",
            },
            Self::SameMachine => &Words {
                code: "SAME_MACHINE",
                severity: Severity::Warning,
                title: "One machine appears under more than one id.",
                fix: "Keep the instanceId in storage that survives restarts and reloads, instead of making a new one \
                      each time. Two programs or tabs on one machine correctly have two rows.",
            },
            Self::NoAddress => &Words {
                code: "NO_ADDRESS",
                severity: Severity::Info,
                title: "A connected client has no ip in its row.",
                fix: "Send the client's ip in its beacons, or let a trusted proxy set X-Forwarded-For.",
            },
            Self::NearCap => &Words {
                code: "NEAR_CAP",
                severity: Severity::Warning,
                title: "The list is nearly full: soon new rows push out old ones.",
                fix: "Give a stable instanceId to clients that add a row at every connect, or raise the gateway's cap \
                      (--max-entries).",
            },
            #[cfg(feature = "server")]
            Self::NewIdEachConnect => &Words {
                code: "NEW_ID_EACH_CONNECT",
                severity: Severity::Warning,
                title: "A client has a new id at each connect.",
                fix: "Store the instanceId where it survives restarts and reloads (a file of the program, localStorage of a \
                      page), and read it before connecting. Make a new one only if there is none.",
            },
            #[cfg(feature = "server")]
            Self::IdInTwoPlaces => &Words {
                code: "ID_IN_TWO_PLACES",
                severity: Severity::Error,
                title: "One id is live in two places at once.",
                fix: "Delete the stored instanceId and device key on one of the machines, so that it makes its own, and leave \
                      both out of disk images and copied home folders.",
            },
            #[cfg(feature = "server")]
            Self::TwoSockets => &Words {
                code: "TWO_SOCKETS",
                severity: Severity::Warning,
                title: "One client has two live connections where one is enough.",
                fix: "Keep one connection per tab or program: close the old one before opening the next, also in effects that \
                      run twice and after hot reloads. Tabs that are to have a row each need an instanceId each.",
            },
            #[cfg(feature = "server")]
            Self::Flapping => &Words {
                code: "FLAPPING",
                severity: Severity::Warning,
                title: "A client connects and disconnects again and again.",
                fix: "Keep one connection open and answer pings. After a close wait before the next try, each time longer, and \
                      look into the client's log for the reason of the close.",
            },
            #[cfg(feature = "server")]
            Self::ClientClock => &Words {
                code: "CLIENT_CLOCK",
                severity: Severity::Warning,
                title: "A client's clock is wrong.",
                fix: "Set the machine's clock by NTP. In the client, sign the ts of connect.challenge, and count ages on the \
                      gateway's clock.",
            },
            #[cfg(feature = "server")]
            Self::Evictions => &Words {
                code: "EVICTIONS",
                severity: Severity::Warning,
                title: "Rows were removed because there were too many.",
                fix: "Give the clients that add a row at every connect a stable instanceId. If all rows are real, raise the \
                      gateway's --max-entries.",
            },
            #[cfg(feature = "server")]
            Self::BeaconsTooOften => &Words {
                code: "BEACONS_TOO_OFTEN",
                severity: Severity::Warning,
                title: "A client sends beacons too often.",
                fix: "Send a beacon every 60 s, and at once only for a change that readers need; at least 5 s apart. While the \
                      connection is open, pongs keep its row.",
            },
        }
    }
}
