//! Which connections the driver writes to in this turn, and which wait.

use std::collections::hash_map::RandomState;

use hashlink::LinkedHashSet;
use presence_core::server::ConnId;

/// Most bytes that a turn writes; the output of its last connection may exceed it.
const TURN_BYTES: usize = 4 * 1024 * 1024;
/// Most connections that a turn writes to.
const TURN_WRITES: usize = 1_024;
/// Most bytes of answers, hellos among them, that a turn writes ahead of what waits.
const ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// The connections with output that is not written yet.
///
/// A list for 1,000 readers takes longer to write than others should wait. So a turn of the driver writes a bounded
/// number of bytes, to a bounded number of connections. The others wait, each with the newest list in its outbox, while
/// the driver handles events and the runtime polls the sockets. Answers do not wait behind lists, unless they are many.
#[derive(Default)]
pub(super) struct Unflushed {
    /// The one that gets output now. Outputs come connection by connection, so its output is complete when another one
    /// gets some.
    current: Option<ConnId>,
    /// Those that wait for a later turn, in order.
    waiting: LinkedHashSet<ConnId, RandomState>,
    /// Bytes that this turn has written.
    bytes: usize,
    /// Connections that this turn has written to.
    writes: usize,
    /// Bytes of the answers that this turn has written ahead.
    answer_bytes: usize,
}

impl Unflushed {
    /// The connection has output. Returns the one before it, unless that has to wait.
    #[must_use]
    pub(super) fn mark(&mut self, conn: ConnId) -> Option<ConnId> {
        if self.current == Some(conn) {
            return None;
        }
        let before = self.complete();
        self.current = Some(conn);
        before
    }

    /// No connection gets more output for now. Returns the last one that did, unless it has to wait.
    #[must_use]
    pub(super) fn complete(&mut self) -> Option<ConnId> {
        let conn = self.current.take()?;
        if !self.is_turn_over() {
            return Some(conn);
        }
        // It keeps its place.
        if !self.waiting.contains(&conn) {
            self.waiting.insert(conn);
        }
        None
    }

    /// Notes that so many bytes were written to a connection.
    pub(super) fn note(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.writes += usize::from(bytes > 0);
    }

    /// Writes answers ahead of the waiting output. After `ANSWER_BYTES` in one turn it writes nothing: the connection is
    /// marked, so a later turn writes its answers. `write` returns the number of bytes that it wrote.
    pub(super) fn write_ahead(&mut self, write: impl FnOnce() -> usize) {
        if self.answer_bytes < ANSWER_BYTES {
            self.answer_bytes = self.answer_bytes.saturating_add(write());
        }
    }

    /// Begins a turn.
    pub(super) fn start_turn(&mut self) {
        (self.bytes, self.writes, self.answer_bytes) = (0, 0, 0);
    }

    /// The next one of those that wait, until the turn is over.
    pub(super) fn next_waiting(&mut self) -> Option<ConnId> {
        if self.is_turn_over() {
            return None;
        }
        self.waiting.pop_front()
    }

    /// Whether any waits for a later turn.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn is_turn_over(&self) -> bool {
        self.bytes >= TURN_BYTES || self.writes >= TURN_WRITES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conn(number: usize) -> ConnId {
        ConnId {
            slot: number as u32,
            serial: number as u64,
        }
    }

    /// Numbers of the connections that are written to at once, when each of `numbers` gets output of `bytes`.
    fn at_once(unflushed: &mut Unflushed, numbers: std::ops::Range<usize>, bytes: usize) -> Vec<usize> {
        let mut written = Vec::new();
        let mut write = |unflushed: &mut Unflushed, conn: Option<ConnId>| {
            if let Some(conn) = conn {
                unflushed.note(bytes);
                written.push(conn.slot as usize);
            }
        };
        for number in numbers {
            let ready = unflushed.mark(conn(number));
            write(unflushed, ready);
        }
        let ready = unflushed.complete();
        write(unflushed, ready);
        written
    }

    /// Numbers of the connections that the next turn writes to.
    fn next_turn(unflushed: &mut Unflushed, bytes: usize) -> Vec<usize> {
        unflushed.start_turn();
        let mut written = Vec::new();
        while let Some(conn) = unflushed.next_waiting() {
            unflushed.note(bytes);
            written.push(conn.slot as usize);
        }
        written
    }

    #[test]
    fn a_turn_writes_a_bounded_number_of_bytes() {
        let mut unflushed = Unflushed::default();
        let bytes = TURN_BYTES / 10 - 1;
        assert_eq!(at_once(&mut unflushed, 0..30, bytes), Vec::from_iter(0..11));
        assert_eq!(next_turn(&mut unflushed, bytes), Vec::from_iter(11..22));
        assert_eq!(next_turn(&mut unflushed, bytes), Vec::from_iter(22..30));
        assert!(!unflushed.has_waiting());
    }

    #[test]
    fn a_turn_writes_to_a_bounded_number_of_connections() {
        let mut unflushed = Unflushed::default();
        let all = TURN_WRITES + 10;
        assert_eq!(at_once(&mut unflushed, 0..all, 1), Vec::from_iter(0..TURN_WRITES));
        assert_eq!(next_turn(&mut unflushed, 1), Vec::from_iter(TURN_WRITES..all));
        // A socket that is full costs nothing.
        assert_eq!(at_once(&mut unflushed, 0..3 * all, 0), Vec::from_iter(0..3 * all));
    }

    #[test]
    fn a_turn_writes_a_bounded_number_of_answers_ahead() {
        let mut unflushed = Unflushed::default();
        unflushed.note(TURN_BYTES);
        let mut answers = 0;
        let mut answer = |unflushed: &mut Unflushed, bytes| {
            unflushed.write_ahead(|| {
                answers += 1;
                bytes
            });
            answers
        };
        assert_eq!(answer(&mut unflushed, ANSWER_BYTES - 1), 1);
        assert_eq!(answer(&mut unflushed, 1), 2);
        assert_eq!(answer(&mut unflushed, 1), 2);
        assert!(at_once(&mut unflushed, 0..1, 1).is_empty());
        unflushed.start_turn();
        assert!(unflushed.has_waiting());
        assert_eq!(answer(&mut unflushed, 1), 3);
    }

    #[test]
    fn a_connection_waits_once_and_keeps_its_place() {
        let mut unflushed = Unflushed::default();
        unflushed.note(TURN_BYTES);
        for _ in 0..3 {
            assert!(at_once(&mut unflushed, 0..5, 1).is_empty());
        }
        assert_eq!(next_turn(&mut unflushed, TURN_BYTES), [0]);
        assert!(at_once(&mut unflushed, 0..2, 1).is_empty());
        assert_eq!(next_turn(&mut unflushed, 1), [1, 2, 3, 4, 0]);
    }
}
