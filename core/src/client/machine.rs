//! One client: sockets, handshake, roster, beacons, reconnects (SPEC 3).

mod beacons;
mod calls;
mod challenge;
mod frames;
mod handshake;
mod list_requests;
mod live;
mod phase;
mod time;

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use self::beacons::Beacons;
use self::calls::Pending;
use self::phase::Phase;
use super::backoff::Backoff;
use super::clock::ServerClock;
use super::config::ClientConfig;
use super::event::{ClientEvent, ClientOutput, ClientState};
use super::hello::Hello;
use super::mirror::Mirror;
use super::problem::Problem;
use crate::model::time::Now;
use crate::wire::connect::{NEWEST_PROTOCOL, OLDEST_PROTOCOL};

pub use self::calls::CallError;

/// Close code for a silent gateway; OpenClaw's clients use it too (reference 2.5).
const CLOSE_SILENT: u16 = 4000;
const CLOSE_CONNECT_FAILED: u16 = 4008;
const CLOSE_NORMAL: u16 = 1000;
/// The maximum length of a frame, in bytes: real gateways send up to 25 MiB.
const MAX_FRAME_BYTES: usize = 32 * 1024 * 1024;

/// A client of one gateway, as a state machine without IO.
///
/// The shell owns the sockets, the clocks and the device key; this type decides. Its methods are of four
/// kinds:
///
/// * **commands** by the application: [`start`](Self::start), [`stop`](Self::stop),
///   [`request`](Self::request), [`beacon`](Self::beacon), `set_*`, [`report_input`](Self::report_input);
/// * **inputs**: `handle_*`. Those about a socket name it by its number. Inputs of a socket that the client
///   already closed are ignored, so shells need not filter them;
/// * **polls**: after every command and input, execute each [`poll_output`](Self::poll_output) until it
///   returns `None`, then set one timer for [`poll_timeout`](Self::poll_timeout), which calls
///   [`handle_timeout`](Self::handle_timeout). Early and repeated calls do nothing;
/// * **getters**, without side effects: [`state`](Self::state), [`mirror`](Self::mirror), and so on.
///
/// `now` must never go back on `age_ms` from one call to the next. No input of the gateway causes a panic,
/// and everything stored for it is bounded.
///
/// ```
/// use presence_core::Now;
/// use presence_core::client::{Client, ClientConfig, ClientOutput, ClientState};
/// use presence_core::model::ClientInfo;
///
/// let info = ClientInfo {
///     id: "gateway-client".into(), mode: "backend".into(), version: "1.0".into(),
///     platform: "linux".into(), instance_id: Some("dashboard-1".into()), ..ClientInfo::default()
/// };
/// let now = Now { age_ms: 0, wall_ms: 1_800_000_000_000 };
/// let mut client = Client::new(ClientConfig { token: Some("secret".into()), ..ClientConfig::new(info) }, now);
/// client.start(now);
/// let outputs: Vec<_> = std::iter::from_fn(|| client.poll_output()).collect();
/// assert!(outputs.contains(&ClientOutput::Open { socket: 1 }));
/// client.handle_open(1, now);
/// client.handle_text(
///     1,
///     r#"{"type":"event","event":"connect.challenge","payload":{"nonce":"n","ts":1800000000000}}"#,
///     now,
/// );
/// let sent = std::iter::from_fn(|| client.poll_output()).any(|output| {
///     matches!(output, ClientOutput::Send { text, .. } if text.contains(r#""method":"connect""#))
/// });
/// assert!(sent);
/// assert_eq!(client.state(), ClientState::Handshaking);
/// ```
#[derive(Debug)]
pub struct Client {
    config: ClientConfig,
    clock: ServerClock,
    backoff: Backoff,
    mirror: Mirror,
    phase: Phase,
    /// The number of the newest socket.
    socket: u64,
    /// When it was requested, on the age clock.
    opened_ms: u64,
    /// The range of protocols to offer.
    range: (u32, u32),
    /// Whether to request deltas.
    wants_deltas: bool,
    next_request: u64,
    /// Requests without an answer.
    pending: Vec<Pending>,
    beacons: Beacons,
    is_visible: bool,
    is_watched: bool,
    /// The time of the user's last input, on the elapsed time of `clock`; negative if before the client was
    /// created.
    last_input_ms: Option<i64>,
    outputs: VecDeque<ClientOutput>,
}

impl Client {
    /// Creates a client that is idle until [`start`](Self::start).
    #[must_use]
    pub fn new(config: ClientConfig, now: Now) -> Self {
        Self {
            clock: ServerClock::new(now),
            backoff: Backoff::new(config.backoff, config.seed),
            mirror: Mirror::new(config.mirror),
            phase: Phase::Idle,
            socket: 0,
            opened_ms: 0,
            range: (OLDEST_PROTOCOL, NEWEST_PROTOCOL),
            wants_deltas: config.deltas,
            next_request: 1,
            pending: Vec::new(),
            beacons: Beacons::new(config.beacons),
            is_visible: true,
            is_watched: false,
            last_input_ms: None,
            outputs: VecDeque::new(),
            config,
        }
    }

    // ---- commands -----------------------------------------------------------------------------

    /// Connects and stays connected. While waiting, it tries at once; while connecting or live, it does
    /// nothing.
    pub fn start(&mut self, now: Now) {
        self.clock.advance(now);
        match self.phase {
            Phase::Opening { .. } | Phase::Handshake { .. } | Phase::Live(_) => {}
            Phase::Idle | Phase::Waiting { .. } | Phase::Refused(_) | Phase::Closed => {
                self.backoff.reset();
                self.open(now);
            }
        }
    }

    /// Disconnects until the next [`start`](Self::start). The roster stays, offline.
    pub fn stop(&mut self, now: Now) {
        self.clock.advance(now);
        if matches!(self.phase, Phase::Closed) {
            return;
        }
        self.close_socket(CLOSE_NORMAL, "");
        self.end(
            Phase::Closed,
            &Problem::new("CLOSED", "the client was stopped"),
            now,
        );
    }

    /// Sets whether the application reads the roster. On protocol 3 a watched roster is requested every 30 s.
    pub fn set_watched(&mut self, is_watched: bool, now: Now) {
        self.clock.advance(now);
        self.is_watched = is_watched;
        self.work(now);
    }

    /// Sets whether the page is visible; programs without a page always are.
    pub fn set_visible(&mut self, is_visible: bool, now: Now) {
        self.clock.advance(now);
        if self.is_visible == is_visible {
            return;
        }
        self.is_visible = is_visible;
        self.beacon_on_visibility(now);
        if is_visible {
            self.retry_soon(now);
        }
        self.work(now);
    }

    /// Sets whether the machine has a network. When the network is back, the client tries at once, or probes
    /// the existing connection.
    pub fn set_online(&mut self, is_online: bool, now: Now) {
        self.clock.advance(now);
        if is_online {
            self.retry_soon(now);
            self.probe(now);
        }
        self.work(now);
    }

    // ---- inputs -------------------------------------------------------------------------------

    /// Handles the opening of the socket.
    pub fn handle_open(&mut self, socket: u64, now: Now) {
        self.clock.advance(now);
        let elapsed_ms = self.clock.elapsed_ms(now);
        if socket == self.socket && matches!(self.phase, Phase::Opening { due_ms } if elapsed_ms <= due_ms) {
            let due_ms = self.attempt_due_ms(now);
            self.enter(Phase::Handshake {
                due_ms,
                challenge: None,
            });
        }
    }

    /// Handles a text frame. Invalid and unknown frames are ignored.
    pub fn handle_text(&mut self, socket: u64, text: &str, now: Now) {
        self.clock.advance(now);
        // After its deadline an attempt ignores frames until its timer fires: a challenge that waited in the socket
        // while this machine slept states an old time.
        let hears = match self.phase {
            Phase::Handshake { due_ms, .. } => self.clock.elapsed_ms(now) <= due_ms,
            _ => matches!(self.phase, Phase::Live(_)),
        };
        if socket != self.socket || !hears {
            return;
        }
        if text.len() > MAX_FRAME_BYTES {
            self.close_socket(CLOSE_SILENT, "frame too large");
            self.retry(
                Problem::new("FRAME_TOO_LARGE", "the gateway's frame is too large"),
                0,
                now,
            );
            return;
        }
        self.handle_frame(text, now);
        self.work(now);
    }

    /// Handles the close of the socket, or its failure to open: code 1006 if there is none. `reason` is the
    /// gateway's close reason.
    pub fn handle_close(&mut self, socket: u64, code: u16, reason: &str, now: Now) {
        self.clock.advance(now);
        if socket != self.socket || !self.has_socket() {
            return;
        }
        let (problem, verdict) = Problem::of_close(code, reason);
        self.handle_verdict(problem, verdict, now);
    }

    /// Returns the next command for the shell.
    pub fn poll_output(&mut self) -> Option<ClientOutput> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        self.mirror
            .take_diff()
            .map(|diff| ClientOutput::Event(ClientEvent::Roster(diff)))
    }

    // ---- getters ------------------------------------------------------------------------------

    /// Returns the state of the connection.
    #[must_use]
    pub fn state(&self) -> ClientState {
        match self.phase {
            Phase::Idle => ClientState::Idle,
            Phase::Opening { .. } => ClientState::Connecting,
            Phase::Handshake { .. } => ClientState::Handshaking,
            Phase::Live(_) => ClientState::Live,
            Phase::Waiting { at_ms, .. } => ClientState::Waiting { at_ms },
            Phase::Refused(_) => ClientState::Refused,
            Phase::Closed => ClientState::Closed,
        }
    }

    /// Returns the problem, while waiting or refused.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match &self.phase {
            Phase::Waiting { problem, .. } | Phase::Refused(problem) => Some(problem),
            _ => None,
        }
    }

    /// Returns the gateway's hello, while live.
    #[must_use]
    pub fn hello(&self) -> Option<&Hello> {
        match &self.phase {
            Phase::Live(live) => Some(&live.hello),
            _ => None,
        }
    }

    /// Returns the roster. Its ages are counted on [`server_ms`](Self::server_ms).
    #[must_use]
    pub fn mirror(&self) -> &Mirror {
        &self.mirror
    }

    /// Returns the gateway's time, in ms since the Unix epoch.
    #[must_use]
    pub fn server_ms(&self, now: Now) -> u64 {
        self.clock.server_ms(now)
    }
}

#[cfg(test)]
mod tests;
