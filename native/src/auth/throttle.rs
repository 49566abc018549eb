//! A throttle on guessing the secret (SPEC 4): per bucket ten wrong secrets at once, then one per 3 s.
//!
//! There is no lockout and no delayed response: that would hold a slot. Only a wrong secret that is new in its bucket
//! takes one of the bucket's tokens. A remembered one is not compared with the gateway's secret and takes none, so that
//! a page that is still open with an old secret cannot starve the other clients of its bucket.
//!
//! A bucket is a generic cell rate algorithm (GCRA): one number and three lines. The crate `governor` has one too, but
//! its keyed store can neither let all keys beyond a bound share a bucket nor keep the remembered secrets.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use sha2::{Digest, Sha256};

/// Wrong secrets that a bucket at rest accepts at once.
pub const BURST: u64 = 10;
/// Time after which a bucket accepts one more wrong secret, in ms.
pub(crate) const INTERVAL_MS: u64 = 3_000;
/// Most buckets; addresses beyond share one.
pub const MAX_BUCKETS: usize = 10_000;
/// Wrong secrets remembered per bucket; the oldest is forgotten first.
pub(crate) const MAX_REMEMBERED: usize = 64;

/// Clients whose wrong secrets are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Bucket {
    /// All programs on this machine.
    Local,
    /// All web pages on this machine. Their origins do not matter: a page can choose `http://N.localhost` for any N.
    Page,
    /// Clients on another machine: those of one [`network`](crate::auth::proxy::network).
    Address(IpAddr),
    /// All clients behind a proxy at this address that does not name them reliably.
    Proxy(IpAddr),
}

/// What to do with the secrets of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// Compare them, and report a mismatch by [`GuessLimiter::mismatched`].
    Compare,
    /// All of them are known to be wrong.
    KnownWrong,
    /// Do not compare them; the next is compared after this many ms, at most [`INTERVAL_MS`].
    Wait(u64),
}

/// The buckets. The clock is an argument: ms of `Now::age_ms`.
pub(crate) struct GuessLimiter {
    /// Key of the hashes, random per process, so that a leaked hash is useless.
    key: [u8; 32],
    pub(super) buckets: HashMap<Bucket, State>,
    /// The bucket shared by all clients that do not fit into the full table.
    overflow: State,
    /// When the full table is next searched for buckets at rest: at most once per interval.
    next_sweep_ms: u64,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// When the bucket is at rest again: each wrong secret adds an interval.
    rests_at_ms: u64,
    /// Keyed hashes of the last wrong secrets, oldest first.
    wrong: VecDeque<u64>,
}

impl GuessLimiter {
    /// An empty table. `key` is random.
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self {
            key,
            buckets: HashMap::new(),
            overflow: State::default(),
            next_sweep_ms: 0,
        }
    }

    /// Decides whether the secrets of a request are compared. Each one that is new in the bucket needs a
    /// token; no token is taken yet.
    pub(crate) fn check(&self, bucket: Bucket, offered: &[&str], now_ms: u64) -> Check {
        let Some(state) = self.state(bucket) else {
            return Check::Compare;
        };
        let new = if state.wrong.is_empty() {
            offered.len()
        } else {
            let is_new = |secret: &&&str| !state.wrong.contains(&self.hash(secret));
            offered.iter().filter(is_new).count()
        };
        if new == 0 && !offered.is_empty() {
            return Check::KnownWrong;
        }
        match state.wait_ms(new as u64, now_ms) {
            0 => Check::Compare,
            // Two new secrets need two tokens, but the stated wait is that for one.
            wait_ms => Check::Wait(wait_ms.min(INTERVAL_MS)),
        }
    }

    /// Records that all offered secrets are wrong: each new one takes a token.
    pub(crate) fn mismatched(&mut self, bucket: Bucket, offered: &[&str], now_ms: u64) {
        let hashes: Vec<u64> = offered.iter().map(|secret| self.hash(secret)).collect();
        let state = self.state_mut(bucket, now_ms);
        for hash in hashes {
            if !state.wrong.contains(&hash) {
                state.take(hash, now_ms);
            }
        }
    }

    /// Returns the state; `None` for a bucket at rest.
    fn state(&self, bucket: Bucket) -> Option<&State> {
        let is_full = self.buckets.len() >= MAX_BUCKETS;
        self.buckets
            .get(&bucket)
            .or_else(|| is_full.then_some(&self.overflow))
    }

    fn state_mut(&mut self, bucket: Bucket, now_ms: u64) -> &mut State {
        if self.buckets.len() >= MAX_BUCKETS && !self.buckets.contains_key(&bucket) {
            if now_ms >= self.next_sweep_ms {
                self.next_sweep_ms = now_ms.saturating_add(INTERVAL_MS);
                self.buckets.retain(|_, state| state.rests_at_ms > now_ms);
            }
            if self.buckets.len() >= MAX_BUCKETS {
                return &mut self.overflow;
            }
        }
        self.buckets.entry(bucket).or_default()
    }

    /// The first 8 bytes of SHA-256 over the key and the secret.
    fn hash(&self, secret: &str) -> u64 {
        let digest = Sha256::new()
            .chain_update(self.key)
            .chain_update(secret.as_bytes())
            .finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        u64::from_be_bytes(first)
    }
}

/// Does not show the key.
impl std::fmt::Debug for GuessLimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuessLimiter")
            .field("buckets", &self.buckets.len())
            .finish_non_exhaustive()
    }
}

impl State {
    /// How long until the bucket has this many tokens, in ms.
    fn wait_ms(&self, tokens: u64, now_ms: u64) -> u64 {
        let rests_at_ms = self.rests_at_ms.max(now_ms);
        rests_at_ms
            .saturating_add(tokens.saturating_mul(INTERVAL_MS))
            .saturating_sub(now_ms.saturating_add(BURST * INTERVAL_MS))
    }

    /// Takes a token for a new wrong secret and remembers it.
    fn take(&mut self, hash: u64, now_ms: u64) {
        self.rests_at_ms = self.rests_at_ms.max(now_ms).saturating_add(INTERVAL_MS);
        if self.wrong.len() >= MAX_REMEMBERED {
            self.wrong.pop_front();
        }
        self.wrong.push_back(hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::proxy::network;

    fn limiter() -> GuessLimiter {
        GuessLimiter::new([7; 32])
    }

    fn remote(n: u32) -> Bucket {
        Bucket::Address(IpAddr::from(n.to_be_bytes()))
    }

    /// Offers a wrong secret; whether it was compared.
    fn guess(limiter: &mut GuessLimiter, bucket: Bucket, secret: &str, now_ms: u64) -> bool {
        let is_compared = limiter.check(bucket, &[secret], now_ms) == Check::Compare;
        if is_compared {
            limiter.mismatched(bucket, &[secret], now_ms);
        }
        is_compared
    }

    #[test]
    fn ten_at_once_then_one_per_three_seconds() {
        let mut limiter = limiter();
        for n in 0..BURST {
            assert!(guess(&mut limiter, remote(1), &n.to_string(), 0), "{n}");
        }
        assert_eq!(limiter.check(remote(1), &["new"], 0), Check::Wait(3_000));
        assert_eq!(limiter.check(remote(1), &["new"], 2_999), Check::Wait(1));
        assert_eq!(limiter.check(remote(1), &["new"], 3_000), Check::Compare);
        assert_eq!(limiter.check(remote(2), &["new"], 0), Check::Compare);
    }

    #[test]
    fn guesses_are_bounded_at_any_rate() {
        for every_ms in [1, 10, 999, 2_999, 3_001] {
            let mut limiter = limiter();
            let compared = (0..600_000_u64)
                .step_by(every_ms)
                .filter(|now| guess(&mut limiter, Bucket::Page, &now.to_string(), *now))
                .count() as u64;
            assert!(
                compared <= BURST + 600_000 / INTERVAL_MS,
                "{every_ms}: {compared}"
            );
        }
    }

    #[test]
    fn a_remembered_wrong_secret_uses_no_attempt() {
        let mut limiter = limiter();
        for now_ms in 0..100_000 {
            let check = limiter.check(Bucket::Page, &["stale"], now_ms);
            match now_ms {
                0 => limiter.mismatched(Bucket::Page, &["stale"], now_ms),
                _ => assert_eq!(check, Check::KnownWrong),
            }
            assert_eq!(limiter.check(Bucket::Page, &["right"], now_ms), Check::Compare);
        }
        for n in 0..BURST {
            guess(&mut limiter, Bucket::Page, &n.to_string(), 100_000);
        }
        assert_eq!(
            limiter.check(Bucket::Page, &["stale"], 100_000),
            Check::KnownWrong
        );
        assert!(matches!(
            limiter.check(Bucket::Page, &["right"], 100_000),
            Check::Wait(_)
        ));
    }

    #[test]
    fn two_secrets_in_one_request_are_two_guesses() {
        let mut limiter = limiter();
        for n in 0..BURST / 2 {
            let (a, b) = (format!("a{n}"), format!("b{n}"));
            let offered = [a.as_str(), b.as_str()];
            assert_eq!(limiter.check(Bucket::Local, &offered, 0), Check::Compare);
            limiter.mismatched(Bucket::Local, &offered, 0);
        }
        assert_eq!(limiter.check(Bucket::Local, &["x"], 0), Check::Wait(INTERVAL_MS));
        // One known, one new: one token; two new: two, but the wait stated stays short.
        assert_eq!(limiter.check(Bucket::Local, &["a0", "x"], 3_000), Check::Compare);
        assert_eq!(
            limiter.check(Bucket::Local, &["x", "y"], 3_000),
            Check::Wait(INTERVAL_MS)
        );
        assert_eq!(limiter.check(Bucket::Local, &["x", "y"], 6_000), Check::Compare);
        // The same text twice is remembered once.
        limiter.mismatched(Bucket::Local, &["z", "z"], 6_000);
        assert_eq!(limiter.check(Bucket::Local, &["x"], 6_000), Check::Compare);
    }

    #[test]
    fn a_missing_secret_is_not_a_guess() {
        let mut limiter = limiter();
        limiter.mismatched(Bucket::Local, &["wrong"], 0);
        assert_eq!(limiter.check(Bucket::Local, &[], 0), Check::Compare);
    }

    #[test]
    fn the_last_64_wrong_secrets_are_remembered() {
        let mut limiter = limiter();
        for n in 0..=MAX_REMEMBERED as u64 {
            let now_ms = n * INTERVAL_MS;
            assert!(guess(&mut limiter, remote(1), &n.to_string(), now_ms));
        }
        let now_ms = 1_000_000;
        assert_eq!(limiter.check(remote(1), &["0"], now_ms), Check::Compare);
        assert_eq!(limiter.check(remote(1), &["1"], now_ms), Check::KnownWrong);
    }

    #[test]
    fn addresses_of_one_customer_share_a_bucket() {
        let bucket = |text: &str| Bucket::Address(network(text.parse().unwrap()));
        assert_eq!(bucket("2001:db8:1:2::1"), bucket("2001:db8:1:2:ffff::9"));
        assert_ne!(bucket("2001:db8:1:2::1"), bucket("2001:db8:1:3::1"));
        assert_eq!(bucket("::ffff:192.0.2.1"), bucket("192.0.2.1"));
        assert_ne!(bucket("192.0.2.1"), bucket("192.0.2.2"));
        assert_ne!(bucket("192.0.2.1"), Bucket::Proxy("192.0.2.1".parse().unwrap()));
    }

    #[test]
    fn a_flood_of_addresses_resets_no_bucket() {
        let mut limiter = limiter();
        for n in 0..BURST {
            guess(&mut limiter, Bucket::Page, &n.to_string(), 0);
        }
        let others = u32::try_from(MAX_BUCKETS).unwrap() - 1;
        for n in 0..others {
            assert!(guess(&mut limiter, remote(n), "x", 0));
        }
        assert_eq!(limiter.buckets.len(), MAX_BUCKETS);
        // The table is full: all further addresses share one bucket.
        let compared = (others..others + 30_000)
            .filter(|n| guess(&mut limiter, remote(*n), &n.to_string(), 1))
            .count();
        assert_eq!(compared as u64, BURST);
        assert_eq!(limiter.buckets.len(), MAX_BUCKETS);
        assert_eq!(limiter.check(Bucket::Page, &["new"], 1), Check::Wait(2_999));
        assert_eq!(limiter.check(remote(0), &["x"], 1), Check::KnownWrong);

        // Buckets at rest make room; others stay.
        let late = remote(others + 30_000);
        assert!(guess(&mut limiter, late, "y", 4_000));
        assert_eq!(limiter.buckets.len(), 2);
        assert_eq!(limiter.check(Bucket::Page, &["0"], 4_000), Check::KnownWrong);
    }
}
