//! What a client says to its shell.

use alloc::boxed::Box;

use super::mirror::RosterDiff;
use super::problem::Problem;

/// What the shell must do next.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ClientOutput {
    /// Open a WebSocket to the gateway. What becomes of it is reported under this number.
    Open {
        /// Counts all sockets of this client.
        socket: u64,
    },
    /// Send this text frame.
    Send {
        /// The socket.
        socket: u64,
        /// The frame. May hold secrets.
        text: Box<str>,
    },
    /// Close the socket. Nothing that it still reports matters.
    Close {
        /// The socket.
        socket: u64,
        /// A code that browsers may send: 1000 or 4000 and above.
        code: u16,
        /// Why.
        reason: &'static str,
    },
    /// Sign this text with the device key, then call
    /// [`Client::handle_signature`](super::Client::handle_signature).
    Sign {
        /// The socket.
        socket: u64,
        /// The text, UTF-8. May hold a secret.
        payload: Box<str>,
    },
    /// Something the application may want to know.
    Event(ClientEvent),
}

/// Something the application may want to know.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ClientEvent {
    /// The state is another one.
    State {
        /// The new state.
        state: ClientState,
        /// What went wrong, when waiting or refused.
        problem: Option<Box<Problem>>,
    },
    /// The roster is different; several changes in a row are told as one.
    Roster(RosterDiff),
    /// The gateway let the client in without the scope to read the roster: it stays empty.
    NoReadScope(Box<Problem>),
    /// The gateway refused a beacon. Beacons are off from now on; the roster is not affected.
    BeaconRefused(Box<Problem>),
    /// The gateway is about to stop; the client will come back to it by itself.
    Shutdown {
        /// The gateway's word for it.
        reason: Box<str>,
        /// When it expects to be back, in ms.
        restart_expected_ms: Option<u64>,
    },
    /// The answer to [`Client::request`](super::Client::request) or [`Client::beacon`](super::Client::beacon).
    Response {
        /// The request.
        id: u64,
        /// The payload's JSON text as the gateway wrote it, or why there is none.
        result: Result<Box<str>, Box<Problem>>,
    },
}

/// Where a client is between idle and live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientState {
    /// Not started.
    Idle,
    /// The socket is being opened.
    Connecting,
    /// The socket is open; challenge, proof and hello are under way.
    Handshaking,
    /// The gateway answers; the roster is current.
    Live,
    /// The connection failed or ended; the next try is set.
    Waiting {
        /// When, on `Now::age_ms`.
        at_ms: u64,
    },
    /// The gateway does not want this client: trying again would not help. A person must act, then
    /// [`Client::start`](super::Client::start).
    Refused,
    /// Stopped by the application.
    Closed,
}

impl ClientState {
    /// The state in one word.
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
