//! A client at the end of an outbox: takes frames out as its link allows, and checks the law of the
//! stream with each (SPEC 2).

use std::collections::VecDeque;

use presence_core::PresenceEntry;
use presence_core::model::SharedText;
use presence_core::server::{Item, Outbox, Outgoing};
use presence_core::wire::CloseFrame;
use serde_json::Value;

/// One connection's receiving end.
#[derive(Debug)]
pub(crate) struct Reader {
    outbox: Outbox,
    /// Presence version of the newest list it has, hello's to begin with.
    pub(crate) version: u64,
    /// The version in the hello or the last event. Answers have none.
    told: u64,
    /// Versions of all `presence` events, in order.
    pub(crate) events: Vec<u64>,
    /// The newest list, as JSON text: of hello, of an event, or of an answer.
    pub(crate) list: SharedText,
    /// Versions of the lists in answers that are still to come.
    asked: VecDeque<u64>,
    /// Number of the last event.
    seq: u64,
    has_hello: bool,
    /// The close frame, once it came.
    pub(crate) close: Option<CloseFrame>,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            outbox: Outbox::new(1 << 20),
            version: 0,
            told: 0,
            events: Vec::new(),
            list: SharedText::new("[]".into()),
            asked: Default::default(),
            seq: 0,
            has_hello: false,
            close: None,
        }
    }
}

impl Reader {
    /// The hub's outputs for this connection.
    pub(crate) fn send(&mut self, item: Item) {
        assert_eq!(self.outbox.push(item), Ok(()));
    }

    /// It asked for the list when the presence version was this.
    pub(crate) fn requested(&mut self, version: u64) {
        self.asked.push_back(version);
    }

    /// Whether frames wait for it.
    pub(crate) fn is_behind(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// Receives up to so many frames.
    pub(crate) fn receive(&mut self, frames: usize) {
        for _ in 0..frames {
            let Some(outgoing) = self.outbox.pop() else { return };
            self.read(&outgoing);
        }
    }

    /// The newest list, as entries.
    pub(crate) fn entries(&self) -> Vec<PresenceEntry> {
        serde_json::from_str(&self.list).unwrap()
    }

    fn read(&mut self, outgoing: &Outgoing) {
        assert!(self.close.is_none(), "something follows the close");
        let ([head, _, tail], list, suffix) = match outgoing {
            Outgoing::Response(frame) => (frame.segments(), frame.body(), ""),
            Outgoing::Event(frame, suffix) => (frame.segments(), frame.body(), suffix.as_str()),
            Outgoing::Close(close) => {
                self.close = Some(close.clone());
                return;
            }
        };
        // The shared list is parsed on comparison, not a thousand times on the way.
        let envelope = [head, if list.is_some() { "[]" } else { "" }, tail, suffix].concat();
        let envelope: Value = serde_json::from_str(&envelope).unwrap();
        if envelope["type"] == "res" {
            assert!(envelope.get("seq").is_none(), "a response is not counted");
            self.read_response(&envelope, list);
        } else {
            assert!(self.has_hello, "an event came before hello");
            self.seq += 1;
            assert_eq!(envelope["seq"], self.seq, "a gap");
            if envelope["event"] == "presence" {
                let version = envelope["stateVersion"]["presence"].as_u64();
                self.deliver(version, list);
                self.events.push(self.version);
            }
        }
    }

    fn read_response(&mut self, envelope: &Value, list: Option<&SharedText>) {
        assert_eq!(envelope["ok"], true, "{envelope}");
        if envelope["payload"]["type"] == "hello-ok" {
            assert!(!self.has_hello, "a second hello");
            self.has_hello = true;
            self.deliver(
                envelope["payload"]["snapshot"]["stateVersion"]["presence"].as_u64(),
                list,
            );
        } else if list.is_some() {
            assert!(self.has_hello, "an answer came before hello");
            let version = self.asked.pop_front();
            self.take_list(version, list);
        }
    }

    fn deliver(&mut self, version: Option<u64>, list: Option<&SharedText>) {
        assert!(
            version > Some(self.told),
            "version {version:?} was told before: {}",
            self.told
        );
        self.told = version.unwrap_or_default();
        self.take_list(version, list);
    }

    fn take_list(&mut self, version: Option<u64>, list: Option<&SharedText>) {
        assert!(
            version >= Some(self.version),
            "a list of version {version:?} came after {}",
            self.version
        );
        self.version = version.unwrap_or_default();
        self.list = list.cloned().unwrap_or_default();
    }
}
