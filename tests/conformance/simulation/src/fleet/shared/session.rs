//! A gateway's session with the store, with the steps of the native shell.

use presence_core::cluster::{ClusterInput, RowChange, TAKEOVER_MS, claim, is_claimed_by};

use super::super::store::{Bucket, Entry, Value};
use super::mail::{Answer, Request, Watched};

/// Time limit for each step, in ms.
const LIMIT_MS: u64 = 5_000;
/// Time limit for the end of the snapshot, in ms.
const SNAPSHOT_MS: u64 = 2_000;
/// How long a dead connection goes unnoticed, in ms: two pings without an answer.
pub(super) const SILENCE_MS: u64 = 12_000;
/// Intervals of retries, in ms: while the store is away, and while another process has the name.
const RETRY_MS: u64 = 500;
const TAKEN_RETRY_MS: u64 = 10_000;

/// The step of a session.
#[derive(Debug)]
enum Step {
    /// There is none; the next one begins then.
    Away {
        until_ms: u64,
    },
    /// Reads the lease under its own name.
    Reading,
    /// Waits whether another process renews that lease.
    Waiting {
        revision: u64,
    },
    /// Reads it again.
    Checking {
        revision: u64,
    },
    Claiming,
    /// Reads what was claimed.
    Confirming,
    Snapshot(Snapshot),
    Serving {
        /// Rows whose writes are not acknowledged.
        unwritten: usize,
        /// The lease that is written after them.
        lease: Option<String>,
        is_writing: bool,
    },
}

/// Ages of entries of the snapshot. Later entries are new.
#[derive(Clone, Copy, Debug, Default)]
struct Ages {
    /// The clock of the store when this session read it, and its own clock then.
    claimed_ms: u64,
    at_ms: u64,
    /// The last revisions before the watches began: of rows, of leases.
    ends: Option<(u64, u64)>,
}

/// Entries of both watches before the snapshot was complete.
#[derive(Debug, Default)]
struct Snapshot {
    rows: Vec<ClusterInput>,
    leases: Vec<ClusterInput>,
    are_rows_complete: bool,
    are_leases_complete: bool,
    /// Later entries.
    later: Vec<ClusterInput>,
}

/// An output of a session.
#[derive(Debug)]
pub(super) enum Effect {
    Send(Request),
    Hand(Vec<ClusterInput>),
    /// Ends it: the gateway is notified, and messages in flight are dropped.
    End,
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) name: String,
    pub(super) boot: String,
    /// Counts the connections of this gateway.
    pub(super) number: u64,
    step: Step,
    ages: Ages,
    /// The number of entries from the watches.
    entries: u64,
    /// The deadline of the step.
    deadline_ms: Option<u64>,
    pub(super) effects: Vec<Effect>,
}

impl Session {
    pub(super) fn new(name: String, boot: String, number: u64, now_ms: u64) -> Self {
        Self {
            name,
            boot,
            number,
            step: Step::Away { until_ms: now_ms },
            ages: Ages::default(),
            entries: 0,
            deadline_ms: None,
            effects: Vec::new(),
        }
    }

    pub(super) fn due_ms(&self) -> Option<u64> {
        match &self.step {
            Step::Away { until_ms } => Some(*until_ms),
            _ => self.deadline_ms,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        !matches!(self.step, Step::Away { .. })
    }

    /// Handles the deadline.
    pub(super) fn handle_timeout(&mut self, now_ms: u64) {
        if self.due_ms().is_none_or(|due_ms| due_ms > now_ms) {
            return;
        }
        match &mut self.step {
            Step::Away { .. } => {
                self.number += 1;
                self.go(Step::Reading, now_ms);
                self.effects.push(Effect::Send(Request::ReadLease));
            }
            Step::Waiting { revision } => {
                let step = Step::Checking { revision: *revision };
                self.go(step, now_ms);
                self.effects.push(Effect::Send(Request::ReadLease));
            }
            // The end of the snapshot is not visible.
            Step::Snapshot(snapshot) if self.ages.ends.is_some() => {
                (snapshot.are_rows_complete, snapshot.are_leases_complete) = (true, true);
                self.finish_snapshot();
            }
            _ => self.end(RETRY_MS, now_ms),
        }
    }

    /// Handles a connection that is lost, or has to be closed.
    pub(super) fn lose(&mut self, now_ms: u64) {
        if self.is_open() {
            self.end(RETRY_MS, now_ms);
        }
    }

    /// Begins a new session, which reads all entries again.
    pub(super) fn restart(&mut self, now_ms: u64) {
        self.end(0, now_ms);
    }

    pub(super) fn name_taken(&mut self, now_ms: u64) {
        self.end(TAKEN_RETRY_MS, now_ms);
    }

    /// Writes a batch of the gateway: rows, then the lease.
    pub(super) fn write(&mut self, rows: Vec<(u64, Option<String>)>, lease: Option<String>, now_ms: u64) {
        let unwritten = rows.len();
        for (number, value) in rows {
            let key = format!("{}.{number}", self.name);
            let value = value.map_or(Value::Deleted, |value| Value::Put(value.into_bytes()));
            self.effects
                .push(Effect::Send(Request::Write(Bucket::Rows, key, value)));
        }
        self.step = Step::Serving {
            unwritten,
            lease,
            is_writing: true,
        };
        self.deadline_ms = Some(now_ms + LIMIT_MS);
        self.write_lease();
    }

    pub(super) fn handle(&mut self, answer: Answer, now_ms: u64) {
        match answer {
            Answer::Closed => self.lose(now_ms),
            Answer::Lease(entry) => self.handle_lease(entry.as_ref(), now_ms),
            Answer::Claimed(is_claimed) => {
                if let Step::Claiming = self.step {
                    if is_claimed {
                        self.go(Step::Confirming, now_ms);
                        self.effects.push(Effect::Send(Request::ReadLease));
                    } else {
                        self.name_taken(now_ms);
                    }
                }
            }
            Answer::Watching { rows, leases } => {
                if let Step::Snapshot(snapshot) = &mut self.step {
                    self.ages.ends = Some((rows, leases));
                    snapshot.are_rows_complete |= rows == 0;
                    snapshot.are_leases_complete |= leases == 0;
                    self.deadline_ms = Some(now_ms + SNAPSHOT_MS);
                    self.finish_snapshot();
                }
            }
            Answer::Entry(watched) => self.handle_entry(&watched, now_ms),
            Answer::Written => {
                if let Step::Serving { unwritten, .. } = &mut self.step {
                    // A repeated answer counts as the next one: then the lease is written early.
                    *unwritten = unwritten.saturating_sub(1);
                    self.write_lease();
                }
            }
        }
    }

    fn handle_lease(&mut self, entry: Option<&Entry>, now_ms: u64) {
        let put = entry.and_then(|entry| match &entry.value {
            Value::Put(value) => Some((entry, value)),
            _ => None,
        });
        let other = put.filter(|(_, value)| !is_claimed_by(value, &self.boot));
        match (&self.step, other) {
            (Step::Reading, Some((entry, _))) => {
                let revision = entry.revision;
                self.step = Step::Waiting { revision };
                self.deadline_ms = Some(now_ms + TAKEOVER_MS);
            }
            (Step::Checking { revision }, Some((entry, _))) if entry.revision != *revision => {
                self.name_taken(now_ms);
            }
            (Step::Reading | Step::Checking { .. }, _) => {
                self.go(Step::Claiming, now_ms);
                self.effects.push(Effect::Hand(vec![ClusterInput::Joining]));
                let value = claim(&self.boot).into_bytes();
                let expected = entry.map(|entry| entry.revision);
                self.effects
                    .push(Effect::Send(Request::Claim { expected, value }));
            }
            (Step::Confirming, Some(_)) => self.name_taken(now_ms),
            (Step::Confirming, None) => match put {
                Some((entry, _)) => {
                    self.ages = Ages {
                        claimed_ms: entry.written_ms,
                        at_ms: now_ms,
                        ends: None,
                    };
                    self.entries = 0;
                    self.go(Step::Snapshot(Snapshot::default()), now_ms);
                    self.effects.push(Effect::Send(Request::Watch));
                }
                None => self.restart(now_ms),
            },
            _ => {}
        }
    }

    fn handle_entry(&mut self, Watched { entry, number, rest }: &Watched, now_ms: u64) {
        if *number > self.entries {
            return self.lose(now_ms);
        }
        self.entries = self.entries.max(number + 1);
        let input = input(entry, self.ages.of(entry, now_ms)).into_iter();
        match &mut self.step {
            Step::Snapshot(snapshot) => {
                let is_end = self
                    .ages
                    .end(entry.bucket)
                    .is_some_and(|end| entry.revision >= end);
                snapshot.take(entry.bucket, input, *rest == Some(0) || is_end);
                self.finish_snapshot();
            }
            Step::Serving { .. } => self.effects.push(Effect::Hand(input.collect())),
            _ => {}
        }
    }

    /// Hands the snapshot over, if it is complete.
    fn finish_snapshot(&mut self) {
        let Step::Snapshot(snapshot) = &mut self.step else {
            return;
        };
        if !snapshot.are_rows_complete || !snapshot.are_leases_complete {
            return;
        }
        let mut inputs = std::mem::take(&mut snapshot.rows);
        inputs.append(&mut snapshot.leases);
        inputs.push(ClusterInput::Settled);
        let later = std::mem::take(&mut snapshot.later);
        self.effects.push(Effect::Hand(inputs));
        self.effects.push(Effect::Hand(later));
        self.step = Step::Serving {
            unwritten: 0,
            lease: None,
            is_writing: false,
        };
        self.deadline_ms = None;
    }

    /// Writes the lease once the rows are written, and reports the end of both.
    fn write_lease(&mut self) {
        let Step::Serving {
            unwritten,
            lease,
            is_writing,
        } = &mut self.step
        else {
            return;
        };
        if *unwritten > 0 || !*is_writing {
            return;
        }
        if let Some(lease) = lease.take() {
            *unwritten = 1;
            let request = Request::Write(Bucket::Leases, self.name.clone(), Value::Put(lease.into_bytes()));
            self.effects.push(Effect::Send(request));
        } else {
            *is_writing = false;
            self.deadline_ms = None;
            self.effects.push(Effect::Hand(vec![ClusterInput::Written]));
        }
    }

    fn go(&mut self, step: Step, now_ms: u64) {
        self.step = step;
        self.deadline_ms = Some(now_ms + LIMIT_MS);
    }

    fn end(&mut self, retry_ms: u64, now_ms: u64) {
        self.step = Step::Away {
            until_ms: now_ms + retry_ms,
        };
        self.deadline_ms = None;
        self.effects.push(Effect::End);
    }
}

impl Ages {
    fn end(&self, bucket: Bucket) -> Option<u64> {
        let (rows, leases) = self.ends?;
        Some(if bucket == Bucket::Rows { rows } else { leases })
    }

    fn of(&self, entry: &Entry, now_ms: u64) -> u64 {
        if self.end(entry.bucket).is_some_and(|end| entry.revision > end) {
            return 0;
        }
        let server_ms = self.claimed_ms + (now_ms - self.at_ms);
        server_ms.saturating_sub(entry.written_ms)
    }
}

impl Snapshot {
    fn take(&mut self, bucket: Bucket, input: impl Iterator<Item = ClusterInput>, is_end: bool) {
        let (inputs, is_complete) = match bucket {
            Bucket::Rows => (&mut self.rows, &mut self.are_rows_complete),
            Bucket::Leases => (&mut self.leases, &mut self.are_leases_complete),
        };
        if *is_complete {
            self.later.extend(input);
        } else {
            inputs.extend(input);
            *is_complete = is_end;
        }
    }
}

/// The input for an entry.
fn input(entry: &Entry, age_ms: u64) -> Option<ClusterInput> {
    if entry.bucket == Bucket::Leases {
        let value = match &entry.value {
            Value::Put(value) => Some(value.clone()),
            Value::Deleted => None,
            Value::Expired => return None,
        };
        return Some(ClusterInput::Lease {
            gateway: entry.key.as_str().into(),
            age_ms,
            value,
        });
    }
    let (gateway, number) = entry.key.split_once('.')?;
    Some(ClusterInput::Row {
        gateway: gateway.into(),
        number: number.parse().unwrap(),
        age_ms,
        change: match &entry.value {
            Value::Put(value) => RowChange::Put(value.clone()),
            Value::Deleted => RowChange::Deleted,
            Value::Expired => RowChange::Expired,
        },
    })
}
