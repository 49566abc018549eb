//! What earlier sessions showed.

use std::time::Duration;

use super::LIMIT;
use super::buckets::SLOW_AFTER;

/// Shortest time limit of connecting, once it is known how long that takes. A lost packet is sent again only after 1 s, or
/// later: a new attempt reaches servers sooner that can be reached again.
const MIN_CONNECT_LIMIT: Duration = Duration::from_millis(400);

/// What earlier sessions showed.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// How many sessions in a row wrote nothing.
    pub(super) failures: u32,
    /// How many in a row had no answer.
    pub(super) silences: u32,
    /// How long connecting took the last time.
    pub(super) connecting: Option<Duration>,
}

impl Past {
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
    fn attempts_are_short_once_it_is_known_how_long_connecting_takes() {
        let limit = |connecting: Option<u64>, failures| {
            let connecting = connecting.map(Duration::from_millis);
            Past {
                failures,
                connecting,
                silences: 0,
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
