//! Named tokens: secrets beside the gateway's own, each with its own rights and, optionally, an expiry.

mod lease;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use presence_core::Now;
use presence_core::server::{Grant, Permit};
use presence_core::wire::CloseFrame;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::Notify;

pub(crate) use self::lease::Lease;
use self::lease::Leases;
use super::secret::Secret;

/// Most named tokens of a gateway.
pub const MAX_TOKENS: usize = 1_000;
/// Most characters of a name.
pub const MAX_NAME_CHARS: usize = 64;

/// A secret with a name, rights and, optionally, an expiry. Only the secret's SHA-256 is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct NamedToken {
    name: Arc<str>,
    digest: [u8; 32],
    permit: Arc<Permit>,
    expires_ms: Option<u64>,
}

impl NamedToken {
    /// A token that ends at `expires_ms`, in ms since the Unix epoch, or never.
    ///
    /// # Errors
    /// [`InvalidToken::Name`].
    pub fn new(
        name: &str,
        secret: &Secret,
        permit: Permit,
        expires_ms: Option<u64>,
    ) -> Result<Self, InvalidToken> {
        let is_word = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.len() > MAX_NAME_CHARS || !name.chars().all(is_word) {
            return Err(InvalidToken::Name(name.chars().take(MAX_NAME_CHARS).collect()));
        }
        Ok(Self {
            name: name.into(),
            digest: digest(secret.reveal()),
            permit: Arc::new(permit),
            expires_ms,
        })
    }

    /// Whether its secret is this one.
    #[must_use]
    pub fn has_secret(&self, secret: &Secret) -> bool {
        bool::from(self.digest.ct_eq(&digest(secret.reveal())))
    }

    fn is_expired(&self, now: Now) -> bool {
        self.expires_ms.is_some_and(|end| end <= now.wall_ms)
    }

    /// The name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The grant of the token.
    pub(crate) fn grant(&self) -> Grant {
        Grant::Only(Arc::clone(&self.permit))
    }
}

/// Shows neither the secret nor its digest.
impl fmt::Debug for NamedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NamedToken")
            .field("name", &self.name)
            .field("permit", &self.permit)
            .field("expires_ms", &self.expires_ms)
            .finish_non_exhaustive()
    }
}

/// Why tokens cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidToken {
    /// A name is empty, too long, or has a character that is not permitted.
    #[error("`{0}` is not a name of 1 to {MAX_NAME_CHARS} letters, digits, `-`, `_` and `.`")]
    Name(String),
    /// Two tokens have one name.
    #[error("two tokens have the name `{0}`")]
    SameName(Arc<str>),
    /// Two tokens have one secret.
    #[error("the tokens `{0}` and `{1}` have the same secret")]
    SameSecret(Arc<str>, Arc<str>),
    /// There are too many.
    #[error("{0} tokens are more than {MAX_TOKENS}")]
    TooMany(usize),
}

/// The result of looking a client's secrets up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// No token has one of them.
    Nothing,
    /// The token has expired.
    Expired,
    /// The secret of this token.
    Match(NamedToken),
}

/// The named tokens of a gateway, which can be replaced while it runs. Clones share them.
///
/// ```
/// use presence_core::model::Role;
/// use presence_core::server::Permit;
/// use presence_gateway::{NamedToken, Secret, Tokens};
///
/// let permit = Permit {
///     roles: [Role::Operator].into(),
///     scopes: ["operator.read".into()].into(),
///     hides_addresses: false,
/// };
/// let token = NamedToken::new("dashboard", &Secret::random()?, permit, None)?;
/// let tokens = Tokens::new(vec![token])?;
/// tokens.replace(Vec::new())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Tokens(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    /// The set was replaced.
    replaced: Notify,
}

#[derive(Debug, Default)]
struct State {
    set: Vec<NamedToken>,
    leases: Leases,
}

impl Tokens {
    /// A set of tokens.
    ///
    /// # Errors
    /// [`InvalidToken`]: there are too many, or two have one name or secret.
    pub fn new(set: Vec<NamedToken>) -> Result<Self, InvalidToken> {
        let tokens = Self::default();
        tokens.replace(set)?;
        Ok(tokens)
    }

    /// Replaces the set. Connections whose token is gone, or permits less than before, are closed. Returns how many are
    /// closed.
    ///
    /// # Errors
    /// As [`new`](Self::new); the old set stays.
    pub fn replace(&self, set: Vec<NamedToken>) -> Result<usize, InvalidToken> {
        check(&set)?;
        let mut state = self.state();
        let by_digest: HashMap<[u8; 32], &NamedToken> =
            set.iter().map(|token| (token.digest, token)).collect();
        let closed = state.leases.end_where(
            |digest, grant| {
                by_digest
                    .get(digest)
                    .is_none_or(|token| !token.grant().covers(grant))
            },
            &CloseFrame::TOKEN_REVOKED,
        );
        state.set = set;
        drop(state);
        self.0.replaced.notify_one();
        Ok(closed)
    }

    /// Looks for the token of one of these secrets; one that has not expired is preferred. All are compared, in a time
    /// that does not depend on their content.
    pub(crate) fn find(&self, offered: &[&str], now: Now) -> Found {
        let state = self.state();
        let mut found: Option<&NamedToken> = None;
        for digest in offered.iter().map(|text| digest(text)) {
            for token in &state.set {
                let is_it = bool::from(token.digest.ct_eq(&digest));
                if is_it && found.is_none_or(|found| found.is_expired(now)) {
                    found = Some(token);
                }
            }
        }
        match found {
            None => Found::Nothing,
            Some(token) if token.is_expired(now) => Found::Expired,
            Some(token) => Found::Match(token.clone()),
        }
    }

    /// Closes the connection when its token ends, as long as the lease is held. `token` is the result of
    /// [`find`](Self::find).
    ///
    /// # Errors
    /// The close of the connection, if the token expired since, is gone, or permits less.
    pub(crate) fn lease(
        &self,
        token: &NamedToken,
        connection: Weak<dyn Closable>,
        now: Now,
    ) -> Result<Lease, CloseFrame> {
        let mut state = self.state();
        let known = state.set.iter().find(|known| known.digest == token.digest);
        match known {
            Some(known) if known.is_expired(now) => return Err(CloseFrame::TOKEN_EXPIRED),
            Some(known) if known.grant().covers(&token.grant()) => {}
            _ => return Err(CloseFrame::TOKEN_REVOKED),
        }
        let number = state.leases.add(token.digest, token.grant(), connection);
        drop(state);
        Ok(Lease::new(self.clone(), number))
    }

    /// Waits until the set is replaced.
    pub(crate) async fn replaced(&self) {
        self.0.replaced.notified().await;
    }

    /// Closes the connections of expired tokens. Returns when the next one expires, in ms since the Unix epoch.
    pub(crate) fn end_expired(&self, now: Now) -> u64 {
        let mut state = self.state();
        let State { set, leases } = &mut *state;
        let expired: Vec<[u8; 32]> = set
            .iter()
            .filter(|token| token.is_expired(now))
            .map(|token| token.digest)
            .collect();
        if !expired.is_empty() {
            leases.end_where(|digest, _| expired.contains(digest), &CloseFrame::TOKEN_EXPIRED);
        }
        let ends = set.iter().filter_map(|token| token.expires_ms);
        ends.filter(|end| *end > now.wall_ms).min().unwrap_or(u64::MAX)
    }

    fn end_lease(&self, number: u64) {
        self.state().leases.remove(number);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check(set: &[NamedToken]) -> Result<(), InvalidToken> {
    if set.len() > MAX_TOKENS {
        return Err(InvalidToken::TooMany(set.len()));
    }
    let mut names = HashMap::new();
    let mut secrets = HashMap::new();
    for token in set {
        if names.insert(&token.name, ()).is_some() {
            return Err(InvalidToken::SameName(Arc::clone(&token.name)));
        }
        if let Some(other) = secrets.insert(token.digest, &token.name) {
            return Err(InvalidToken::SameSecret(
                Arc::clone(other),
                Arc::clone(&token.name),
            ));
        }
    }
    Ok(())
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// A connection that can be closed.
pub(crate) trait Closable: fmt::Debug + Send + Sync {
    /// Queues a close; nothing follows it.
    fn close(&self, close: CloseFrame);
}

#[cfg(test)]
mod tests;
