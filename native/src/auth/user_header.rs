//! The user that a trusted proxy states (SPEC 4, "Users"): never a credential.

use std::str::FromStr;

use http::HeaderName;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use presence_core::model::entry::MAX_USER_UNITS;

/// Headers that carry credentials: their values must not be shown.
const SECRET_HEADERS: [HeaderName; 4] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL];

/// The user that one request states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum StatedUser {
    /// No user: the header is absent or blank.
    #[default]
    Nobody,
    /// This id.
    User(Box<str>),
    /// The header is repeated, too long or not UTF-8.
    Unusable,
}

impl StatedUser {
    /// Adds a line of the header. One of two lines may be from the client, so neither counts.
    pub(crate) fn add(&mut self, value: &[u8], is_first: bool) {
        *self = match std::str::from_utf8(value).map(str::trim) {
            _ if !is_first => Self::Unusable,
            Ok("") => Self::Nobody,
            Ok(id) if id.encode_utf16().count() <= MAX_USER_UNITS && !id.contains(char::is_control) => {
                Self::User(id.into())
            }
            _ => Self::Unusable,
        };
    }
}

/// The header in which trusted proxies state the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserHeader(HeaderName);

/// Invalid name for the header that states the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidUserHeader {
    /// No header has such a name.
    #[error("`{0}` is not the name of a header such as X-Forwarded-User")]
    Name(String),
    /// The header carries a credential.
    #[error("`{0}` carries a credential, and every reader sees the user")]
    Credential(HeaderName),
}

impl UserHeader {
    /// The name, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for UserHeader {
    type Err = InvalidUserHeader;

    fn from_str(name: &str) -> Result<Self, InvalidUserHeader> {
        let name: HeaderName = name
            .trim()
            .parse()
            .map_err(|_| InvalidUserHeader::Name(name.trim().to_owned()))?;
        if SECRET_HEADERS.contains(&name) {
            return Err(InvalidUserHeader::Credential(name));
        }
        Ok(Self(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stated(values: &[&[u8]]) -> StatedUser {
        let mut user = StatedUser::default();
        for (index, value) in values.iter().enumerate() {
            user.add(value, index == 0);
        }
        user
    }

    #[test]
    fn one_line_states_a_user() {
        assert_eq!(stated(&[]), StatedUser::Nobody);
        assert_eq!(stated(&[b"  "]), StatedUser::Nobody);
        assert_eq!(
            stated(&[b" ana@example.com "]),
            StatedUser::User("ana@example.com".into())
        );
        assert_eq!(stated(&["zoé".as_bytes()]), StatedUser::User("zoé".into()));
    }

    #[test]
    fn repeated_long_and_unreadable_values_state_no_user() {
        assert_eq!(stated(&[b"ana", b"ana"]), StatedUser::Unusable);
        assert_eq!(stated(&[b"", b"ana"]), StatedUser::Unusable);
        assert_eq!(stated(&[b"\xff"]), StatedUser::Unusable);
        assert_eq!(stated(&[b"a\tb"]), StatedUser::Unusable);
        let longest = "u".repeat(MAX_USER_UNITS);
        assert_eq!(
            stated(&[longest.as_bytes()]),
            StatedUser::User(longest.as_str().into())
        );
        assert_eq!(stated(&[format!("{longest}u").as_bytes()]), StatedUser::Unusable);
    }

    #[test]
    fn names_of_headers() {
        let header: UserHeader = " X-Forwarded-User ".parse().unwrap();
        assert_eq!(header.as_str(), "x-forwarded-user");
        for name in ["", "x user", "X-User:", "Cookie", "authorization"] {
            assert!(name.parse::<UserHeader>().is_err(), "{name:?}");
        }
    }
}
