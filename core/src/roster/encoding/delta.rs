//! What `presence.delta` says: the log of changes as JSON text (SPEC 2.1).

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;
use core::mem::take;

use crate::model::json::write_string;
use crate::model::key::RowKey;
use crate::model::time::Now;
use crate::roster::change_log::{Changes, Pending};
use crate::roster::{Removal, Roster, RowId};

impl Roster {
    /// Starts or ends keeping what [`encode_delta`](Self::encode_delta) says. Starting takes one walk
    /// over all rows.
    pub fn track_changes(&mut self, is_on: bool, now: Now) {
        if self.log.pending.is_some() == is_on {
            return;
        }
        self.settle(now);
        self.log.pending = None;
        if is_on {
            let own = self.digest_of_self();
            let ids: Vec<RowId> = self.store.ids().collect();
            let known = ids
                .into_iter()
                .map(|id| (id, self.store[id].written_ms, self.digest_of(id)));
            self.log.pending = Some(Box::new(Pending::new(known, own, now.age_ms)));
        }
    }

    /// Whether more keys were removed since the last delta than one says: send a snapshot in its place.
    #[must_use]
    pub fn is_beyond_deltas(&self) -> bool {
        self.log.pending.as_ref().is_some_and(|pending| pending.is_over)
    }

    /// The payload of `presence.delta` without its closing brace: everything since the last call. Rows that came
    /// and went since the last delta or snapshot are not in it. Empty while changes are not tracked.
    pub fn encode_delta(&mut self, from: u64, now: Now) -> String {
        self.settle(now);
        if let Some(pending) = &mut self.log.pending {
            for user in take(&mut pending.users) {
                self.people.rows(&user).for_each(|id| pending.moments(id));
            }
        }
        let digest = self.digest().to_hex();
        let pending = self.log.pending.as_deref_mut();
        let changes = pending.map_or_else(Changes::default, |pending| {
            pending.take(now.age_ms, |id| self.store[id].written_ms)
        });
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = write!(text, r#"{{"from":{from},"to":{},"upserts":["#, self.version());
        let mut upserts = Separated::default();
        if changes.is_self_changed {
            upserts.next(&mut text);
            text.push_str(r#"{"key":"SELF","entry":"#);
            self.write_self(&mut text, now);
            text.push('}');
        }
        for id in changes.changed {
            let row = &self.store[id];
            upserts.next(&mut text);
            text.push_str(r#"{"key":"#);
            write_string(&mut text, &row.key.to_wire());
            text.push_str(r#","entry":"#);
            self.write_row(&mut text, id);
            text.push('}');
        }
        text.push_str(r#"],"removals":["#);
        self.write_removals(&mut text, &changes.removed);
        text.push_str(r#"],"touched":["#);
        let mut touched = Separated::default();
        if changes.is_self_touched {
            touched.next(&mut text);
            let _ = write!(text, r#"["SELF",{}]"#, self.clock.wall_ms(now.age_ms));
        }
        for id in changes.touched {
            let row = &self.store[id];
            touched.next(&mut text);
            text.push('[');
            write_string(&mut text, &row.key.to_wire());
            let _ = write!(text, ",{}]", self.clock.wall_ms(row.written_ms));
        }
        let _ = write!(text, r#"],"digest":"{digest}""#);
        text
    }

    /// A key that was made anew since is among the upserts; of one that went twice the last reason counts.
    fn write_removals(&self, text: &mut String, removed: &[(RowKey, Removal)]) {
        let mut listed: BTreeSet<&RowKey> = BTreeSet::new();
        let mut gone = Vec::new();
        for (key, why) in removed.iter().rev() {
            if self.store.find(key).is_none() && listed.insert(key) {
                gone.push((key, why));
            }
        }
        let mut removals = Separated::default();
        for (key, why) in gone.into_iter().rev() {
            removals.next(text);
            text.push_str(r#"{"key":"#);
            write_string(text, &key.to_wire());
            let _ = write!(text, r#","reason":"{}"}}"#, why.as_str());
        }
    }
}

/// Commas between items.
#[derive(Default)]
struct Separated {
    has_items: bool,
}

impl Separated {
    fn next(&mut self, text: &mut String) {
        if self.has_items {
            text.push(',');
        }
        self.has_items = true;
    }
}
