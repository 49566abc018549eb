//! The task of one connection: reads, waits for room to write, completes the close.

mod alarm;
mod ending;
mod large;
mod read;

use std::ops::ControlFlow;
use std::sync::Arc;

use presence_core::Now;
use presence_core::server::{Connection, ConnectionOutput, Item, LeaveCause};
use presence_core::wire::{CloseFrame, ConnectParams};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio_tungstenite::tungstenite::WebSocket;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tracing::debug;

use self::alarm::Alarm;
use self::large::Unfinished;
use super::peer::Turn;
use super::pool::Share;
use super::record::{End, Record};
use super::socket::Socket;
use super::stream::PeerStream;
use super::{Event, Input, Peer, Shared};
use crate::auth::facts::Facts;
use crate::auth::slots::{LargePlace, Slot};
use crate::auth::tokens::{Closable, Lease, NamedToken};
use crate::tls::{ServerStream, Transport};

/// tungstenite's read buffer, which each connection keeps.
const READ_BUFFER_BYTES: usize = 1024;
/// After a larger message tungstenite's grown buffer is freed.
const KEPT_BYTES: usize = 2 * READ_BUFFER_BYTES;

/// A connection whose upgrade is accepted.
pub(crate) struct Opening {
    /// The socket.
    pub(crate) stream: Transport<ServerStream>,
    /// The answer to the upgrade, not sent yet: it leaves together with the challenge.
    pub(crate) answer: Box<[u8]>,
    /// Bytes that followed the request's head.
    pub(crate) rest: Vec<u8>,
    /// Its slot.
    pub(crate) slot: Slot,
    /// The facts of the request.
    pub(crate) facts: Facts,
    /// When it was accepted, on the age clock.
    pub(crate) accepted_ms: u64,
    /// When the gateway began to wait for the request, on the age clock: the time of its head is part of the
    /// handshake's.
    pub(crate) asked_ms: u64,
    /// The way to the driver.
    pub(crate) driver: mpsc::Sender<Event>,
}

/// One connection, from the upgrade to the end.
pub(crate) struct Session {
    shared: Arc<Shared>,
    peer: Arc<Peer>,
    driver: mpsc::Sender<Event>,
    websocket: WebSocket<PeerStream>,
    machine: Connection,
    slot: Slot,
    /// For the log.
    record: Record,
    /// Inputs for the driver, not sent yet.
    inputs: Vec<Input>,
    /// Until the handshake is done.
    handshake: Option<Box<OpenHandshake>>,
    /// Whole frames may wait in tungstenite's buffer.
    has_unread: bool,
    /// tungstenite's buffer is as large as a message of more than [`KEPT_BYTES`] was.
    has_large_buffer: bool,
    /// A read failed: tungstenite must not read again (after a frame that is too long it panics).
    is_unreadable: bool,
    /// The message of an accepted client that is large and not complete.
    unfinished: Option<Box<Unfinished>>,
    /// The handshake's deadline, the stall's, or that of an incomplete message.
    alarm: Option<Alarm>,
    /// Closes the connection when its named token ends.
    lease: Option<Lease>,
}

struct OpenHandshake {
    facts: Facts,
    /// Control frames so far.
    controls: usize,
    /// The permit for a large message, and when it ends on the age clock.
    place: Option<(LargePlace, u64)>,
    /// The named token that the client presented.
    token: Option<NamedToken>,
}

impl Session {
    /// Boxed: with the box a connection takes 888 bytes, without it 2,688, because a future holds its argument twice.
    pub(crate) fn new(shared: Arc<Shared>, opening: Opening) -> Box<Self> {
        let limits = &shared.limits;
        let peer = Arc::new(Peer::new(
            Socket::new(opening.stream),
            opening.answer,
            limits.buffered_bytes,
            Share::of(&shared.undelivered),
            shared.metrics.clone(),
        ));
        let machine = Connection::new(
            limits,
            uuid::Uuid::new_v4().to_string().into(),
            uuid::Uuid::new_v4().to_string().into(),
            opening.facts.client.ip.map(|ip| ip.to_string().into()),
            Now {
                age_ms: opening.asked_ms,
                ..shared.stated_now()
            },
        )
        .with_user(opening.facts.user.as_deref());
        let max_bytes = machine.max_frame_bytes();
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            // Control frames only, and they are taken over at once.
            .write_buffer_size(0)
            .max_write_buffer_size(1024)
            .max_message_size(Some(max_bytes))
            .max_frame_size(Some(max_bytes));
        let record = Record::new(&opening.facts, opening.accepted_ms);
        let has_unread = !opening.rest.is_empty() || peer.is_encrypted();
        let stream = PeerStream::new(Arc::clone(&peer), opening.rest);
        let websocket = WebSocket::from_raw_socket(stream, Role::Server, Some(config));
        Box::new(Self {
            shared,
            peer,
            driver: opening.driver,
            websocket,
            machine,
            slot: opening.slot,
            record,
            inputs: Vec::new(),
            handshake: Some(Box::new(OpenHandshake {
                facts: opening.facts,
                controls: 0,
                place: None,
                token: None,
            })),
            has_unread,
            has_large_buffer: false,
            is_unreadable: false,
            unfinished: None,
            alarm: None,
            lease: None,
        })
    }

    /// Serves the connection to its end.
    pub(crate) async fn run(mut self: Box<Self>) {
        let end = self.exchange().await;
        self.log_end(end);
        let has_joined = self.handshake.take().is_none();
        if has_joined {
            let cause = match end {
                End::Gone => LeaveCause::PeerClosed,
                End::Closing => LeaveCause::WeClosed,
                End::Stalled => LeaveCause::Silent,
            };
            // Without a driver there is no roster.
            let _ = self
                .driver
                .send(Event::Leave(Arc::clone(&self.peer), cause))
                .await;
        }
        let is_gone = end == End::Gone;
        let mut leave = None;
        if !has_joined && !is_gone {
            // Refused sockets hold no slot; a permit bounds how many get time to read the reason.
            self.slot.release();
            leave = self.shared.parting.leave();
            if leave.is_none() {
                return self.peer.resume(self.shared.clock.now());
            }
        }
        self.finish(is_gone).await;
        drop(leave);
    }

    fn log_end(&self, end: End) {
        let host = self
            .handshake
            .as_ref()
            .and_then(|handshake| handshake.facts.host.as_deref());
        let close = self.peer.close_frame();
        self.record
            .ended(end, self.has_joined(), close.as_ref(), host, &self.shared);
    }

    /// Reads and writes until the connection has to end.
    async fn exchange(&mut self) -> End {
        self.take_outputs();
        self.peer.flush(self.shared.clock.now());
        loop {
            self.set_alarm();
            let flags = (self.has_unread, self.has_joined());
            let turn =
                std::future::poll_fn(|cx| alarm::next_turn(cx, &self.peer, flags, &mut self.alarm)).await;
            let outcome = match turn {
                Some(Turn::Read) => self.read().await,
                Some(Turn::Write) => {
                    self.peer.resume(self.shared.clock.now());
                    ControlFlow::Continue(())
                }
                Some(Turn::Resend(inputs)) => {
                    self.inputs = inputs;
                    self.send_inputs().await
                }
                Some(Turn::Close) => ControlFlow::Break(End::Closing),
                Some(Turn::Broken) => ControlFlow::Break(End::Gone),
                None => self.handle_alarm(),
            };
            if let ControlFlow::Break(end) = outcome {
                return end;
            }
            if self.has_unread {
                // Continues after all ready tasks ran and the runtime polled the sockets.
                tokio::task::yield_now().await;
            }
        }
    }

    /// Finds the evidence for a `connect` request, at the time that the challenge states too.
    fn authenticate(&mut self, params: &ConnectParams) {
        let now = self.shared.stated_now();
        // Busy sockets are not evicted.
        if self.slot.busy(now.age_ms).is_err() {
            self.peer.close(CloseFrame::TOO_MANY_UNAUTHENTICATED);
        } else if let Some(handshake) = &mut self.handshake {
            let challenge = self.machine.challenge();
            let admission = &self.shared.admission;
            let judgement = admission.judge(params, &handshake.facts, challenge, now);
            handshake.token = judgement.token;
            self.machine.handle_evidence(&judgement.evidence, now);
        }
    }

    /// Carries out the outputs of the protocol machine.
    fn take_outputs(&mut self) {
        while let Some(output) = self.machine.poll_output() {
            match output {
                ConnectionOutput::Send(frame) if self.has_joined() => {
                    self.inputs.push(Input::Send(Box::new(frame)));
                }
                ConnectionOutput::Send(frame) => {
                    if self.peer.push(Item::Response(frame)).is_err() {
                        self.peer.close(CloseFrame::SLOW_CONSUMER);
                    }
                }
                ConnectionOutput::Authenticate(params) => self.authenticate(&params),
                ConnectionOutput::Join(handshake) => {
                    let token = self.handshake.as_mut().and_then(|open| open.token.take());
                    if let Err(close) = self.take_lease(token.as_ref()) {
                        return self.refuse_to_read(close);
                    }
                    let name = token.as_ref().map(NamedToken::name);
                    self.record.accepted(&handshake, name, &self.shared);
                    if let Some(metrics) = &self.shared.metrics {
                        let duration_ms = self.record.duration_ms(&self.shared);
                        metrics.handshake.observe(duration_ms.saturating_mul(1_000));
                    }
                    self.inputs.push(Input::Join(handshake));
                    self.joined();
                }
                ConnectionOutput::Call(request) => self.inputs.push(Input::Call(request)),
                ConnectionOutput::Close(close) => self.close(close),
                ConnectionOutput::Refused(refused) => {
                    if refused.clock_skew_ms.is_some() {
                        // For findings only: if the driver's queue is full, it is dropped.
                        let _ = self.driver.try_send(Event::Refused(refused.clone()));
                    }
                    self.record.refused(refused);
                }
                ConnectionOutput::Note(note) => debug!("{note}"),
                _ => debug!("an output that this shell does not know"),
            }
        }
    }

    /// Ties the connection to its named token: it ends with the token.
    ///
    /// # Errors
    /// The close, if the token ended since it was compared.
    fn take_lease(&mut self, token: Option<&NamedToken>) -> Result<(), CloseFrame> {
        if let (Some(tokens), Some(token)) = (&self.shared.config.tokens, token) {
            let peer: Arc<dyn Closable> = self.peer.clone();
            let lease = tokens.lease(token, Arc::downgrade(&peer), self.shared.stated_now())?;
            self.lease = Some(lease);
        }
        Ok(())
    }

    fn has_joined(&self) -> bool {
        self.handshake.is_none()
    }

    fn joined(&mut self) {
        self.alarm = None;
        self.handshake = None;
        self.slot.authenticated();
        self.websocket.get_mut().open_gate();
        let max_bytes = Some(self.machine.max_frame_bytes());
        self.websocket.set_config(|config| {
            config.max_message_size = max_bytes;
            config.max_frame_size = max_bytes;
        });
    }

    /// Closes after all pending output.
    fn close(&mut self, close: CloseFrame) {
        if self.has_joined() {
            self.inputs.push(Input::Close(close));
        } else {
            self.peer.close(close);
        }
    }

    /// Hands the inputs to the driver. Waits while its queue is full; without a driver there is no gateway.
    async fn send_inputs(&mut self) -> ControlFlow<End> {
        self.peer.start_batch();
        let batch = Event::Batch(Arc::clone(&self.peer), std::mem::take(&mut self.inputs));
        let is_sent = match self.driver.try_send(batch) {
            Ok(()) => true,
            Err(TrySendError::Closed(_)) => false,
            // Boxed: unboxed it adds 208 bytes to each idle connection.
            Err(TrySendError::Full(batch)) => Box::pin(self.driver.send(batch)).await.is_ok(),
        };
        if is_sent {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(End::Gone)
        }
    }
}
