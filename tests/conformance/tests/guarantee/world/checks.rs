//! The guarantee.

use std::collections::BTreeSet;

use super::{Known, World};

/// The time beyond the TTL that the guarantee allows, in ms.
const GRACE_MS: u64 = 1_000;

impl World {
    /// Before anything happens at this moment: what is there now was there until now.
    pub(super) fn check_nothing_overstays(&self) {
        if self.has_just_woken {
            return;
        }
        let now_ms = self.now.age_ms;
        // With timers late twice in a row the reader hears later than the roster knows.
        let is_reader_timely = self.lateness_ms * 2 + 50 <= GRACE_MS;
        let seen = self.seen.iter().filter(|_| is_reader_timely);
        for instance in self.present.iter().chain(seen) {
            let known = &self.known[instance];
            let over_ms = (now_ms - known.proof_ms).saturating_sub(self.ttl_ms + GRACE_MS);
            let is_asked = known.asked_until.is_some_and(|until| now_ms <= until + GRACE_MS);
            assert!(
                over_ms == 0 || is_asked,
                "{instance} is there {over_ms} ms too long: {known:?}"
            );
        }
    }

    /// After a call: exactly the rows that should be there are, each with its true age.
    pub(super) fn check_rows(&mut self) {
        let now = self.now;
        let counted = self.hub.rows();
        let due = self.hub.poll_timeout();
        assert!(
            due.is_none_or(|due| due > now.age_ms),
            "due {due:?} is over at {}",
            now.age_ms
        );
        let list = self.hub.list(now);
        assert_eq!(counted, list.len(), "asking for the list changed it");
        let shown_wall = self.hub.server_wall_ms(now);
        assert!(
            shown_wall.abs_diff(now.wall_ms) <= 2_000,
            "the gateway's clock is off"
        );
        let mut present = BTreeSet::new();
        for entry in &list[1..] {
            let instance = entry.instance_id.as_deref().unwrap();
            let age = now.age_ms - self.known[instance].written_ms;
            assert_eq!(
                shown_wall - entry.ts,
                age,
                "{instance} shows another age than it has"
            );
            assert!(present.insert(instance.to_owned()), "{instance} is there twice");
        }
        let should_be = |known: &Known| {
            let is_asked = known.live > 0 && known.asked_until.is_some_and(|until| now.age_ms < until);
            now.age_ms - known.proof_ms <= self.ttl_ms || is_asked
        };
        let expected: BTreeSet<String> = self
            .known
            .iter()
            .filter(|(_, known)| should_be(known))
            .map(|(instance, _)| instance.clone())
            .collect();
        assert_eq!(present, expected);
        self.expired += self.present.difference(&present).count();
        self.present = present;
    }
}
