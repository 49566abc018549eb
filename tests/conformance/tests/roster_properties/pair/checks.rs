//! The checks after every operation.

use presence_conformance::model::text::{Key, is_placeholder, normalise};
use presence_core::model::beacon::Beacon;
use presence_core::model::entry::MAX_SAFE_INTEGER;
use presence_core::model::key::RowKey;
use presence_core::roster::{BeaconTarget, RowId};
use presence_core::{PresenceEntry, PresenceKey};

use super::Pair;
use crate::history::Text;

impl Pair {
    /// Compares everything that can be seen; returns the list with the model's row ids.
    pub(super) fn check(&mut self) -> Vec<(Option<u64>, PresenceEntry)> {
        let now = self.now;
        let before = self.model.version();
        let expected = self.model.list_with_ids(now);
        let list = self.real.list(now);
        let entries: Vec<&PresenceEntry> = expected.iter().map(|(_, entry)| entry).collect();
        assert_eq!(list.iter().collect::<Vec<_>>(), entries, "list");
        assert_eq!(
            self.real.version(),
            self.model.version(),
            "version (was {before})"
        );
        assert_eq!(self.real.len(), self.model.len(), "len");
        assert_eq!(self.real.len(), list.len(), "len and list");

        let text = self.real.encode_list(now);
        let parsed: Vec<PresenceEntry> = serde_json::from_str(&text).unwrap();
        assert_eq!(parsed, list, "encoded list");
        check_json(&serde_json::from_str(&text).unwrap());
        assert_eq!(
            self.real.version(),
            self.model.version(),
            "reading changes nothing"
        );

        assert!(
            (1..=self.cap).contains(&list.len()),
            "{} rows of {}",
            list.len(),
            self.cap
        );
        assert_eq!(list[0].reason.as_deref(), Some("self"), "self is first");
        assert_eq!(list[0].ts, self.real.wall_ms(now), "self is touched");
        assert!(
            list[0].ts.abs_diff(now.wall_ms) <= 2_000,
            "the roster's clock is off"
        );
        assert!(
            list.is_sorted_by_key(|entry| std::cmp::Reverse(entry.ts)),
            "newest first"
        );
        self.check_keys();
        self.check_deadline();
        expected
    }

    /// Each key leads to a row of its own, and to the one the model has under it.
    fn check_keys(&self) {
        let mut rows: Vec<RowId> = Vec::new();
        for row in self.model.rows() {
            let Key::Named(key) = &row.key else { continue };
            let beacon = Beacon {
                instance_id: Some(key.to_uppercase().into())
                    .filter(|id: &Text| normalise(id).as_ref() == Some(key) && !is_placeholder("id", id)),
                ..Beacon::new("t")
            };
            if beacon.instance_id.is_none() {
                continue;
            }
            let BeaconTarget::Row(found) = self.real.beacon_target(&(&beacon).into()) else {
                panic!("no row under {key:?}");
            };
            let named = RowKey::Named(PresenceKey::of_name(key).unwrap());
            assert_eq!(self.real.key(found), Some(&named));
            assert!(!rows.contains(&found), "{key:?} leads to another key's row");
            rows.push(found);
        }
    }

    /// The roster asks to be settled in the future, and not after a row is due.
    fn check_deadline(&self) {
        let asked = self.real.poll_timeout();
        assert_eq!(
            asked.is_some(),
            self.real.len() > 1,
            "a deadline if and only if there are rows"
        );
        if let (Some(asked), Some(due)) = (asked, self.model.next_expiry()) {
            assert!(asked > self.now.age_ms, "asks for a moment that is over");
            assert!(
                asked <= due,
                "asks for {asked}, {} ms after a row is due (now {})",
                asked - due,
                self.now.age_ms
            );
        }
    }
}

/// Never `null`, and every number is an integer in `0..=2^53-1` (SPEC 1.1).
fn check_json(value: &serde_json::Value) {
    match value {
        serde_json::Value::Null => panic!("null in the list"),
        serde_json::Value::Number(number) => {
            assert!(
                number.as_u64().is_some_and(|n| n <= MAX_SAFE_INTEGER),
                "{number} in the list"
            );
        }
        serde_json::Value::Array(items) => items.iter().for_each(check_json),
        serde_json::Value::Object(members) => members.values().for_each(check_json),
        _ => {}
    }
}

/// A row that was there before and after a write lost no member (SPEC 1.4).
pub(super) fn check_nothing_erased(
    before: &[(Option<u64>, PresenceEntry)],
    after: &[(Option<u64>, PresenceEntry)],
    may_clear_input: bool,
) {
    for (id, old) in before {
        let Some((_, new)) = after.iter().find(|(other, _)| other == id) else {
            continue;
        };
        let members = |entry: &PresenceEntry| {
            let value = serde_json::to_value(entry).unwrap();
            let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
            // Roles and scopes are those of the live connections: SPEC 1.4 has its own rule.
            // The last activity is that of all rows of the user, and a new stay may have no user.
            names.retain(|name| !["roles", "scopes", "lastActivityAt", "user"].contains(&name.as_str()));
            names
        };
        let kept = members(new);
        for name in members(old) {
            let is_cleared = may_clear_input && name == "lastInputSeconds";
            assert!(
                is_cleared || kept.contains(&name),
                "{name} of row {id:?} was erased"
            );
        }
    }
}
