//! The shared secret (SPEC 4).

use std::fmt;

use presence_core::protocol::AuthParams;
use presence_core::server::SecretEvidence;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// What an empty variable of some script or template leaves behind: never a secret.
const NOT_SECRETS: [&str; 4] = ["undefined", "null", "[redacted]", "__redacted__"];

/// A secret; never shown by `Debug`, never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

/// The text cannot be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is empty or a placeholder such as `undefined` or `null`; set a real secret")]
pub struct InvalidSecret;

impl Secret {
    /// Takes the text as it is.
    ///
    /// # Errors
    /// [`InvalidSecret`] when it is blank, or a word that stands for "no value".
    pub fn new(text: &str) -> Result<Self, InvalidSecret> {
        let word = text.trim();
        if word.is_empty() || NOT_SECRETS.iter().any(|not| word.eq_ignore_ascii_case(not)) {
            return Err(InvalidSecret);
        }
        Ok(Self(text.into()))
    }

    /// A random token: 32 bytes as hex.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(
            bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
                .into(),
        ))
    }

    /// The secret itself, for showing it to the person who starts the gateway and for sending it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Compares in a time that tells neither content nor length.
    fn matches(&self, offered: &str) -> Choice {
        Sha256::digest(self.0.as_bytes()).ct_eq(&Sha256::digest(offered.as_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// How clients prove that they may connect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AuthMode {
    /// They need not: only for a gateway nobody else can reach.
    #[default]
    None,
    /// By this token.
    Token(Secret),
    /// By this password.
    Password(Secret),
}

impl AuthMode {
    /// The word for it: `none`, `token` or `password`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Token(_) => "token",
            Self::Password(_) => "password",
        }
    }

    /// Compares what the client offers. Either member may carry the secret; one match suffices, and
    /// both are always compared.
    #[must_use]
    pub fn compare(&self, offered: &AuthParams) -> SecretEvidence {
        let (secret, missing, mismatch) = match self {
            Self::None => return SecretEvidence::NotRequired,
            Self::Token(secret) => (
                secret,
                SecretEvidence::TokenMissing,
                SecretEvidence::TokenMismatch,
            ),
            Self::Password(secret) => (
                secret,
                SecretEvidence::PasswordMissing,
                SecretEvidence::PasswordMismatch,
            ),
        };
        let mut any = false;
        let mut is_match = Choice::from(0);
        for text in [&offered.token, &offered.password]
            .into_iter()
            .flatten()
            .filter(|text| !text.is_empty())
        {
            any = true;
            is_match |= secret.matches(text);
        }
        // Tokens of other gateways are credentials too: wrong ones.
        any |= offered.device_token.is_some() || offered.bootstrap_token.is_some();
        match (bool::from(is_match), any) {
            (true, _) => SecretEvidence::Match,
            (false, true) => mismatch,
            (false, false) => missing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_mode() -> AuthMode {
        AuthMode::Token(Secret::new("s3cret").unwrap())
    }

    fn offering(token: Option<&str>, password: Option<&str>) -> AuthParams {
        AuthParams {
            token: token.map(Into::into),
            password: password.map(Into::into),
            ..AuthParams::default()
        }
    }

    #[test]
    fn placeholders_are_no_secrets() {
        for text in ["", "  ", "undefined", "null", " NULL ", "Undefined"] {
            assert_eq!(Secret::new(text), Err(InvalidSecret), "{text:?}");
        }
        assert!(Secret::new("nullify").is_ok());
    }

    #[test]
    fn either_member_may_carry_the_secret() {
        let cases = [
            (Some("s3cret"), None, SecretEvidence::Match),
            (None, Some("s3cret"), SecretEvidence::Match),
            (Some("wrong"), Some("s3cret"), SecretEvidence::Match),
            (Some("s3cret"), Some("wrong"), SecretEvidence::Match),
            (Some("wrong"), None, SecretEvidence::TokenMismatch),
            (Some("s3cret "), None, SecretEvidence::TokenMismatch),
            (Some("s3cre"), None, SecretEvidence::TokenMismatch),
            (Some(""), None, SecretEvidence::TokenMissing),
            (None, None, SecretEvidence::TokenMissing),
        ];
        for (token, password, wanted) in cases {
            assert_eq!(
                token_mode().compare(&offering(token, password)),
                wanted,
                "{token:?} {password:?}"
            );
        }
    }

    #[test]
    fn the_answer_names_what_the_gateway_wants() {
        let password = AuthMode::Password(Secret::new("s3cret").unwrap());
        assert_eq!(
            password.compare(&offering(None, None)),
            SecretEvidence::PasswordMissing
        );
        assert_eq!(
            password.compare(&offering(Some("x"), None)),
            SecretEvidence::PasswordMismatch
        );
        assert_eq!(
            AuthMode::None.compare(&offering(Some("x"), None)),
            SecretEvidence::NotRequired
        );
    }

    #[test]
    fn another_gateways_device_token_is_a_mismatch_not_a_missing_secret() {
        let offered = AuthParams {
            device_token: Some("s3cret".into()),
            ..AuthParams::default()
        };
        assert_eq!(token_mode().compare(&offered), SecretEvidence::TokenMismatch);
    }

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(format!("{:?}", token_mode()), "Token(Secret(..))");
        assert_ne!(Secret::random().unwrap(), Secret::random().unwrap());
    }
}
