//! Outputs and events of a client, as tagged objects for JavaScript.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use presence_core::client::{self as core, ClientState, Hello};
use serde::Serialize;
use tsify::Tsify;

/// An output of the client.
#[derive(Debug, Serialize, Tsify)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ClientOutput {
    /// Open a WebSocket to the gateway. Its events are reported under this number.
    Open { socket: u64 },
    /// Send this text frame.
    Send { socket: u64, text: Box<str> },
    /// Close the socket.
    Close {
        socket: u64,
        code: u16,
        reason: &'static str,
    },
    /// Sign this text with the device key.
    Sign { socket: u64, payload: Box<str> },
    /// The roster changed: the JSON text of `Mirror::diff_json` of the core.
    Roster { change: String },
    /// An event for the app.
    Event { event: ClientEvent },
}

/// An event for the app.
#[derive(Debug, Serialize, Tsify)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ClientEvent {
    /// The connection changed.
    State { state: ConnectionPhase },
    /// The JSON text of the answer to a request or beacon.
    Answer { id: u64, payload: Box<str> },
    /// The reason why there is no answer to a request or beacon.
    Failure { id: u64, problem: Problem },
    /// The client continues without the scope to read the roster.
    NoReadScope { problem: Problem },
    /// The gateway refused a beacon: beacons are off.
    BeaconRefused { problem: Problem },
    /// The gateway is about to stop.
    Shutdown {
        reason: Box<str>,
        restart_expected_ms: Option<u64>,
    },
}

/// The phase of the connection.
#[derive(Debug, Serialize, Tsify)]
#[serde(tag = "phase", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum ConnectionPhase {
    Stopped,
    Connecting,
    Live(LiveConnection),
    Waiting { retry_at_ms: u64, problem: Problem },
    Refused { problem: Problem },
}

/// Members of the gateway's hello.
#[derive(Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct LiveConnection {
    protocol: u32,
    server_version: Box<str>,
    conn_id: Box<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    boot_id: Option<Box<str>>,
    methods: Vec<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<Box<str>>>,
    can_read: bool,
}

/// A problem; the remedy is empty if there is none.
#[derive(Debug, Serialize, Tsify)]
pub struct Problem {
    code: Box<str>,
    message: Box<str>,
    remedy: Box<str>,
}

impl ClientOutput {
    /// Returns the output for JavaScript; `None` for kinds that this module does not know.
    pub(super) fn of(output: core::ClientOutput, client: &core::Client) -> Option<Self> {
        use core::ClientOutput as Core;
        Some(match output {
            Core::Open { socket } => Self::Open { socket },
            Core::Send { socket, text } => Self::Send { socket, text },
            Core::Close { socket, code, reason } => Self::Close { socket, code, reason },
            Core::Sign { socket, payload } => Self::Sign { socket, payload },
            Core::Event(core::ClientEvent::Roster(diff)) => Self::Roster {
                change: client.mirror().diff_json(&diff),
            },
            Core::Event(event) => Self::Event {
                event: ClientEvent::of(event, client.hello())?,
            },
            _ => return None,
        })
    }
}

impl ClientEvent {
    fn of(event: core::ClientEvent, hello: Option<&Hello>) -> Option<Self> {
        use core::ClientEvent as Core;
        Some(match event {
            Core::State { state, problem } => Self::State {
                state: ConnectionPhase::of(state, problem.map(|problem| *problem).into(), hello),
            },
            Core::Response { id, result } => match result {
                Ok(payload) => Self::Answer { id, payload },
                Err(problem) => Self::Failure {
                    id,
                    problem: Some(*problem).into(),
                },
            },
            Core::NoReadScope(problem) => Self::NoReadScope {
                problem: Some(*problem).into(),
            },
            Core::BeaconRefused(problem) => Self::BeaconRefused {
                problem: Some(*problem).into(),
            },
            Core::Shutdown {
                reason,
                restart_expected_ms,
            } => Self::Shutdown {
                reason,
                restart_expected_ms,
            },
            _ => return None,
        })
    }
}

impl ConnectionPhase {
    fn of(state: ClientState, problem: Problem, hello: Option<&Hello>) -> Self {
        match (state, hello) {
            (ClientState::Live, Some(hello)) => Self::Live(hello.into()),
            (ClientState::Connecting | ClientState::Handshaking | ClientState::Live, _) => Self::Connecting,
            (ClientState::Waiting { at_ms }, _) => Self::Waiting {
                retry_at_ms: at_ms,
                problem,
            },
            (ClientState::Refused, _) => Self::Refused { problem },
            (ClientState::Idle | ClientState::Closed, _) => Self::Stopped,
        }
    }
}

impl From<&Hello> for LiveConnection {
    fn from(hello: &Hello) -> Self {
        Self {
            protocol: hello.protocol,
            server_version: hello.server_version.clone(),
            conn_id: hello.conn_id.clone(),
            boot_id: hello.boot_id.clone(),
            methods: hello.methods.clone(),
            scopes: hello.scopes.clone(),
            can_read: hello.may_read(),
        }
    }
}

/// Without a problem from the core, the connection was lost.
impl From<Option<core::Problem>> for Problem {
    fn from(problem: Option<core::Problem>) -> Self {
        let (code, message, remedy) = match problem {
            Some(problem) => (problem.code, problem.message, problem.remedy),
            None => ("CLOSED".into(), "the connection ended".into(), "".into()),
        };
        Self {
            code,
            message,
            remedy,
        }
    }
}
