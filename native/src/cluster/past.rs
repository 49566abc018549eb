//! What earlier sessions showed.

use std::time::Duration;

use super::LIMIT;
use super::buckets::SLOW_AFTER;

/// Shortest time limit of connecting, once it is known how long that takes. A lost packet is sent again only after 1 s,
/// or later: a new attempt reaches servers sooner that can be reached again.
const MIN_CONNECT_LIMIT: Duration = Duration::from_millis(400);

/// A session that shared the roster for a shorter time counts as failed: its server accepts some writes and refuses
/// others.
const STEADY: Duration = Duration::from_secs(2);

/// What earlier sessions showed.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// How many sessions in a row failed.
    pub(super) failures: u32,
    /// How many in a row had no answer.
    pub(super) silences: u32,
    /// Whether the last session that shared the roster did so for a moment only.
    is_unsteady: bool,
    /// How long connecting took the last time.
    pub(super) connecting: Option<Duration>,
}

impl Past {
    /// Counts a session that ended. `shared` is how long it shared the roster, if it did; `is_silent`, whether it ended
    /// because of a missing answer. Returns whether it was steady: the failures before it are over.
    pub(super) fn ended(&mut self, shared: Option<Duration>, is_silent: bool) -> bool {
        let was_steady = shared.is_some_and(|time| time >= STEADY);
        self.silences = if is_silent { self.silences + 1 } else { 0 };
        self.failures = if was_steady { 0 } else { self.failures + 1 };
        if shared.is_some() {
            self.is_unsteady = !was_steady;
        }
        was_steady
    }

    /// How long a session has to share the roster before this is announced: after one that did so for a moment only,
    /// the gateway would be degraded and healthy in turns.
    pub(super) fn announce_after(&self) -> Duration {
        if self.is_unsteady { STEADY } else { Duration::ZERO }
    }

    /// Some attempts have all the time, since the way to the servers may have become slower.
    pub(super) fn connect_limit(&self) -> Duration {
        match self.connecting {
            Some(took) if self.failures % SLOW_AFTER != SLOW_AFTER - 1 => {
                (took * 4).clamp(MIN_CONNECT_LIMIT, LIMIT)
            }
            _ => LIMIT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_shared_the_roster_for_a_moment_failed() {
        let mut past = Past::default();
        for (shared_ms, failures) in [
            (None, 1),
            (Some(50), 2),
            (Some(1_999), 3),
            (Some(2_000), 0),
            (None, 1),
        ] {
            let shared = shared_ms.map(Duration::from_millis);
            assert_eq!(past.ended(shared, false), failures == 0, "{shared_ms:?}");
            assert_eq!(past.failures, failures, "{shared_ms:?}");
        }
        assert_eq!(past.announce_after(), Duration::ZERO);
        past.ended(Some(Duration::ZERO), true);
        past.ended(None, true);
        assert_eq!(past.announce_after(), STEADY);
        assert_eq!(past.silences, 2);
        past.ended(None, false);
        assert_eq!(past.silences, 0);
    }

    #[test]
    fn attempts_are_short_once_it_is_known_how_long_connecting_takes() {
        let limit = |connecting: Option<u64>, failures| {
            let connecting = connecting.map(Duration::from_millis);
            Past {
                failures,
                connecting,
                ..Past::default()
            }
            .connect_limit()
        };
        assert_eq!(limit(None, 0), LIMIT);
        assert_eq!(limit(Some(2), 0), MIN_CONNECT_LIMIT);
        assert_eq!(limit(Some(250), 0), Duration::from_secs(1));
        assert_eq!(limit(Some(4_000), 0), LIMIT);
        assert_eq!(limit(Some(2), SLOW_AFTER - 1), LIMIT);
        assert_eq!(limit(Some(2), SLOW_AFTER), MIN_CONNECT_LIMIT);
    }
}
