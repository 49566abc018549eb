//! The outputs of a client for its shell.

use alloc::boxed::Box;

use super::mirror::RosterDiff;
use super::problem::Problem;

/// A command for the shell.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ClientOutput {
    /// Open a WebSocket to the gateway. Its events are reported under this number.
    Open {
        /// The number of the socket, counted over all sockets of this client.
        socket: u64,
    },
    /// Send this text frame.
    Send {
        /// The socket.
        socket: u64,
        /// The frame. It may contain secrets.
        text: Box<str>,
    },
    /// Close the socket. Its later events are ignored.
    Close {
        /// The socket.
        socket: u64,
        /// A code that browsers may send: 1000 or 4000 and above.
        code: u16,
        /// The close reason.
        reason: &'static str,
    },
    /// Sign this text with the device key, then call
    /// [`Client::handle_signature`](super::Client::handle_signature).
    Sign {
        /// The socket.
        socket: u64,
        /// The text, UTF-8. It may contain a secret.
        payload: Box<str>,
    },
    /// An event for the application.
    Event(ClientEvent),
}

/// An event for the application.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ClientEvent {
    /// The state changed.
    State {
        /// The new state.
        state: ClientState,
        /// The problem, while waiting or refused.
        problem: Option<Box<Problem>>,
    },
    /// The roster changed; consecutive changes are coalesced into one event.
    Roster(RosterDiff),
    /// The gateway accepted the client without the scope to read the roster, which stays empty.
    NoReadScope(Box<Problem>),
    /// The gateway refused a beacon. Beacons are off from now on; the roster is not affected.
    BeaconRefused(Box<Problem>),
    /// The gateway is about to stop; the client reconnects by itself.
    Shutdown {
        /// The reason that the gateway states.
        reason: Box<str>,
        /// When the gateway expects to be back, in ms.
        restart_expected_ms: Option<u64>,
    },
    /// The answer to [`Client::request`](super::Client::request) or
    /// [`Client::beacon`](super::Client::beacon).
    Response {
        /// The number of the request.
        id: u64,
        /// The payload's JSON text as the gateway wrote it, or the problem.
        result: Result<Box<str>, Box<Problem>>,
    },
}

/// The state of a client's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientState {
    /// Not started.
    Idle,
    /// The socket is being opened.
    Connecting,
    /// The socket is open; the handshake is in progress.
    Handshaking,
    /// The handshake is complete; the roster is current.
    Live,
    /// The connection failed or ended; the next attempt is scheduled.
    Waiting {
        /// The time of the next attempt, on `Now::age_ms`.
        at_ms: u64,
    },
    /// The gateway refused this client, and a retry would not help. A person must act, then call
    /// [`Client::start`](super::Client::start).
    Refused,
    /// Stopped by the application.
    Closed,
}

impl ClientState {
    /// Returns the state in one word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Connecting => "connecting",
            Self::Handshaking => "handshaking",
            Self::Live => "live",
            Self::Waiting { .. } => "waiting",
            Self::Refused => "refused",
            Self::Closed => "closed",
        }
    }
}
