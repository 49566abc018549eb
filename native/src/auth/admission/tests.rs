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

const CHALLENGE: Challenge<'_> = Challenge { nonce: "n", ts_ms: 0 };

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

/// The outcome for a secret.
fn tried(admission: &Admission, secret: &str, facts: &Facts, now: Now) -> SecretEvidence {
    admission
        .judge(&params(secret), facts, CHALLENGE, now)
        .evidence
        .secret
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
fn the_right_secret_is_accepted_and_uses_no_attempt() {
    let admission = admission(token(), &[]);
    for _ in 0..100 {
        let evidence = admission
            .judge(&params("s3cret"), &facts("127.0.0.1", None), CHALLENGE, NOW)
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
            .judge(&params(&n.to_string()), &facts, CHALLENGE, NOW)
            .evidence;
        assert_eq!(
            evidence.origin,
            OriginEvidence::Refused(Some("https://evil.example.org".into()))
        );
        assert_ne!(evidence.secret, SecretEvidence::TokenMismatch);
    }
    assert!(admission.limiter.lock().unwrap().buckets.is_empty());
}

#[test]
fn guessing_delays_only_clients_of_the_same_bucket() {
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
fn secrets_that_are_not_compared_are_not_guesses() {
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
                    .judge(&offering(&auth), &facts, CHALLENGE, NOW)
                    .evidence
                    .secret,
                wanted
            );
        }
    }
    assert_eq!(tried(&admission, "s3cret", &facts, NOW), SecretEvidence::Match);
}

#[test]
fn a_misplaced_secret_is_named_only_if_none_is_offered() {
    let admission = admission(token(), &[]);
    let facts = Facts {
        misplaced: Some(Misplaced::Query),
        ..facts("127.0.0.1", None)
    };
    assert_eq!(
        admission
            .judge(&offering(&json!({})), &facts, CHALLENGE, NOW)
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
        admission
            .judge(&params("x"), &facts, CHALLENGE, NOW)
            .evidence
            .origin,
        OriginEvidence::Refused(None)
    );
}
