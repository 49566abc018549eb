//! Presence is state: changes within a window are sent together, no client is sent a version that it has, and
//! the last state reaches everybody (SPEC 2, "Coalescing").
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod reader;
mod simulation;

use std::collections::BTreeMap;

use presence_conformance::virtual_hub::{START, config, handshake};
use presence_core::model::SharedText;
use presence_core::server::{ConnId, Hub, HubOutput};
use presence_core::{Now, PresenceEntry};

use crate::reader::Reader;

struct Hall {
    hub: Hub,
    now: Now,
    readers: BTreeMap<ConnId, Reader>,
    joined: u64,
}

impl Hall {
    fn new(max_entries: usize, window_ms: u64) -> Self {
        Self {
            hub: Hub::new(config(300_000, max_entries, window_ms), START),
            now: START,
            readers: BTreeMap::new(),
            joined: 0,
        }
    }

    /// Goes to `at_ms` after the start; timers on the way fire when they are due.
    fn go_to(&mut self, at_ms: u64) {
        let at_ms = START.age_ms + at_ms;
        while let Some(due) = self.hub.poll_timeout().filter(|&due| due <= at_ms) {
            self.now = self.now.after(due.saturating_sub(self.now.age_ms));
            self.hub.handle_timeout(self.now);
            self.deliver();
            let due = self.hub.poll_timeout();
            assert!(
                due.is_none_or(|due| due > self.now.age_ms),
                "something due was left undone"
            );
        }
        self.now = self.now.after(at_ms - self.now.age_ms);
    }

    fn join(&mut self) -> ConnId {
        self.joined += 1;
        let instance = format!("client-{}", self.joined);
        let conn = self.hub.join(
            handshake(&instance, "ui", &["operator.read"], self.joined),
            self.now,
        );
        self.readers.insert(conn, Reader::default());
        self.deliver();
        let reader = &self.readers[&conn];
        assert!(
            reader.list.contains(&format!(r#""instanceId":"{instance}""#)),
            "hello lacks {instance}"
        );
        assert_eq!(reader.version, self.hub.version());
        conn
    }

    fn deliver(&mut self) {
        while let Some(output) = self.hub.poll_output() {
            match output {
                HubOutput::Send(conn, item) => {
                    let reader = self.readers.get_mut(&conn).unwrap();
                    reader.send(item);
                    reader.receive(usize::MAX);
                }
                other => panic!("{other:?} within a second"),
            }
        }
    }

    fn check_all_are_current(&mut self) {
        let list = without_self_time(self.hub.list(self.now));
        let mut checked: Option<SharedText> = None;
        for (conn, reader) in &self.readers {
            assert_eq!(reader.version, self.hub.version(), "{conn:?} has an old version");
            if checked.as_ref() != Some(&reader.list) {
                assert_eq!(
                    without_self_time(reader.entries()),
                    list,
                    "{conn:?} has another list"
                );
                checked = Some(reader.list.clone());
            }
        }
    }
}

/// Self is touched by every list request.
fn without_self_time(mut list: Vec<PresenceEntry>) -> Vec<PresenceEntry> {
    list[0].ts = 0;
    list
}

#[test]
fn a_thousand_connects_in_900_ms_are_twenty_broadcasts() {
    // With room for all of them, and with the usual cap, where each newcomer takes another's place.
    for max_entries in [1_001, 200] {
        let mut hall = Hall::new(max_entries, 50);
        for n in 0..1_000 {
            hall.go_to(n * 900 / 1_000);
            hall.join();
        }
        hall.go_to(2_000);
        assert_eq!(hall.hub.rows(), max_entries);
        for (conn, reader) in &hall.readers {
            assert!(
                reader.events.len() <= 20,
                "{conn:?} received {} presence frames",
                reader.events.len()
            );
        }
        let most = hall.readers.values().map(|reader| reader.events.len()).max();
        assert!(
            most >= Some(18),
            "the first of them heard of every window, not {most:?} times"
        );
        hall.check_all_are_current();
    }
}

#[test]
fn a_window_opens_with_a_change_and_ends_with_one_broadcast() {
    let mut hall = Hall::new(200, 50);
    let reader = hall.join();
    let mut heard = Vec::new();
    for at_ms in [1_000, 1_010, 1_020, 1_049, 1_061, 1_090, 1_200, 1_300, 1_301] {
        hall.go_to(at_ms);
        hall.join();
        heard.push(hall.readers[&reader].events.len());
    }
    // At once at 1000; 1010 to 1049 at 1050; 1061 and 1090 at 1100; at once at 1200 and 1300.
    assert_eq!(heard, [1, 1, 1, 1, 2, 2, 4, 5, 5]);
    hall.go_to(1_350);
    assert_eq!(hall.readers[&reader].events, [3, 6, 8, 9, 10, 11]);
    hall.check_all_are_current();
}

#[test]
fn without_a_window_every_change_goes_at_once() {
    let mut hall = Hall::new(200, 0);
    let reader = hall.join();
    for n in 0..50 {
        // Several in one millisecond too.
        hall.go_to(n / 3);
        hall.join();
        assert_eq!(hall.readers[&reader].version, hall.hub.version());
    }
    assert!(hall.readers[&reader].events.iter().copied().eq(3..53));
    hall.check_all_are_current();
}
