//! The shared secret (SPEC 4).

use std::fmt;

use presence_core::server::SecretEvidence;
use presence_core::wire::AuthParams;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

/// Placeholders that scripts and templates leave for an empty variable.
const NOT_SECRETS: [&str; 4] = ["undefined", "null", "[redacted]", "__redacted__"];

/// A secret; never shown by `Debug`, never logged, and overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

/// The text cannot be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSecret {
    /// It is blank, or a word that stands for "no value".
    #[error("it is empty or a placeholder such as `undefined` or `null`; set a real secret")]
    Placeholder,
    /// A line end or another control character is inside.
    #[error(
        "it holds the control character U+{character:04X} after {before} characters; \
         write the secret on one line without such characters"
    )]
    Control {
        /// The first one.
        character: u32,
        /// How many characters precede it.
        before: usize,
    },
}

impl Secret {
    /// Trims line ends, which files and command substitutions leave behind. Other blanks belong to the secret.
    ///
    /// # Errors
    /// [`InvalidSecret`] when it is blank, a word that stands for "no value", or holds control characters.
    pub fn new(text: &str) -> Result<Self, InvalidSecret> {
        let text = text.trim_matches(['\r', '\n']);
        let word = text.trim();
        if word.is_empty() || NOT_SECRETS.iter().any(|not| word.eq_ignore_ascii_case(not)) {
            return Err(InvalidSecret::Placeholder);
        }
        if let Some((before, c)) = text.chars().enumerate().find(|(_, c)| c.is_control()) {
            return Err(InvalidSecret::Control {
                character: c.into(),
                before,
            });
        }
        Ok(Self(text.to_owned().into()))
    }

    /// A random token: 32 bytes as hex.
    ///
    /// # Errors
    /// When the system provides no randomness.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        getrandom::fill(&mut *bytes)?;
        // Allocated at its final length: a reallocation would leave a copy of the secret in freed memory.
        let mut text = Zeroizing::new(String::with_capacity(2 * bytes.len()));
        for byte in *bytes {
            text.push_str(&format!("{byte:02x}"));
        }
        Ok(Self(text))
    }

    /// The secret in clear text, to print it at the start or to send it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Compares in a time that depends on neither content nor length.
    fn matches(&self, offered: &str) -> Choice {
        Sha256::digest(self.0.as_bytes()).ct_eq(&Sha256::digest(offered.as_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Returns the secrets of a request that are compared: `auth.token` and `auth.password`, as far as they are present,
/// not empty and different.
pub(crate) fn offered(auth: &AuthParams) -> Vec<&str> {
    let texts = [&auth.token, &auth.password].into_iter().flatten();
    let mut texts: Vec<&str> = texts
        .map(|text| &**text)
        .filter(|text| !text.is_empty())
        .collect();
    texts.dedup();
    texts
}

/// How clients prove that they may connect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthMode {
    /// Without a secret: only for a gateway that no other machine can reach.
    #[default]
    None,
    /// With this token.
    Token(Secret),
    /// With this password.
    Password(Secret),
}

impl AuthMode {
    /// The mode's name: `none`, `token` or `password`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Token(_) => "token",
            Self::Password(_) => "password",
        }
    }

    /// The evidence that all offered secrets are wrong.
    #[must_use]
    pub fn mismatch(&self) -> SecretEvidence {
        match self {
            Self::None => SecretEvidence::NotRequired,
            Self::Token(_) => SecretEvidence::TokenMismatch,
            Self::Password(_) => SecretEvidence::PasswordMismatch,
        }
    }

    /// Compares the secrets that the client offers. Either member may carry the secret; one match suffices, and both
    /// are always compared.
    #[must_use]
    pub fn compare(&self, auth: &AuthParams) -> SecretEvidence {
        let (secret, missing) = match self {
            Self::None => return SecretEvidence::NotRequired,
            Self::Token(secret) => (secret, SecretEvidence::TokenMissing),
            Self::Password(secret) => (secret, SecretEvidence::PasswordMissing),
        };
        let mut any = false;
        let mut is_match = Choice::from(0);
        for text in offered(auth) {
            any = true;
            is_match |= secret.matches(text);
        }
        // Tokens of other gateways count as wrong secrets.
        any |= auth.device_token.is_some() || auth.bootstrap_token.is_some();
        match (bool::from(is_match), any) {
            (true, _) => SecretEvidence::Match,
            (false, true) => self.mismatch(),
            (false, false) => missing,
        }
    }
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

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

    /// Safe code cannot look at freed memory. The compiler checks that the type overwrites it.
    #[test]
    fn secrets_are_overwritten_when_they_are_dropped() {
        fn check(_: &impl ZeroizeOnDrop) {}
        check(&Secret::random().unwrap().0);
    }

    #[test]
    fn placeholders_are_no_secrets() {
        for text in ["", "  ", "undefined", "null", " NULL ", "Undefined"] {
            assert_eq!(Secret::new(text), Err(InvalidSecret::Placeholder), "{text:?}");
        }
        assert!(Secret::new("nullify").is_ok());
    }

    #[test]
    fn line_ends_around_a_secret_are_not_part_of_it() {
        for text in ["s3cret\n", "s3cret\r\n", "\ns3cret\n\n"] {
            assert_eq!(Secret::new(text).unwrap().reveal(), "s3cret", "{text:?}");
        }
        assert_eq!(Secret::new(" s3cret \n").unwrap().reveal(), " s3cret ");
        assert_eq!(Secret::new("\n"), Err(InvalidSecret::Placeholder));
        for (text, character) in [("a\nb", 0xa), ("a\tb", 9), ("s\t", 9), ("a\u{85}", 0x85)] {
            assert_eq!(
                Secret::new(text),
                Err(InvalidSecret::Control { character, before: 1 }),
                "{text:?}"
            );
        }
        let message = Secret::new("s3c\nret").unwrap_err().to_string();
        assert!(
            message.contains("U+000A after 3") && !message.contains("s3c"),
            "{message}"
        );
    }

    #[test]
    fn one_text_in_both_members_is_one_secret() {
        assert_eq!(offered(&offering(Some("x"), Some("x"))), ["x"]);
        assert_eq!(offered(&offering(Some(""), Some("y"))), ["y"]);
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
    fn the_answer_names_the_expected_kind_of_secret() {
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
