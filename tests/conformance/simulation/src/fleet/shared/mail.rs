//! Messages under way between gateways and the store.

use std::collections::BTreeMap;

use super::super::store::{Bucket, Entry, Value};
use crate::Rng;

/// A gateway's request to the store.
#[derive(Clone, Debug)]
pub(super) enum Request {
    /// The lease under its own name.
    ReadLease,
    /// Writes that lease, if its revision is still this one.
    Claim {
        expected: Option<u64>,
        value: Vec<u8>,
    },
    /// Both buckets, and all changes from now on.
    Watch,
    Write(Bucket, String, Value),
}

/// A message of the store to a gateway.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Lease(Option<Entry>),
    Claimed(bool),
    /// The watches begin; the last revisions of both buckets.
    Watching {
        rows: u64,
        leases: u64,
    },
    /// An entry of a watch.
    Entry(Watched),
    Written,
    /// The connection is closed.
    Closed,
}

/// An entry of a watch.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    pub(super) entry: Entry,
    /// Counts the entries of the session: watches notice what is lost.
    pub(super) number: u64,
    /// How many entries of the snapshot follow.
    pub(super) rest: Option<usize>,
}

/// A message to the store, or from it.
#[derive(Clone, Debug)]
pub(super) enum Message {
    Request(Request),
    Answer(Answer),
}

/// A message on the connection of a gateway with that number.
#[derive(Clone, Debug)]
pub(super) struct Mail {
    pub(super) gateway: usize,
    pub(super) session: u64,
    pub(super) message: Message,
}

/// The state of a gateway's link to the store.
#[derive(Clone, Debug, Default)]
pub(super) struct Road {
    /// Nothing passes to the store, or from it.
    pub(super) is_cut: (bool, bool),
    /// Since when a direction is cut.
    pub(super) cut_ms: Option<u64>,
    /// Messages are held until then.
    pub(super) held_ms: u64,
    /// The longest time that a message takes, in ms.
    pub(super) delay_ms: u64,
    /// How many of a hundred messages are lost, or arrive twice.
    pub(super) lost: u64,
    pub(super) twice: u64,
    /// Writes overtake each other.
    pub(super) is_mixed: bool,
    /// When the last message of each direction arrives.
    last_ms: [u64; 2],
}

/// All messages under way, by the time of their arrival.
#[derive(Debug, Default)]
pub(super) struct Post {
    under_way: BTreeMap<(u64, u64), Mail>,
    sent: u64,
}

impl Post {
    pub(super) fn next_due_ms(&self) -> Option<u64> {
        self.under_way.first_key_value().map(|(&(at_ms, _), _)| at_ms)
    }

    /// The next message that has arrived.
    pub(super) fn take(&mut self, now_ms: u64) -> Option<Mail> {
        let first = self.under_way.first_entry()?;
        (first.key().0 <= now_ms).then(|| first.remove())
    }

    pub(super) fn send(&mut self, mail: &Mail, road: &mut Road, rng: &mut Rng, now_ms: u64) {
        let (is_cut, direction, may_mix) = match &mail.message {
            Message::Request(request) => (road.is_cut.0, 0, matches!(request, Request::Write(..))),
            Message::Answer(_) => (road.is_cut.1, 1, false),
        };
        if is_cut || rng.chance(road.lost) {
            return;
        }
        let copies = if rng.chance(road.twice) { 2 } else { 1 };
        for _ in 0..copies {
            let mut at_ms = now_ms.max(road.held_ms) + rng.within(0..=road.delay_ms);
            if !(road.is_mixed && may_mix) {
                at_ms = at_ms.max(road.last_ms[direction]);
                road.last_ms[direction] = at_ms;
            }
            self.sent += 1;
            self.under_way.insert((at_ms, self.sent), mail.clone());
        }
    }
}
