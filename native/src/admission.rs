//! Finds the facts about a `connect` request: origin, secret, device proof. Core decides on them.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use presence_core::Now;
use presence_core::protocol::ConnectParams;
use presence_core::server::{DeviceEvidence, Evidence, OriginEvidence, SecretEvidence};
use tracing::warn;

use crate::auth::AuthMode;
use crate::device;
use crate::head::Head;
use crate::log::Throttle;
use crate::origin::AllowedOrigins;
use crate::proxy::{Client, is_loopback};
use crate::ratelimit::{Failed, Key, RateLimiter, RateLimits};

/// What the HTTP request of a connection said.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Who it came from.
    pub client: Client,
    /// Its Origin header.
    pub origin: Option<Box<str>>,
    /// Its Host header.
    pub host: Option<Box<str>>,
}

impl Facts {
    /// The facts of a request.
    #[must_use]
    pub fn new(client: Client, head: Head) -> Self {
        Self {
            client,
            origin: head.origin,
            host: head.host,
        }
    }

    /// Whose failures its failures are counted with.
    fn key(&self) -> Key {
        match (self.client.ip, &self.origin) {
            (None, _) => Key::Proxy(self.client.peer),
            (Some(ip), None) if is_loopback(ip) => Key::Local,
            (Some(ip), Some(origin)) if is_loopback(ip) => Key::page(origin),
            (Some(ip), _) => Key::Address(ip),
        }
    }
}

/// Whom the gateway lets in.
#[derive(Debug)]
pub struct Admission {
    auth: AuthMode,
    origins: AllowedOrigins,
    limiter: Mutex<RateLimiter>,
    log: Throttles,
}

/// For lines that anybody can cause.
#[derive(Debug, Default)]
struct Throttles {
    host: Throttle,
    origin: Throttle,
    secret: Throttle,
    lockout: Throttle,
}

impl Admission {
    /// Lets in whoever has the secret and, if it is a web page, comes from an allowed origin.
    #[must_use]
    pub fn new(auth: AuthMode, origins: AllowedOrigins, limits: RateLimits) -> Self {
        Self {
            auth,
            origins,
            limiter: Mutex::new(RateLimiter::new(limits)),
            log: Throttles::default(),
        }
    }

    /// The facts about a request, and after how many ms to act on them. Once something is wrong, what
    /// comes later in the order of checks is not looked at: nobody can guess a secret from a page that
    /// may not connect, or make the gateway verify signatures without a secret.
    pub fn judge(&self, params: &ConnectParams, facts: &Facts, nonce: &str, now: Now) -> (Evidence, u64) {
        let mut evidence = Evidence {
            origin: self.origin(facts, now),
            secret: SecretEvidence::TokenMissing,
            device: DeviceEvidence::Absent,
        };
        if evidence.origin == OriginEvidence::Refused {
            return (evidence, 0);
        }
        let delay_ms;
        (evidence.secret, delay_ms) = self.secret(params, facts, now);
        if matches!(
            evidence.secret,
            SecretEvidence::Match | SecretEvidence::NotRequired
        ) {
            evidence.device = device::verify(params, nonce, now);
        }
        (evidence, delay_ms)
    }

    fn origin(&self, facts: &Facts, now: Now) -> OriginEvidence {
        let host = facts.host.as_deref();
        if self.auth == AuthMode::None && !self.origins.allows_host(host) {
            if self.log.host.passes(now.age_ms) {
                warn!(
                    host = ?short(host.unwrap_or("")),
                    "refused: without a secret, only this machine's own names may be used; list others by --allowed-origin"
                );
            }
            return OriginEvidence::Refused;
        }
        let Some(origin) = &facts.origin else {
            return OriginEvidence::Allowed;
        };
        let is_local_peer = is_loopback(facts.client.peer);
        if self
            .origins
            .allows(origin, host, facts.client.is_direct_local, is_local_peer)
        {
            return OriginEvidence::Allowed;
        }
        if self.log.origin.passes(now.age_ms) {
            warn!(origin = ?short(origin), "refused a web page: allow it by --allowed-origin if it is yours");
        }
        OriginEvidence::Refused
    }

    fn secret(&self, params: &ConnectParams, facts: &Facts, now: Now) -> (SecretEvidence, u64) {
        let key = facts.key();
        let mut limiter = self.limiter.lock().unwrap_or_else(PoisonError::into_inner);
        if self.auth != AuthMode::None
            && let Some(retry_after_ms) = limiter.locked(&key, now.age_ms)
        {
            return (SecretEvidence::RateLimited { retry_after_ms }, 0);
        }
        let evidence = self.auth.compare(&params.auth);
        let client = facts.client.ip.unwrap_or(facts.client.peer);
        match evidence {
            SecretEvidence::Match => limiter.succeeded(&key),
            SecretEvidence::TokenMismatch | SecretEvidence::PasswordMismatch => {
                let failed = limiter.failed(key, now.age_ms);
                return (evidence, self.note_failure(failed, client, now));
            }
            _ => {}
        }
        (evidence, 0)
    }

    /// Says so, and how long the answer has to wait, in ms.
    fn note_failure(&self, failed: Failed, client: IpAddr, now: Now) -> u64 {
        match failed {
            Failed::Delay(ms) => {
                if self.log.secret.passes(now.age_ms) {
                    warn!(%client, "refused: wrong secret");
                }
                ms
            }
            Failed::Locked(ms) => {
                if self.log.lockout.passes(now.age_ms) {
                    warn!(%client, for_seconds = ms / 1_000, "too many wrong secrets: locked out");
                }
                0
            }
        }
    }
}

/// Enough of a client's words for a line in the log.
fn short(text: &str) -> &str {
    crate::log::start_of(text, 100)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::auth::Secret;
    use crate::proxy::TrustedProxies;

    const NOW: Now = Now {
        age_ms: 1_000,
        wall_ms: 1_700_000_000_000,
    };

    fn admission(auth: AuthMode, origins: &[&str]) -> Admission {
        Admission::new(
            auth,
            AllowedOrigins::parse(origins).unwrap(),
            RateLimits::default(),
        )
    }

    fn token() -> AuthMode {
        AuthMode::Token(Secret::new("s3cret").unwrap())
    }

    fn facts(peer: &str, origin: Option<&str>) -> Facts {
        Facts {
            client: TrustedProxies::default().attribute(peer.parse().unwrap(), false, None),
            origin: origin.map(Into::into),
            host: Some("127.0.0.1:18789".into()),
        }
    }

    fn params(token: &str) -> ConnectParams {
        ConnectParams::parse(&json!({
            "minProtocol": 3, "maxProtocol": 4,
            "client": { "id": "cli", "version": "1", "platform": "linux", "mode": "cli" },
            "auth": { "token": token },
        }))
        .unwrap()
    }

    #[test]
    fn the_right_secret_is_let_in() {
        let (evidence, delay) =
            admission(token(), &[]).judge(&params("s3cret"), &facts("127.0.0.1", None), "n", NOW);
        assert_eq!(
            (evidence.origin, evidence.secret),
            (OriginEvidence::Allowed, SecretEvidence::Match)
        );
        assert_eq!(delay, 0);
    }

    #[test]
    fn a_refused_page_cannot_guess() {
        let admission = admission(token(), &[]);
        let facts = facts("127.0.0.1", Some("https://evil.example.org"));
        for _ in 0..20 {
            let (evidence, delay) = admission.judge(&params("guess"), &facts, "n", NOW);
            assert_eq!((evidence.origin, delay), (OriginEvidence::Refused, 0));
            assert_ne!(evidence.secret, SecretEvidence::TokenMismatch);
        }
        assert!(admission.limiter.lock().unwrap().is_empty());
    }

    #[test]
    fn a_remote_guesser_is_locked_out_and_others_are_not() {
        let admission = admission(token(), &[]);
        for _ in 0..10 {
            let (evidence, delay) = admission.judge(&params("guess"), &facts("192.0.2.1", None), "n", NOW);
            assert_eq!((evidence.secret, delay), (SecretEvidence::TokenMismatch, 0));
        }
        let (evidence, _) = admission.judge(&params("s3cret"), &facts("192.0.2.1", None), "n", NOW);
        assert_eq!(
            evidence.secret,
            SecretEvidence::RateLimited {
                retry_after_ms: 300_000
            }
        );
        let (evidence, _) = admission.judge(&params("s3cret"), &facts("192.0.2.2", None), "n", NOW);
        assert_eq!(evidence.secret, SecretEvidence::Match);
    }

    #[test]
    fn this_machine_is_delayed_but_its_pages_are_locked_out() {
        let admission = admission(token(), &[]);
        let local = facts("127.0.0.1", None);
        assert_eq!(admission.judge(&params("guess"), &local, "n", NOW).1, 250);
        assert_eq!(admission.judge(&params("guess"), &local, "n", NOW).1, 500);

        let page = facts("127.0.0.1", Some("http://localhost:5173"));
        for _ in 0..10 {
            admission.judge(&params("guess"), &page, "n", NOW);
        }
        let (evidence, _) = admission.judge(&params("s3cret"), &page, "n", NOW);
        assert!(matches!(evidence.secret, SecretEvidence::RateLimited { .. }));
        assert_eq!(
            admission.judge(&params("s3cret"), &local, "n", NOW).0.secret,
            SecretEvidence::Match
        );
    }

    #[test]
    fn without_a_secret_only_own_names_are_answered() {
        let admission = admission(AuthMode::None, &[]);
        let mut facts = facts("127.0.0.1", None);
        assert_eq!(
            admission.judge(&params("x"), &facts, "n", NOW).0.secret,
            SecretEvidence::NotRequired
        );
        facts.host = Some("rebound.example.org:18789".into());
        assert_eq!(
            admission.judge(&params("x"), &facts, "n", NOW).0.origin,
            OriginEvidence::Refused
        );
    }
}
