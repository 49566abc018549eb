//! Finds the evidence for a `connect` request: origin, secret, device proof. Core decides.

use std::sync::{Arc, Mutex, PoisonError};

use presence_core::Now;
use presence_core::server::{DeviceEvidence, Evidence, Grant, OriginEvidence, SecretEvidence, judge_request};
use presence_core::wire::error::SecretKind;
use presence_core::wire::{AuthParams, ConnectParams, WireError};

use crate::auth::device;
use crate::auth::facts::Facts;
use crate::auth::origin::AllowedOrigins;
use crate::auth::proxy::is_loopback;
use crate::auth::secret::{AuthMode, offered};
use crate::auth::throttle::{Bucket, Check, GuessLimiter};
use crate::auth::tokens::{Found, Tokens};

/// Decides who may connect.
#[derive(Debug)]
pub(crate) struct Admission {
    auth: AuthMode,
    tokens: Option<Tokens>,
    origins: AllowedOrigins,
    limiter: Mutex<GuessLimiter>,
}

/// The evidence for a request, and the name of the token that it presents.
#[derive(Debug)]
pub(crate) struct Judgement {
    /// For core.
    pub evidence: Evidence,
    /// The named token, if it is one.
    pub token: Option<Arc<str>>,
}

impl Admission {
    /// Admits clients that present the secret and, if they are web pages, come from an allowed origin.
    pub(crate) fn new(
        auth: AuthMode,
        tokens: Option<Tokens>,
        origins: AllowedOrigins,
        limiter: GuessLimiter,
    ) -> Self {
        Self {
            auth,
            tokens,
            origins,
            limiter: Mutex::new(limiter),
        }
    }

    /// Returns the evidence for a request. The first failed check ends the search: a page of a refused origin cannot
    /// guess secrets, and a client without the secret cannot make the gateway verify signatures.
    pub(crate) fn judge(&self, params: &ConnectParams, facts: &Facts, nonce: &str, now: Now) -> Judgement {
        let mut token = None;
        let mut evidence = Evidence {
            origin: self.origin(facts),
            secret: SecretEvidence::TokenMissing,
            device: DeviceEvidence::Absent,
            grant: Grant::Everything,
        };
        if evidence.origin == OriginEvidence::Refused {
            return Judgement { evidence, token };
        }
        evidence.secret = match self.secret(&params.auth, facts, now) {
            Outcome::Evidence(secret) => secret,
            Outcome::Named(name, grant) => {
                token = Some(name);
                evidence.grant = grant;
                SecretEvidence::Match
            }
        };
        if matches!(
            evidence.secret,
            SecretEvidence::Match | SecretEvidence::NotRequired
        ) {
            evidence.device = device::verify(params, nonce, now);
        }
        Judgement { evidence, token }
    }

    /// Judges a request of plain HTTP that offers these secrets, with the throttle that handshakes have. Returns what the
    /// secret permits.
    ///
    /// # Errors
    /// The error to answer.
    pub(crate) fn judge_request(
        &self,
        auth: &AuthParams,
        facts: &Facts,
        now: Now,
    ) -> Result<Grant, WireError> {
        let origin = self.origin(facts);
        let outcome = match origin {
            OriginEvidence::Allowed => self.secret(auth, facts, now),
            // A refused page cannot guess.
            OriginEvidence::Refused => SecretEvidence::NotRequired.into(),
        };
        match outcome {
            Outcome::Evidence(secret) => judge_request(origin, secret).map(|()| Grant::Everything),
            Outcome::Named(_, grant) => Ok(grant),
        }
    }

    /// Whether requests for this host are answered. Without a secret, a page whose foreign name was rebound to this
    /// machine must learn nothing, over WebSocket or plain HTTP.
    pub(crate) fn answers_to(&self, host: Option<&str>) -> bool {
        self.auth != AuthMode::None || self.origins.allows_host(host)
    }

    fn origin(&self, facts: &Facts) -> OriginEvidence {
        let host = facts.host.as_deref();
        if !self.answers_to(host) {
            return OriginEvidence::Refused;
        }
        let Some(origin) = &facts.origin else {
            return OriginEvidence::Allowed;
        };
        let is_local_peer = is_loopback(facts.client.peer);
        if self
            .origins
            .allows(origin, host, facts.client.is_direct_local(), is_local_peer)
        {
            OriginEvidence::Allowed
        } else {
            OriginEvidence::Refused
        }
    }

    fn secret(&self, auth: &AuthParams, facts: &Facts, now: Now) -> Outcome {
        if self.auth == AuthMode::None {
            return SecretEvidence::NotRequired.into();
        }
        let bucket = facts.bucket();
        let offered = offered(auth);
        let mut limiter = self.limiter.lock().unwrap_or_else(PoisonError::into_inner);
        match limiter.check(bucket, &offered, now.age_ms) {
            Check::Wait(retry_after_ms) => {
                return SecretEvidence::RateLimited {
                    retry_after_ms,
                    is_proxied: matches!(bucket, Bucket::Proxy(_)),
                }
                .into();
            }
            Check::KnownWrong => return self.auth.mismatch().into(),
            Check::Compare => {}
        }
        let evidence = self.auth.compare(auth);
        let misplaced = |kind| {
            facts
                .misplaced
                .map_or(evidence, |place| SecretEvidence::Misplaced { kind, place })
        };
        match evidence {
            SecretEvidence::TokenMissing => misplaced(SecretKind::Token),
            SecretEvidence::PasswordMissing => misplaced(SecretKind::Password),
            SecretEvidence::TokenMismatch | SecretEvidence::PasswordMismatch => {
                match self.tokens.as_ref().map(|tokens| tokens.find(&offered, now)) {
                    Some(Found::Match(name, grant)) => return Outcome::Named(name, grant),
                    Some(Found::Expired) => return SecretEvidence::TokenExpired.into(),
                    Some(Found::Nothing) | None => {}
                }
                limiter.mismatched(bucket, &offered, now.age_ms);
                evidence
            }
            evidence => evidence,
        }
        .into()
    }
}

/// What the secret of a request is.
enum Outcome {
    Evidence(SecretEvidence),
    /// The named token, and what it permits.
    Named(Arc<str>, Grant),
}

impl From<SecretEvidence> for Outcome {
    fn from(evidence: SecretEvidence) -> Self {
        Self::Evidence(evidence)
    }
}

#[cfg(test)]
mod tests {
    use presence_core::wire::error::Misplaced;
    use serde_json::json;

    use super::*;
    use crate::auth::proxy::TrustedProxies;
    use crate::auth::secret::Secret;
    use crate::auth::throttle::BURST;

    const NOW: Now = Now {
        age_ms: 1_000,
        wall_ms: 1_700_000_000_000,
    };

    fn admission(auth: AuthMode, origins: &[&str]) -> Admission {
        let limiter = GuessLimiter::new([7; 32]);
        Admission::new(auth, None, AllowedOrigins::parse(origins).unwrap(), limiter)
    }

    fn token() -> AuthMode {
        AuthMode::Token(Secret::new("s3cret").unwrap())
    }

    fn facts(peer: &str, origin: Option<&str>) -> Facts {
        Facts {
            client: TrustedProxies::default().attribute(peer.parse().unwrap(), false, None),
            origin: origin.map(Into::into),
            host: Some("127.0.0.1:18789".into()),
            user_agent: None,
            misplaced: None,
            user: None,
        }
    }

    fn behind_a_proxy(forwarded_for: &str) -> Facts {
        let peer = "172.18.0.1".parse().unwrap();
        Facts {
            client: TrustedProxies::default().attribute(peer, true, Some(forwarded_for)),
            ..facts("172.18.0.1", None)
        }
    }

    fn params(token: &str) -> ConnectParams {
        offering(&json!({ "token": token }))
    }

    fn offering(auth: &serde_json::Value) -> ConnectParams {
        let params = json!({
            "minProtocol": 3, "maxProtocol": 4,
            "client": { "id": "cli", "version": "1", "platform": "linux", "mode": "cli" },
            "auth": auth,
        });
        ConnectParams::parse(&params.to_string()).unwrap()
    }

    /// What comes of a secret.
    fn tried(admission: &Admission, secret: &str, facts: &Facts, now: Now) -> SecretEvidence {
        admission.judge(&params(secret), facts, "n", now).evidence.secret
    }

    /// Takes all tokens of a bucket.
    fn drain(admission: &Admission, facts: &Facts) {
        for n in 0..BURST {
            let secret = tried(admission, &format!("guess {n}"), facts, NOW);
            assert_eq!(secret, SecretEvidence::TokenMismatch);
        }
    }

    const fn throttled(retry_after_ms: u64, is_proxied: bool) -> SecretEvidence {
        SecretEvidence::RateLimited {
            retry_after_ms,
            is_proxied,
        }
    }

    #[test]
    fn the_right_secret_is_let_in_and_takes_no_token() {
        let admission = admission(token(), &[]);
        for _ in 0..100 {
            let evidence = admission
                .judge(&params("s3cret"), &facts("127.0.0.1", None), "n", NOW)
                .evidence;
            assert_eq!(
                (evidence.origin, evidence.secret),
                (OriginEvidence::Allowed, SecretEvidence::Match)
            );
        }
        assert!(admission.limiter.lock().unwrap().buckets.is_empty());
    }

    #[test]
    fn a_refused_page_cannot_guess() {
        let admission = admission(token(), &[]);
        let facts = facts("127.0.0.1", Some("https://evil.example.org"));
        for n in 0..20 {
            let evidence = admission
                .judge(&params(&n.to_string()), &facts, "n", NOW)
                .evidence;
            assert_eq!(evidence.origin, OriginEvidence::Refused);
            assert_ne!(evidence.secret, SecretEvidence::TokenMismatch);
        }
        assert!(admission.limiter.lock().unwrap().buckets.is_empty());
    }

    #[test]
    fn guessing_delays_those_who_share_the_bucket_for_three_seconds_and_nobody_else() {
        let page = |n: u32| facts("127.0.0.1", Some(&format!("http://g{n}.localhost")));
        let cases = [
            (
                facts("192.0.2.1", None),
                facts("192.0.2.1", None),
                facts("192.0.2.2", None),
            ),
            (
                facts("2001:db8::1", None),
                facts("2001:db8::2", None),
                facts("2001:db8:0:1::1", None),
            ),
            (facts("127.0.0.1", None), facts("::1", None), page(1)),
            (page(1), page(2), facts("127.0.0.1", None)),
            (
                behind_a_proxy("203.0.113.7"),
                behind_a_proxy("203.0.113.8"),
                facts("203.0.113.8", None),
            ),
        ];
        for (guesser, sharer, other) in cases {
            let admission = admission(token(), &[]);
            drain(&admission, &guesser);
            let is_proxied = guesser.client.ip.is_none();
            assert_eq!(
                tried(&admission, "s3cret", &sharer, NOW),
                throttled(3_000, is_proxied)
            );
            assert_eq!(tried(&admission, "s3cret", &other, NOW), SecretEvidence::Match);
            // Known to be wrong, and free.
            for _ in 0..100 {
                assert_eq!(
                    tried(&admission, "guess 3", &sharer, NOW),
                    SecretEvidence::TokenMismatch
                );
            }
            let later = Now {
                age_ms: NOW.age_ms + 3_000,
                ..NOW
            };
            assert_eq!(tried(&admission, "s3cret", &sharer, later), SecretEvidence::Match);
        }
    }

    #[test]
    fn what_is_not_compared_is_no_guess() {
        let admission = admission(token(), &[]);
        let facts = facts("127.0.0.1", None);
        for n in 0..20 {
            for (auth, wanted) in [
                (json!({}), SecretEvidence::TokenMissing),
                (
                    json!({ "deviceToken": n.to_string() }),
                    SecretEvidence::TokenMismatch,
                ),
            ] {
                assert_eq!(
                    admission
                        .judge(&offering(&auth), &facts, "n", NOW)
                        .evidence
                        .secret,
                    wanted
                );
            }
        }
        assert_eq!(tried(&admission, "s3cret", &facts, NOW), SecretEvidence::Match);
    }

    #[test]
    fn a_misplaced_secret_is_said_only_where_none_is_offered() {
        let admission = admission(token(), &[]);
        let facts = Facts {
            misplaced: Some(Misplaced::Query),
            ..facts("127.0.0.1", None)
        };
        assert_eq!(
            admission
                .judge(&offering(&json!({})), &facts, "n", NOW)
                .evidence
                .secret,
            SecretEvidence::Misplaced {
                kind: SecretKind::Token,
                place: Misplaced::Query
            }
        );
        assert_eq!(tried(&admission, "x", &facts, NOW), SecretEvidence::TokenMismatch);
        assert_eq!(tried(&admission, "s3cret", &facts, NOW), SecretEvidence::Match);
    }

    #[test]
    fn without_a_secret_only_own_names_are_answered() {
        let admission = admission(AuthMode::None, &[]);
        let mut facts = facts("127.0.0.1", None);
        assert_eq!(tried(&admission, "x", &facts, NOW), SecretEvidence::NotRequired);
        facts.host = Some("rebound.example.org:18789".into());
        assert_eq!(
            admission.judge(&params("x"), &facts, "n", NOW).evidence.origin,
            OriginEvidence::Refused
        );
    }
}
