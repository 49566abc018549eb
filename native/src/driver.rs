//! The one task that owns the hub. It receives [`Event`]s and sends the hub's outputs to the sockets.

#[cfg(feature = "cluster")]
mod cluster;
mod history;
mod http;
mod joins;
mod lines;
mod meter;
mod output;
mod unflushed;
mod webhook;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use meter::Meter;
use presence_core::Now;
use presence_core::roster::{Disputes, Evictions};
use presence_core::server::{ConnId, Hub, Item};
use tokio::sync::mpsc;
use tracing::info;
use unflushed::Unflushed;

use crate::clock::Clock;
use crate::conn::{Event, Input, Peer, Subscription};
use crate::log::OncePerMinute;
use crate::metrics::{Class, Leave};
use crate::recording::{Raw, Tap};

/// Length of the driver's turn before other tasks run, in ms.
const TURN_MS: u64 = 5;
/// Inputs of a batch between two looks at the clock.
const INPUTS_PER_LOOK: usize = 16;

/// The hub with the sockets of its connections.
pub(crate) struct Driver {
    hub: Hub,
    clock: Clock,
    events: mpsc::Receiver<Event>,
    /// By the slot of their [`ConnId`].
    peers: Vec<Option<(ConnId, Arc<Peer>)>>,
    /// The streams of plain HTTP.
    streams: HashMap<ConnId, Arc<Subscription>>,
    unflushed: Unflushed,
    /// How far the roster's wall clock is ahead of the age clock; read by connections.
    stated_offset_ms: Arc<AtomicU64>,
    /// Bounds the lines about evicted rows.
    eviction_lines: OncePerMinute,
    /// The evictions logged so far.
    logged_evictions: Evictions,
    /// Bounds the lines about ids of other devices.
    dispute_lines: OncePerMinute,
    /// The disputes logged so far.
    logged_disputes: Disputes,
    /// The recording, if there is one.
    tap: Option<Tap>,
    /// The counts for metrics, if they are on.
    meter: Option<Box<Meter>>,
    #[cfg(feature = "cluster")]
    fleet: Option<cluster::Fleet>,
    webhook: webhook::Webhook,
    /// Last, because its drop waits until everything is written.
    history: history::History,
}

/// Whether a turn that began at `began_ms` is over.
fn is_over(began_ms: u64, now: Now) -> bool {
    now.age_ms.saturating_sub(began_ms) >= TURN_MS
}

impl Driver {
    pub(crate) fn new(hub: Hub, clock: Clock, events: mpsc::Receiver<Event>, tap: Option<Tap>) -> Self {
        let driver = Self {
            hub,
            clock,
            events,
            peers: Vec::new(),
            streams: HashMap::new(),
            unflushed: Unflushed::default(),
            stated_offset_ms: Arc::default(),
            eviction_lines: OncePerMinute::default(),
            logged_evictions: Evictions::default(),
            dispute_lines: OncePerMinute::default(),
            logged_disputes: Disputes::default(),
            tap,
            meter: None,
            #[cfg(feature = "cluster")]
            fleet: None,
            webhook: webhook::Webhook::default(),
            history: history::History::default(),
        };
        driver.publish_offset(driver.clock.now());
        driver
    }

    #[cfg(not(feature = "cluster"))]
    fn deadline(&self) -> Option<u64> {
        self.hub.poll_timeout()
    }

    #[cfg(not(feature = "cluster"))]
    #[expect(clippy::unused_self, reason = "as where there are fleets")]
    fn drive_fleet(&self, _: Now) {}

    /// The offset from `Now::age_ms` to the wall clock that the gateway states, in ms; wraps. It changes only when the
    /// roster follows a step of the wall clock.
    pub(crate) fn stated_offset_ms(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.stated_offset_ms)
    }

    fn publish_offset(&self, now: Now) {
        let offset = self.hub.server_wall_ms(now).wrapping_sub(now.age_ms);
        self.stated_offset_ms.store(offset, Ordering::Relaxed);
    }

    /// Runs until all senders of events are gone.
    pub(crate) async fn run(mut self) {
        let mut turn_began_ms = self.clock.now().age_ms;
        loop {
            let has_waiting = self.unflushed.has_waiting();
            let followers = [self.history_deadline(), self.webhook_deadline()];
            let deadline = self
                .deadline()
                .into_iter()
                .chain(followers.into_iter().flatten())
                .min();
            let event = tokio::select! {
                biased;
                event = self.events.recv() => Some(event),
                () = self.clock.wait(deadline) => None,
                () = meter::is_scraped(self.meter.as_deref()) => None,
                // What waits is written in the next turn, which begins when no event waits, or when this one is over.
                () = std::future::ready(()), if has_waiting => None,
            };
            let is_idle = event.is_none();
            let now = self.clock.now();
            self.start_metering(now);
            // Deadlines are compared with the clock, and a flood of events must not delay them.
            if self
                .hub
                .poll_timeout()
                .is_some_and(|deadline| deadline <= now.age_ms)
            {
                if self.hub.was_suspended(now) {
                    self.record(now, || Some(Raw::Wake));
                }
                self.hub.handle_timeout(now);
                self.execute(now);
            }
            match event {
                Some(Some(event)) => self.handle_all(event, now),
                Some(None) => return,
                None => {}
            }
            self.drive_fleet(now);
            self.write_history(now);
            self.report_visits(now);
            self.publish_offset(now);
            self.flush(now);
            self.log_evictions(now);
            self.log_disputes(now);
            self.finish_metering(now);
            self.report_sending();
            if is_over(turn_began_ms, now) || (is_idle && has_waiting) {
                tokio::task::yield_now().await;
                self.flush_waiting(self.clock.now());
                self.report_sending();
                turn_began_ms = self.clock.now().age_ms;
            }
        }
    }

    /// Handles the event, and carries out what follows from it.
    fn handle(&mut self, event: Event, now: Now) {
        match event {
            Event::Batch(peer, inputs) => self.handle_batch(&peer, inputs, now),
            Event::Leave(peer, cause) => {
                if let Some(conn) = peer.conn() {
                    let reason = Leave::noticed(cause, peer.close_frame().as_ref());
                    self.leave(conn, cause, reason, now);
                }
            }
            Event::Refused(refused) => {
                self.hub.refused(&refused, now);
                self.record(now, || Some(Raw::Refused(refused)));
            }
            Event::Answer(conn, frame) => {
                self.answer_history(conn, *frame, now);
                if let Some(peer) = self.peer(conn) {
                    self.flush_answers(&peer, now);
                }
            }
            Event::Source(source, update, _taken) => self.hub.apply(source, update, now),
            #[cfg(feature = "cluster")]
            Event::Cluster(inputs, _taken) => self.handle_fleet(inputs, now),
            Event::Unsubscribe(stream) => self.unsubscribe(&stream, now),
            Event::Http(call, answer) => {
                // The client may be gone.
                let _ = answer.send(self.answer_http(call, now));
            }
            Event::Shutdown(reason) => {
                info!(
                    connections = self.hub.connections(),
                    rows = self.hub.rows(),
                    "stopping"
                );
                self.record(now, || Some(Raw::Shutdown));
                self.end_history(now);
                self.end_webhook(now);
                self.hub.shutdown(reason, now);
            }
            Event::Settle(done) => {
                self.flush_all(now);
                // The receiver may be gone.
                let _ = done.send(self.hub.poll_timeout());
            }
        }
        self.execute(now);
    }

    /// Inputs beyond a turn, or without room for their responses, go back to the connection, which sends them again.
    fn handle_batch(&mut self, peer: &Arc<Peer>, inputs: Vec<Input>, now: Now) {
        let mut inputs = inputs.into_iter();
        let mut count = 0_usize;
        for input in inputs.by_ref() {
            let is_heavy = input.is_slow();
            if !self.handle_input(peer, input, now) {
                break;
            }
            count += 1;
            if (is_heavy || count.is_multiple_of(INPUTS_PER_LOOK)) && is_over(now.age_ms, self.clock.now()) {
                break;
            }
            if peer.is_backed_up() {
                self.flush_answers(peer, now);
                if peer.is_backed_up() {
                    break;
                }
            }
        }
        self.flush_answers(peer, now);
        peer.finish_batch(inputs.collect());
    }

    /// Returns whether the connection still exists.
    fn handle_input(&mut self, peer: &Arc<Peer>, input: Input, now: Now) -> bool {
        if let Input::Join(handshake) = input {
            let recorded = self.tap.as_ref().map(|_| handshake.clone());
            let class = self.classes(std::slice::from_ref(&*handshake)).pop();
            let conn = self.hub.join(*handshake, now);
            self.record(now, || {
                recorded.map(|handshake| Raw::Join(conn.serial, handshake))
            });
            self.add(conn, peer, class);
            self.execute(now);
            return true;
        }
        let Some(conn) = peer.conn().filter(|conn| self.peer(*conn).is_some()) else {
            return false;
        };
        match input {
            Input::Join(_) => {}
            Input::Call(request) => {
                self.hub.call(conn, &request, now);
                self.record(now, || Raw::call(conn.serial, request));
            }
            Input::Send(frame) => self.send(conn, Item::Response(*frame), now),
            Input::Pong => {
                self.record(now, || Some(Raw::Pong(conn.serial)));
                self.hub.pong(conn, now);
            }
            Input::Close(close) => self.send(conn, Item::Close(close), now),
        }
        self.execute(now);
        self.peer(conn).is_some()
    }

    /// Records the input, if anything is recorded.
    fn record(&mut self, now: Now, input: impl FnOnce() -> Option<Raw>) {
        if let Some(tap) = &mut self.tap
            && let Some(input) = input()
        {
            tap.record(input, now);
        }
    }

    /// Adds the connection's peer.
    fn add(&mut self, conn: ConnId, peer: &Arc<Peer>, class: Option<Class>) {
        let slot = conn.slot as usize;
        if self.peers.len() <= slot {
            self.peers.resize_with(slot + 1, || None);
        }
        self.peers[slot] = Some((conn, Arc::clone(peer)));
        peer.joined(conn);
        self.note_join(conn, class);
    }

    fn peer(&self, conn: ConnId) -> Option<Arc<Peer>> {
        let (id, peer) = self.peers.get(conn.slot as usize)?.as_ref()?;
        (*id == conn).then(|| Arc::clone(peer))
    }
}
