//! One socket's protocol: challenge, `connect`, then requests (SPEC 2, reference 2.3 to 2.5).
//!
//! The machine parses and validates frames, admits clients, and passes accepted handshakes and
//! calls to the [`Hub`](super::Hub). It holds no roster state.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;

use super::Evidence;
use super::admission::{self, Claim, Examined, Refusal};
use super::handshake::Handshake;
use super::refused::{Introduction, Refused};
use crate::model::Role;
use crate::model::entry::MAX_USER_UNITS;
use crate::model::text::trim;
use crate::model::time::Now;
use crate::wire::device::Challenge;
use crate::wire::error::SIGNATURE_EXPIRED;
use crate::wire::method::HIDE_ADDRESSES_CAP;
use crate::wire::request::{FrameError, RequestFrame};
use crate::wire::{Call, CloseFrame, ConnectParams, Limits, Request, ResponseFrame, WireError};

/// Most frames that wait while a handshake is being judged.
pub const MAX_PENDING_FRAMES: usize = 15;

/// The id in the answer to an invalid frame that has none.
const NO_ID: &str = "invalid";

/// The next action of the shell.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ConnectionOutput {
    /// Put this frame into the connection's outbox.
    Send(ResponseFrame),
    /// Collect the evidence about this request and call [`Connection::handle_evidence`]. `caps` and `commands` are
    /// empty here: they are not needed for it, and may be long.
    Authenticate(Box<ConnectParams>),
    /// Let the connection join the hub, which answers from now on. Carry out later outputs only after
    /// the hub has queued its hello, so that no frame overtakes it.
    Join(Box<Handshake>),
    /// Hand this call to the hub.
    Call(Box<Request>),
    /// Send the frames in the outbox, then close; no output follows.
    Close(CloseFrame),
    /// For the log: the handshake is refused. The answer and the close follow.
    Refused(Box<Refused>),
    /// A line for the log: a message of the client is ignored. Never holds frame contents.
    Note(&'static str),
}

/// One socket's protocol machine. Call it for each input, then take every
/// [`poll_output`](Self::poll_output) until it returns `None`.
///
/// After a [`ConnectionOutput::Close`] it ignores inputs and has no further outputs. Once the
/// handshake is done it owns no heap memory between calls.
///
/// ```
/// use presence_core::Now;
/// use presence_core::wire::Limits;
/// use presence_core::server::{
///     Connection, ConnectionOutput, DeviceEvidence, Evidence, Grant, OriginEvidence, SecretEvidence,
/// };
/// let now = Now { age_ms: 0, wall_ms: 1_700_000_000_000 };
/// let mut connection = Connection::new(&Limits::default(), "c-1".into(), "n-1".into(), None, now);
/// let Some(ConnectionOutput::Send(challenge)) = connection.poll_output() else { panic!() };
/// assert!(challenge.to_string().contains(r#""nonce":"n-1","ts":1700000000000"#));
///
/// connection.handle_text(
///     r#"{"type":"req","id":"1","method":"connect","params":{"minProtocol":3,"maxProtocol":4,
///         "client":{"id":"my-tool","version":"1","platform":"linux","mode":"ui"}}}"#,
///     now,
/// );
/// let Some(ConnectionOutput::Authenticate(_)) = connection.poll_output() else { panic!() };
/// let evidence = Evidence {
///     origin: OriginEvidence::Allowed,
///     secret: SecretEvidence::NotRequired,
///     device: DeviceEvidence::Absent,
///     grant: Grant::Everything,
/// };
/// connection.handle_evidence(&evidence, now);
/// let Some(ConnectionOutput::Join(handshake)) = connection.poll_output() else { panic!() };
/// assert_eq!(handshake.protocol, 4);
/// ```
#[derive(Debug)]
pub struct Connection {
    phase: Phase,
    outputs: VecDeque<ConnectionOutput>,
    /// The largest frame after the handshake.
    payload_bytes: usize,
}

/// The phase of the connection. The state of the handshake is boxed, and freed after it.
#[derive(Debug)]
enum Phase {
    Opening(Box<Opening>),
    Ready,
    Closed,
}

/// A connection whose handshake is not done.
#[derive(Debug)]
struct Opening {
    conn_id: Box<str>,
    nonce: Box<str>,
    /// The wall clock that the challenge states.
    challenged_ms: u64,
    remote_ip: Option<Box<str>>,
    user: Option<Box<str>>,
    /// When the handshake must be done, on `Now::age_ms`.
    deadline_ms: u64,
    /// The largest frame until then.
    frame_bytes: usize,
    /// The `connect` that waits for its evidence.
    pending: Option<Pending>,
}

/// A `connect` request between [`ConnectionOutput::Authenticate`] and its evidence.
#[derive(Debug)]
struct Pending {
    /// The handshake as it will be when accepted, but for the device id.
    handshake: Box<Handshake>,
    claim: Claim,
    /// Frames that arrived in between.
    frames: Vec<Box<str>>,
}

impl Pending {
    /// Queues a frame, if there is room for it. Their number and their bytes are bounded, because the
    /// client is not authenticated.
    fn queue(&mut self, text: &str, max_bytes: usize) -> bool {
        let bytes: usize = self.frames.iter().map(|frame| frame.len()).sum();
        let has_room = self.frames.len() < MAX_PENDING_FRAMES && bytes + text.len() <= max_bytes;
        if has_room {
            self.frames.push(text.into());
        }
        has_room
    }
}

impl Connection {
    /// A new socket: queues the challenge, which states `now.wall_ms`. `conn_id` and `nonce` are
    /// unguessable ids minted by the shell; `remote_ip` is `None` when the address is unknown or
    /// cannot be attributed.
    #[must_use]
    pub fn new(
        limits: &Limits,
        conn_id: Box<str>,
        nonce: Box<str>,
        remote_ip: Option<Box<str>>,
        now: Now,
    ) -> Self {
        let challenge = ResponseFrame::challenge(&nonce, now.wall_ms);
        let opening = Opening {
            conn_id,
            nonce,
            challenged_ms: now.wall_ms,
            remote_ip,
            user: None,
            deadline_ms: now.age_ms.saturating_add(limits.handshake_ms),
            frame_bytes: limits.preauth_frame_bytes,
            pending: None,
        };
        Self {
            phase: Phase::Opening(Box::new(opening)),
            outputs: VecDeque::from([ConnectionOutput::Send(challenge)]),
            payload_bytes: limits.payload_bytes,
        }
    }

    /// Handles a whole text frame.
    pub fn handle_text(&mut self, text: &str, now: Now) {
        self.handle_timeout(now);
        match &mut self.phase {
            Phase::Closed => {}
            Phase::Ready => self.request(text),
            Phase::Opening(opening) => match &mut opening.pending {
                None => self.first_frame(text),
                Some(pending) => {
                    if !pending.queue(text, opening.frame_bytes) {
                        self.close(CloseFrame::TOO_MANY_PENDING);
                    }
                }
            },
        }
    }

    /// Sets the user of the connection, as a trusted proxy states it (SPEC 4, "Users"); trimmed. A blank id, and
    /// one of more than [`MAX_USER_UNITS`], is ignored. Has no effect after the handshake.
    #[must_use]
    pub fn with_user(mut self, user: Option<&str>) -> Self {
        let is_id = |user: &&str| !user.is_empty() && user.encode_utf16().count() <= MAX_USER_UNITS;
        if let Phase::Opening(opening) = &mut self.phase {
            opening.user = user.map(trim).filter(is_id).map(Into::into);
        }
        self
    }

    /// Handles a frame over [`max_frame_bytes`](Self::max_frame_bytes): closes with 1009.
    pub fn handle_oversized(&mut self) {
        self.close(CloseFrame::TOO_LARGE);
    }

    /// The shell's answer to [`ConnectionOutput::Authenticate`]. Frames that arrived in between
    /// were queued (at most [`MAX_PENDING_FRAMES`], together not larger than one frame may be) and
    /// are processed now. Does nothing when no answer is awaited.
    pub fn handle_evidence(&mut self, evidence: &Evidence, now: Now) {
        self.handle_timeout(now);
        let Phase::Opening(opening) = &mut self.phase else {
            return;
        };
        let Some(Pending {
            mut handshake,
            claim,
            frames,
        }) = opening.pending.take()
        else {
            return;
        };
        let skew_ms = claim.skew_ms(now);
        match claim.judge(handshake.role, evidence) {
            Err(error) => {
                let client = Introduction::new(&handshake.client, handshake.role);
                let skew_ms = skew_ms.filter(|_| error.stated_code() == SIGNATURE_EXPIRED);
                self.refuse(&handshake.request_id, Refusal::new(error, client), skew_ms);
            }
            Ok(device_id) => {
                handshake.device_id = device_id;
                handshake.scopes = evidence.grant.permitted(&handshake.scopes);
                // A node receives nothing about other clients; its `caps` are capabilities that it lists.
                if evidence.grant.hides_addresses() && handshake.role == Role::Operator {
                    handshake.caps.push(HIDE_ADDRESSES_CAP.into());
                }
                handshake.clock_skew_ms = skew_ms;
                self.phase = Phase::Ready;
                self.outputs.push_back(ConnectionOutput::Join(handshake));
                for text in frames {
                    self.request(&text);
                }
            }
        }
    }

    /// Closes with `handshake timeout` when the deadline is over.
    pub fn handle_timeout(&mut self, now: Now) {
        if self
            .poll_timeout()
            .is_some_and(|deadline_ms| now.age_ms >= deadline_ms)
        {
            self.close(CloseFrame::HANDSHAKE_TIMEOUT);
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), on `Now::age_ms`. `None` once the
    /// handshake is done.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        match &self.phase {
            Phase::Opening(opening) => Some(opening.deadline_ms),
            Phase::Ready | Phase::Closed => None,
        }
    }

    /// Returns the next output.
    pub fn poll_output(&mut self) -> Option<ConnectionOutput> {
        let output = self.outputs.pop_front();
        if self.outputs.is_empty() {
            self.outputs = VecDeque::new();
        }
        output
    }

    /// The largest frame to accept now, in bytes: it grows when the handshake is done.
    #[must_use]
    pub fn max_frame_bytes(&self) -> usize {
        match &self.phase {
            Phase::Opening(opening) => opening.frame_bytes,
            Phase::Ready | Phase::Closed => self.payload_bytes,
        }
    }

    /// The challenge, for the device proof; empty once the handshake is over.
    #[must_use]
    pub fn challenge(&self) -> Challenge<'_> {
        match &self.phase {
            Phase::Opening(opening) => Challenge {
                nonce: &opening.nonce,
                ts_ms: opening.challenged_ms,
            },
            Phase::Ready | Phase::Closed => Challenge::default(),
        }
    }

    /// The first frame, which must be a valid `connect`.
    fn first_frame(&mut self, text: &str) {
        let request = match RequestFrame::read(text) {
            Ok(request) => request,
            Err(FrameError::NotJson) => return self.close(CloseFrame::NOT_JSON),
            Err(FrameError::Invalid { .. }) => return self.close(CloseFrame::INVALID_FRAME),
        };
        match admission::examine(&request) {
            Err(refusal) => self.refuse(&request.id, refusal, None),
            Ok(examined) => self.authenticate(request.id, examined),
        }
    }

    fn authenticate(&mut self, request_id: Box<str>, examined: Examined) {
        let Phase::Opening(opening) = &mut self.phase else {
            return;
        };
        let Examined {
            mut params,
            protocol,
            role,
        } = examined;
        let handshake = Handshake {
            request_id,
            conn_id: mem::take(&mut opening.conn_id),
            protocol,
            role,
            scopes: if role == Role::Operator {
                params.scopes.as_slice().into()
            } else {
                Arc::default()
            },
            client: params.client.clone(),
            device_id: None,
            caps: mem::take(&mut params.caps),
            commands: mem::take(&mut params.commands),
            remote_ip: opening.remote_ip.take(),
            user: opening.user.take(),
            may_report_input: params.may_report_input,
            clock_skew_ms: None,
            visitor: None,
        };
        opening.pending = Some(Pending {
            handshake: Box::new(handshake),
            claim: Claim::of(&params),
            frames: Vec::new(),
        });
        self.outputs
            .push_back(ConnectionOutput::Authenticate(Box::new(params)));
    }

    /// A frame after the handshake: nothing in it closes the connection.
    fn request(&mut self, text: &str) {
        self.outputs.push_back(match Request::parse(text) {
            Err(FrameError::NotJson) => ConnectionOutput::Note("ignored a message that is not JSON"),
            Err(FrameError::Invalid { id, reason }) => {
                let id = id.as_deref().unwrap_or(NO_ID);
                ConnectionOutput::Send(ResponseFrame::error(id, &WireError::invalid_frame(&reason)))
            }
            Ok(Request {
                id,
                call: Ok(Call::Connect),
                ..
            }) => ConnectionOutput::Send(ResponseFrame::error(&id, &WireError::connect_again())),
            Ok(request) => ConnectionOutput::Call(Box::new(request)),
        });
    }

    fn refuse(&mut self, id: &str, refusal: Refusal, clock_skew_ms: Option<i64>) {
        let close = refusal.close();
        let refused = Refused::new(&refusal.error, *refusal.client, clock_skew_ms);
        self.outputs.extend([
            ConnectionOutput::Refused(Box::new(refused)),
            ConnectionOutput::Send(ResponseFrame::error(id, &refusal.error)),
        ]);
        self.close(close);
    }

    fn close(&mut self, frame: CloseFrame) {
        if !matches!(self.phase, Phase::Closed) {
            self.phase = Phase::Closed;
            self.outputs.push_back(ConnectionOutput::Close(frame));
        }
    }
}

#[cfg(test)]
mod tests;
