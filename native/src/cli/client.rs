//! The shell around core's client: a socket, a timer and a clock.

use presence_core::Now;
use presence_core::client::{Client, ClientConfig, ClientEvent, ClientOutput, ClientState, Problem};
use presence_core::model::ClientInfo;
use presence_core::wire::error::UNAVAILABLE;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::device_key::DeviceKey;
use super::options::Target;
use super::socket::{MAX_WAITING, Report, Reports, Socket, SocketEvent};
use super::stderr::print_note;
use super::{Failure, last_input, printable};
use crate::auth::secret::Secret;
use crate::clock::Clock;
use crate::identity;

/// A client that makes progress while [`next`](Self::next) is awaited.
#[derive(Debug)]
pub(super) struct Link {
    target: Target,
    machine: Client,
    /// Only for gateways on other machines: with protocol 4 they remove the scopes of clients without a key.
    device_key: Option<DeviceKey>,
    clock: Clock,
    socket: Option<Socket>,
    /// The task of a socket that closes.
    closing: Option<JoinHandle<()>>,
    reporter: Reports,
    reports: mpsc::Receiver<Report>,
    /// Why the last socket ended, unless this client closed it.
    failure: Option<Failure>,
    /// Whether beacons report the last input too; `None` where nothing about the machine is reported.
    reports_last_input: Option<bool>,
}

impl Link {
    /// Makes a client of the target; adds its secrets, key and time limits to `config`.
    pub(super) fn new(target: Target, config: ClientConfig) -> Result<Self, Failure> {
        let mut seed = [0; 8];
        getrandom::fill(&mut seed)
            .map_err(|error| Failure::Other(format!("cannot get random numbers from the system: {error}")))?;
        let secret = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.reveal().into());
        let device_key = (!target.is_on_this_machine()).then(DeviceKey::kept).flatten();
        let config = ClientConfig {
            device: device_key.as_ref().map(DeviceKey::public),
            token: secret(&target.token),
            password: secret(&target.password),
            handshake_ms: u64::try_from(target.timeout.as_millis()).unwrap_or(u64::MAX),
            seed: u64::from_ne_bytes(seed),
            ..config
        };
        config
            .validate()
            .map_err(|error| Failure::Usage(error.to_string()))?;
        let clock = Clock::system();
        let (reporter, reports) = mpsc::channel(MAX_WAITING);
        Ok(Self {
            machine: Client::new(config, clock.now()),
            target,
            device_key,
            clock,
            socket: None,
            closing: None,
            reporter,
            reports,
            failure: None,
            reports_last_input: None,
        })
    }

    /// Adds this machine's address to beacons and, with `last_input`, the time since the last input.
    pub(super) fn report_machine(&mut self, last_input: bool) {
        self.reports_last_input = Some(last_input);
    }

    /// The state machine, to read from.
    pub(super) fn machine(&self) -> &Client {
        &self.machine
    }

    /// Where the gateway is.
    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// The gateway's URL.
    pub(super) fn url(&self) -> String {
        self.target.url()
    }

    /// The time.
    pub(super) fn now(&self) -> Now {
        self.clock.now()
    }

    /// Connects, and reconnects from then on.
    pub(super) fn start(&mut self) {
        self.machine.start(self.clock.now());
    }

    /// Marks the roster as watched: with protocol 3 it is requested every 30 s.
    pub(super) fn watch(&mut self) {
        self.machine.set_watched(true, self.clock.now());
    }

    /// Returns the next event. Cancel safe.
    pub(super) async fn next(&mut self) -> ClientEvent {
        loop {
            while let Some(output) = self.machine.poll_output() {
                if let ClientOutput::Event(event) = output {
                    return event;
                }
                self.act(output);
            }
            let due_ms = self.machine.poll_timeout();
            tokio::select! {
                report = self.reports.recv() => {
                    if let Some((number, event)) = report {
                        self.handle_socket_event(number, event);
                    }
                }
                () = self.clock.wait(due_ms) => {
                    let now = self.clock.now();
                    if self.machine.beacon_due_ms().is_some_and(|due_ms| due_ms <= now.age_ms) {
                        self.refresh_machine_facts();
                    }
                    self.machine.handle_timeout(now);
                }
            }
        }
    }

    /// Closes the connection.
    pub(super) async fn stop(mut self) {
        self.machine.stop(self.clock.now());
        while let Some(output) = self.machine.poll_output() {
            self.act(output);
        }
        drop(self.reports);
        if let Some(closing) = self.closing {
            // The task ends within bounds.
            let _ = closing.await;
        }
    }

    /// Calls a method without waiting; its answer is a [`ClientEvent::Response`] with the returned number. `None` if it
    /// was not sent.
    pub(super) fn request(&mut self, method: &str, params: &RawValue) -> Option<u64> {
        self.machine.request(method, Some(params), self.clock.now()).ok()
    }

    // ---- for commands that run once -----------------------------------------------------------

    /// Connects once; again while the gateway asks for a retry.
    ///
    /// # Errors
    /// Why there is no connection.
    pub(super) async fn connect(&mut self) -> Result<(), Failure> {
        self.start();
        loop {
            if let ClientEvent::State { state, problem } = self.next().await {
                if state == ClientState::Live {
                    return Ok(());
                }
                // The gateway is unavailable for a short time and states when to retry.
                if let (ClientState::Waiting { .. }, Some(problem)) = (state, &problem)
                    && &*problem.code == UNAVAILABLE
                {
                    print_note(&format!("waiting: {}", words(problem)));
                    continue;
                }
                if let Some(problem) = problem {
                    return Err(self.failure_of(&problem));
                }
            }
        }
    }

    /// Calls a method and returns its payload as the gateway wrote it.
    ///
    /// # Errors
    /// [`Failure::Refused`] with the gateway's message, or why there is no response.
    pub(super) async fn call(&mut self, method: &str, params: &RawValue) -> Result<Box<str>, Failure> {
        let asked = self.request(method, params);
        loop {
            match self.next().await {
                ClientEvent::Response { id, result } if Some(id) == asked => {
                    return match result {
                        Ok(payload) => Ok(payload),
                        Err(problem) if &*problem.code == "DISCONNECTED" => Err(self.failure_of(&problem)),
                        Err(problem) => Err(Failure::Refused(format!("{method}: {}", words(&problem)))),
                    };
                }
                ClientEvent::State {
                    problem: Some(problem),
                    ..
                } => return Err(self.failure_of(&problem)),
                _ => {}
            }
        }
    }

    /// Returns the parameters of a beacon sent now.
    pub(super) fn beacon_params(&mut self, reason: &str) -> Box<RawValue> {
        self.refresh_machine_facts();
        self.machine.beacon_params(reason, self.clock.now())
    }

    /// Why a single attempt failed.
    fn failure_of(&mut self, problem: &Problem) -> Failure {
        if self.machine.state() != ClientState::Refused
            && let Some(failure) = self.failure.take()
        {
            return failure;
        }
        let text = format!("{}: {}", self.url(), words(problem));
        match &*problem.code {
            "OPEN_TIMEOUT" | "HELLO_TIMEOUT" | "TICK_TIMEOUT" => Failure::Timeout(text),
            "FRAME_TOO_LARGE" | "BAD_HELLO" => Failure::Other(text),
            _ => Failure::Refused(text),
        }
    }

    // ---- I/O of the state machine -------------------------------------------------------------

    fn refresh_machine_facts(&mut self) {
        if let Some(with_last_input) = self.reports_last_input {
            let now = self.clock.now();
            let ip = identity::lan_ipv4().map(|ip| ip.to_string());
            let uptime_seconds = Some(now.age_ms / 1_000).filter(|_| with_last_input);
            self.machine.set_ip(ip.as_deref());
            self.machine
                .set_last_input(uptime_seconds.and_then(last_input::seconds), now);
        }
    }

    fn act(&mut self, output: ClientOutput) {
        match output {
            ClientOutput::Open { socket } => {
                self.failure = None;
                // The policy sends the first beacon right after hello.
                self.refresh_machine_facts();
                self.socket = Some(Socket::open(&self.target, socket, self.reporter.clone()));
            }
            ClientOutput::Send { socket, text } => {
                let is_sent = self
                    .socket
                    .as_ref()
                    .is_some_and(|own| own.number() == socket && own.send(text));
                if !is_sent {
                    let now = self.clock.now();
                    self.machine
                        .handle_close(socket, 1006, "the send queue is full", now);
                }
            }
            ClientOutput::Close { code, reason, .. } => {
                self.closing = self.socket.take().map(|socket| socket.close(code, reason));
            }
            ClientOutput::Sign { socket, payload } => {
                let signature = self.device_key.as_ref().map(|key| key.sign(&payload));
                self.machine
                    .handle_signature(socket, signature.as_deref(), self.clock.now());
            }
            // Events are for the command that runs the client.
            _ => {}
        }
    }

    fn handle_socket_event(&mut self, number: u64, event: SocketEvent) {
        let now = self.clock.now();
        match event {
            SocketEvent::Open => self.machine.handle_open(number, now),
            SocketEvent::Text(text) => self.machine.handle_text(number, &text, now),
            SocketEvent::Closed(closed) => {
                if self
                    .socket
                    .as_ref()
                    .is_some_and(|socket| socket.number() == number)
                {
                    self.failure = Some(closed.failure);
                }
                self.machine
                    .handle_close(number, closed.code, &closed.reason, now);
            }
        }
    }
}

/// A problem in words, safe to show in a terminal.
pub(super) fn words(problem: &Problem) -> String {
    if problem.message.starts_with("unauthorized role") {
        let why =
            "The token is valid, but not for this role: add it to the token's `roles`, or use another token.";
        return printable(&format!("{}. {why}", problem.message));
    }
    // The message ends with the gateway's own remedy in parentheses, which is better than the general one.
    if problem.message.ends_with(')') && problem.code.starts_with("AUTH_") {
        return printable(&problem.message);
    }
    printable(&problem.to_string())
}

/// The parameters of a method that has none.
pub(super) fn no_params() -> Box<RawValue> {
    RawValue::from_string("{}".to_owned()).unwrap_or_default()
}

/// The command line's identity, valid for gateways of both protocols.
pub(super) fn client_info() -> ClientInfo {
    ClientInfo {
        id: "cli".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        platform: identity::platform().into(),
        mode: "cli".into(),
        display_name: Some(identity::hostname().into()),
        // Sent by every command, so that commands with one device key look like one device.
        device_family: Some(identity::device_family().into()),
        model_identifier: identity::model_identifier().map(Into::into),
        ..ClientInfo::default()
    }
}

/// Runs the command within the target's time limit.
///
/// # Errors
/// [`Failure::Timeout`], or what the command fails with.
pub(super) async fn in_time<T>(
    target: &Target,
    command: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::time::timeout(target.timeout, command)
        .await
        .unwrap_or_else(|_| {
            Err(Failure::Timeout(format!(
                "{} did not answer in time",
                target.url()
            )))
        })
}
