//! Bounds on guessing the secret (reference 3.2, SEP column).

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

/// Most keys remembered; the least recently failed goes first.
const MAX_KEYS: usize = 10_000;
/// Longest part of an Origin that is remembered, in bytes.
const MAX_ORIGIN_BYTES: usize = 256;

/// Figures of the rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// Failures within the window that lock a key.
    pub max_failures: u32,
    /// The window, in ms.
    pub window_ms: u64,
    /// How long a key stays locked, in ms.
    pub lockout_ms: u64,
    /// First delay of the answer to a failure from this machine, in ms; it doubles. 0: no delay.
    pub local_delay_ms: u64,
    /// Longest such delay, in ms.
    pub max_local_delay_ms: u64,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            max_failures: 10,
            window_ms: 60_000,
            lockout_ms: 300_000,
            local_delay_ms: 250,
            max_local_delay_ms: 5_000,
        }
    }
}

/// Whose failures are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// This machine, without a browser: delayed, never locked.
    Local,
    /// A client elsewhere.
    Address(IpAddr),
    /// All clients behind a proxy at this address that cannot be told apart.
    Proxy(IpAddr),
    /// A web page on this machine: a malicious one could guess at will otherwise.
    Page(Box<str>),
}

impl Key {
    /// A page on this machine; very long origins are cut.
    #[must_use]
    pub fn page(origin: &str) -> Self {
        Self::Page(crate::log::start_of(origin, MAX_ORIGIN_BYTES).into())
    }
}

/// What happens after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// Answer after this many ms (0: at once).
    Delay(u64),
    /// That was one too many: locked from now on, for this many ms.
    Locked(u64),
}

/// The failures of the last window by key. Only mismatches are reported to it; a request without
/// credentials does not count.
#[derive(Debug)]
pub struct RateLimiter {
    limits: RateLimits,
    keys: HashMap<Key, Failures>,
    /// Keys in the order of their last failure, oldest first; entries whose serial is outdated are
    /// skipped.
    order: VecDeque<(u64, Key)>,
    serial: u64,
}

#[derive(Debug)]
struct Failures {
    /// When, oldest first; never more than the bound.
    at_ms: VecDeque<u64>,
    locked_until_ms: u64,
    serial: u64,
}

impl RateLimiter {
    /// A limiter that knows nobody.
    #[must_use]
    pub fn new(limits: RateLimits) -> Self {
        Self {
            limits,
            keys: HashMap::new(),
            order: VecDeque::new(),
            serial: 0,
        }
    }

    /// How long the key stays locked from `now_ms` on; `None` when it may try.
    #[must_use]
    pub fn locked(&self, key: &Key, now_ms: u64) -> Option<u64> {
        let until = self.keys.get(key)?.locked_until_ms;
        (until > now_ms).then(|| until - now_ms)
    }

    /// Counts a mismatch.
    pub fn failed(&mut self, key: Key, now_ms: u64) -> Failed {
        self.serial += 1;
        let limits = self.limits;
        let is_local = key == Key::Local;
        let failures = self.keys.entry(key.clone()).or_insert_with(|| Failures {
            at_ms: VecDeque::new(),
            locked_until_ms: 0,
            serial: 0,
        });
        failures.serial = self.serial;
        while failures
            .at_ms
            .front()
            .is_some_and(|&at| at + limits.window_ms <= now_ms)
        {
            failures.at_ms.pop_front();
        }
        let before = u32::try_from(failures.at_ms.len()).unwrap_or(u32::MAX);
        if before < limits.max_failures {
            failures.at_ms.push_back(now_ms);
        }
        let outcome = if is_local {
            let doubled = limits.local_delay_ms.saturating_mul(1 << before.min(32));
            Failed::Delay(doubled.min(limits.max_local_delay_ms))
        } else if before + 1 >= limits.max_failures {
            failures.at_ms.clear();
            failures.locked_until_ms = now_ms.saturating_add(limits.lockout_ms);
            Failed::Locked(limits.lockout_ms)
        } else {
            Failed::Delay(0)
        };
        self.order.push_back((self.serial, key));
        self.forget(now_ms);
        outcome
    }

    /// The right secret: earlier failures are forgiven.
    pub fn succeeded(&mut self, key: &Key) {
        self.keys.remove(key);
    }

    /// Number of remembered keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether nobody is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Drops what is outdated, and the oldest beyond the bound.
    fn forget(&mut self, now_ms: u64) {
        while let Some((serial, key)) = self.order.front() {
            let is_current = self
                .keys
                .get(key)
                .is_some_and(|failures| failures.serial == *serial);
            if is_current {
                let failures = &self.keys[key];
                let is_over = failures.locked_until_ms <= now_ms
                    && failures
                        .at_ms
                        .back()
                        .is_none_or(|&at| at + self.limits.window_ms <= now_ms);
                if !is_over && self.keys.len() <= MAX_KEYS {
                    break;
                }
                self.keys.remove(key);
            }
            self.order.pop_front();
        }
        // One key that fails again and again leaves outdated entries behind a current first one.
        if self.order.len() > 2 * MAX_KEYS {
            let keys = &self.keys;
            self.order
                .retain(|(serial, key)| keys.get(key).is_some_and(|failures| failures.serial == *serial));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(last: u8) -> Key {
        Key::Address(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn the_tenth_failure_within_a_minute_locks_for_five_minutes() {
        let mut limiter = RateLimiter::new(RateLimits::default());
        for n in 0..9 {
            assert_eq!(limiter.failed(remote(1), n * 1_000), Failed::Delay(0));
            assert_eq!(limiter.locked(&remote(1), n * 1_000), None);
        }
        assert_eq!(limiter.failed(remote(1), 59_000), Failed::Locked(300_000));
        assert_eq!(limiter.locked(&remote(1), 60_000), Some(299_000));
        assert_eq!(limiter.locked(&remote(1), 358_999), Some(1));
        assert_eq!(limiter.locked(&remote(1), 359_000), None);
        assert_eq!(limiter.locked(&remote(2), 60_000), None);
    }

    #[test]
    fn the_window_slides() {
        let mut limiter = RateLimiter::new(RateLimits::default());
        for n in 0..100 {
            assert_eq!(
                limiter.failed(remote(1), n * 6_700),
                Failed::Delay(0),
                "failure {n}"
            );
        }
    }

    #[test]
    fn success_forgives() {
        let mut limiter = RateLimiter::new(RateLimits::default());
        for _ in 0..9 {
            limiter.failed(remote(1), 0);
        }
        limiter.succeeded(&remote(1));
        assert_eq!(limiter.failed(remote(1), 1), Failed::Delay(0));
    }

    #[test]
    fn this_machine_is_delayed_and_never_locked() {
        let mut limiter = RateLimiter::new(RateLimits::default());
        let delays: Vec<_> = (0..50).map(|n| limiter.failed(Key::Local, n)).collect();
        assert_eq!(
            delays[..6],
            [250, 500, 1_000, 2_000, 4_000, 5_000].map(Failed::Delay)
        );
        assert!(delays[6..].iter().all(|delay| *delay == Failed::Delay(5_000)));
        assert_eq!(limiter.locked(&Key::Local, 50), None);
    }

    #[test]
    fn a_page_on_this_machine_is_locked_by_its_origin() {
        let mut limiter = RateLimiter::new(RateLimits::default());
        for _ in 0..10 {
            limiter.failed(Key::page("http://localhost:5173"), 0);
        }
        assert!(limiter.locked(&Key::page("http://localhost:5173"), 1).is_some());
        assert!(limiter.locked(&Key::page("http://localhost:5174"), 1).is_none());
        assert_eq!(Key::page(&"é".repeat(500)), Key::page(&"é".repeat(400)));
    }

    #[test]
    fn memory_is_bounded_and_outdated_keys_go() {
        let mut limiter = RateLimiter::new(RateLimits::default());
        for n in 0..30_000_u32 {
            limiter.failed(Key::Address(IpAddr::from(n.to_be_bytes())), 0);
        }
        assert_eq!(limiter.len(), MAX_KEYS);
        for n in 0..50_000 {
            limiter.failed(Key::Local, n);
        }
        assert!(limiter.order.len() <= 2 * MAX_KEYS + 1);
        limiter.failed(remote(1), 1_000_000);
        assert_eq!(limiter.len(), 1);
    }
}
