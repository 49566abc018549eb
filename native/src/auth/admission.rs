//! Finds the evidence for a `connect` request: origin, secret, device proof. Core decides.

use std::sync::{Mutex, PoisonError};

use presence_core::Now;
use presence_core::server::{DeviceEvidence, Evidence, Grant, OriginEvidence, SecretEvidence, judge_request};
use presence_core::wire::device::Challenge;
use presence_core::wire::error::SecretKind;
use presence_core::wire::{AuthParams, ConnectParams, WireError};

use crate::auth::device;
use crate::auth::facts::Facts;
use crate::auth::origin::AllowedOrigins;
use crate::auth::proxy::is_loopback;
use crate::auth::secret::{AuthMode, offered};
use crate::auth::throttle::{Bucket, Check, GuessLimiter};
use crate::auth::tokens::{Found, NamedToken, Tokens};

/// Decides who may connect.
#[derive(Debug)]
pub(crate) struct Admission {
    auth: AuthMode,
    tokens: Option<Tokens>,
    origins: AllowedOrigins,
    limiter: Mutex<GuessLimiter>,
}

/// The evidence for a request, and the named token that it presents.
#[derive(Debug)]
pub(crate) struct Judgement {
    /// For core.
    pub evidence: Evidence,
    /// The named token as it was when it was compared, if it is one.
    pub token: Option<NamedToken>,
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
    pub(crate) fn judge(
        &self,
        params: &ConnectParams,
        facts: &Facts,
        challenge: Challenge<'_>,
        now: Now,
    ) -> Judgement {
        let mut token = None;
        let mut evidence = Evidence {
            origin: self.origin(facts),
            secret: SecretEvidence::TokenMissing,
            device: DeviceEvidence::Absent,
            grant: Grant::Everything,
        };
        if evidence.origin != OriginEvidence::Allowed {
            return Judgement { evidence, token };
        }
        evidence.secret = match self.secret(&params.auth, facts, now) {
            Outcome::Evidence(secret) => secret,
            Outcome::Named(named) => {
                evidence.grant = named.grant();
                token = Some(named);
                SecretEvidence::Match
            }
        };
        if matches!(
            evidence.secret,
            SecretEvidence::Match | SecretEvidence::NotRequired
        ) {
            evidence.device = device::verify(params, challenge, now);
        }
        Judgement { evidence, token }
    }

    /// Judges a request of plain HTTP that presents these secrets, under the throttle of handshakes. Returns the
    /// grant of the secret, and its named token if it has one.
    ///
    /// # Errors
    /// The error to answer.
    pub(crate) fn judge_request(
        &self,
        auth: &AuthParams,
        facts: &Facts,
        now: Now,
    ) -> Result<(Option<NamedToken>, Grant), WireError> {
        let origin = self.origin(facts);
        let outcome = match origin {
            OriginEvidence::Allowed => self.secret(auth, facts, now),
            // A refused page cannot guess secrets.
            OriginEvidence::Refused(_) => SecretEvidence::NotRequired.into(),
        };
        match outcome {
            Outcome::Evidence(secret) => judge_request(origin, secret).map(|()| (None, Grant::Everything)),
            Outcome::Named(named) => {
                let grant = named.grant();
                Ok((Some(named), grant))
            }
        }
    }

    /// Whether requests for this host are answered. Without a secret, a page whose foreign name was rebound to this
    /// machine must get no data, over WebSocket or plain HTTP.
    pub(crate) fn answers_to(&self, host: Option<&str>) -> bool {
        self.auth != AuthMode::None || self.origins.allows_host(host)
    }

    /// The origin of the page that sent the request, if it is one that may read the answer.
    pub(crate) fn page<'a>(&self, facts: &'a Facts) -> Option<&'a str> {
        let origin = facts.origin.as_deref();
        origin.filter(|_| self.origin(facts) == OriginEvidence::Allowed)
    }

    fn origin(&self, facts: &Facts) -> OriginEvidence {
        let host = facts.host.as_deref();
        if !self.answers_to(host) {
            return OriginEvidence::Refused(None);
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
            OriginEvidence::Refused(Some(origin.clone()))
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
            // It may be the secret of a token that was added since.
            Check::KnownWrong => {
                return self
                    .named(&offered, now)
                    .unwrap_or_else(|| self.auth.mismatch().into());
            }
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
                if let Some(outcome) = self.named(&offered, now) {
                    return outcome;
                }
                limiter.mismatched(bucket, &offered, now.age_ms);
                evidence
            }
            evidence => evidence,
        }
        .into()
    }

    /// Looks secrets that are not the gateway's own up among the named tokens; `None` if no token has one of them.
    fn named(&self, offered: &[&str], now: Now) -> Option<Outcome> {
        match self.tokens.as_ref()?.find(offered, now) {
            Found::Match(token) => Some(Outcome::Named(token)),
            Found::Expired => Some(SecretEvidence::TokenExpired.into()),
            Found::Nothing => None,
        }
    }
}

/// The result of looking a secret up.
enum Outcome {
    Evidence(SecretEvidence),
    /// The secret of this token.
    Named(NamedToken),
}

impl From<SecretEvidence> for Outcome {
    fn from(evidence: SecretEvidence) -> Self {
        Self::Evidence(evidence)
    }
}

#[cfg(test)]
mod tests;
