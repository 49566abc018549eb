//! A socket of a world: both ends, and what is under way between them.

use std::collections::VecDeque;

use presence_core::Now;
use presence_core::server::{ConnId, Connection, Item, Outbox, Outgoing};
use presence_core::wire::Limits;

/// How fast a line is, in ms. Frames keep their order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    /// How long each frame to the client takes; the next one is only taken out of the outbox then.
    pub frame_ms: u64,
    /// How long a frame to the gateway is under way.
    pub delay_ms: u64,
}

/// The fate of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It never arrives.
    Lost,
    /// It arrives twice.
    Twice,
}

#[derive(Debug)]
pub(super) struct Line {
    pub(super) peer: usize,
    pub(super) socket: u64,
    pub(super) connection: Connection,
    pub(super) conn: Option<ConnId>,
    pub(super) outbox: Outbox,
    pub(super) pace: Pace,
    to_client: VecDeque<(u64, ToClient)>,
    to_gateway: VecDeque<(u64, ToGateway)>,
    /// When the line can take the next frame to the client.
    free_ms: u64,
    /// Nothing passes any more, in either direction, without a notification.
    pub(super) is_cut: bool,
    /// Until when nothing passes in either direction; it arrives afterwards.
    pub(super) held_ms: u64,
    /// The fate of the next frame to the client that holds this text.
    pub(super) to_client_fault: Option<(&'static str, Fault)>,
    /// The fate of the next frame to the gateway that holds this text.
    pub(super) to_gateway_fault: Option<(&'static str, Fault)>,
    /// The gateway is done with it.
    pub(super) is_over: bool,
    /// The client's end is gone.
    pub(super) is_deaf: bool,
}

#[derive(Clone, Debug)]
pub(super) enum ToClient {
    Open,
    Text(String),
    Close(u16, String),
}

#[derive(Clone, Debug)]
pub(super) enum ToGateway {
    Text(String),
    Close,
}

impl Line {
    pub(super) fn new(peer: usize, socket: u64, number: u64, pace: Pace, is_up: bool, now: Now) -> Self {
        let limits = Limits::default();
        let (conn_id, nonce) = (format!("c-{number}").into(), format!("n-{number}").into());
        let mut line = Self {
            peer,
            socket,
            connection: Connection::new(&limits, conn_id, nonce, Some("192.0.2.7".into()), now),
            conn: None,
            outbox: Outbox::new(limits.buffered_bytes),
            pace,
            to_client: VecDeque::new(),
            to_gateway: VecDeque::new(),
            free_ms: 0,
            is_cut: false,
            held_ms: 0,
            to_client_fault: None,
            to_gateway_fault: None,
            is_over: !is_up,
            is_deaf: false,
        };
        if is_up {
            line.tell_client(ToClient::Open, now);
        } else {
            line.fail(now);
        }
        line
    }

    /// The socket fails, and both ends are notified.
    pub(super) fn fail(&mut self, now: Now) {
        self.tell_client(ToClient::Close(1006, String::new()), now);
    }

    pub(super) fn push(&mut self, item: Item) {
        self.outbox.push(item).unwrap();
    }

    pub(super) fn tell_gateway(&mut self, message: ToGateway, now: Now) {
        let at_ms = now.age_ms + self.pace.delay_ms;
        let copies = match &message {
            ToGateway::Text(text) => copies(&mut self.to_gateway_fault, text),
            ToGateway::Close => 1,
        };
        self.to_gateway
            .extend(core::iter::repeat_n((at_ms, message), copies));
    }

    fn tell_client(&mut self, message: ToClient, now: Now) {
        self.to_client.push_back((now.age_ms.max(self.free_ms), message));
    }

    /// Takes frames that the line can carry out of the outbox; returns whether there were any.
    pub(super) fn take(&mut self, now: Now) -> bool {
        let mut moved = false;
        while self.free_ms <= now.age_ms
            && let Some(outgoing) = self.outbox.pop()
        {
            moved = true;
            self.free_ms = now.age_ms + self.pace.frame_ms;
            match outgoing {
                Outgoing::Close(close) => {
                    self.tell_client(ToClient::Close(close.code, close.reason.into()), now);
                }
                text => {
                    let text = text.to_string();
                    for _ in 0..copies(&mut self.to_client_fault, &text) {
                        self.tell_client(ToClient::Text(text.clone()), now);
                    }
                }
            }
        }
        moved
    }

    pub(super) fn at_client(&mut self, now: Now) -> Option<ToClient> {
        arrived(&mut self.to_client, self.held_ms, now)
    }

    pub(super) fn at_gateway(&mut self, now: Now) -> Option<ToGateway> {
        arrived(&mut self.to_gateway, self.held_ms, now)
    }

    /// When something arrives next; what waits for an end that sleeps does not count.
    pub(super) fn due_ms(&self, client_sleeps: bool, gateway_sleeps: bool) -> Option<u64> {
        let machine_ms = self.connection.poll_timeout().filter(|_| !self.is_over);
        let leaves_ms = (!self.outbox.is_empty()).then_some(self.free_ms);
        let arrives_ms = self
            .to_client
            .front()
            .filter(|_| !client_sleeps)
            .map(|(at_ms, _)| self.held_ms.max(*at_ms));
        let arrived_ms = self.to_gateway.front().map(|(at_ms, _)| self.held_ms.max(*at_ms));
        let of_gateway = [machine_ms, leaves_ms, arrived_ms];
        let of_gateway = of_gateway.into_iter().flatten().filter(|_| !gateway_sleeps);
        of_gateway.chain(arrives_ms).min()
    }

    /// Whether the gateway has closed it and nothing is under way.
    pub(super) fn is_spent(&self) -> bool {
        // A dead line stays until its gateway closes it for silence.
        let is_closed = self.is_over && self.conn.is_none();
        is_closed && self.outbox.is_empty() && self.to_client.is_empty() && self.to_gateway.is_empty()
    }
}

/// How often that text arrives; a fault hits one frame.
fn copies(fault: &mut Option<(&'static str, Fault)>, text: &str) -> usize {
    match fault.take_if(|(part, _)| text.contains(*part)) {
        Some((_, Fault::Lost)) => 0,
        Some((_, Fault::Twice)) => 2,
        None => 1,
    }
}

fn arrived<T>(queue: &mut VecDeque<(u64, T)>, held_ms: u64, now: Now) -> Option<T> {
    let is_there = queue
        .front()
        .is_some_and(|(at_ms, _)| held_ms.max(*at_ms) <= now.age_ms);
    is_there
        .then(|| queue.pop_front())
        .flatten()
        .map(|(_, message)| message)
}
