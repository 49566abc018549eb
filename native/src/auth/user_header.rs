//! Who the user is, as a trusted proxy states it (SPEC 4, "Users"): never a credential.

use presence_core::model::entry::MAX_USER_UNITS;

/// Headers that carry credentials: their values must not be shown.
const SECRET_HEADERS: [&str; 4] = [
    "authorization",
    "cookie",
    "proxy-authorization",
    "sec-websocket-protocol",
];

/// What the header of one request says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StatedUser {
    /// Nothing: there is no such header, or it is blank.
    #[default]
    Nobody,
    /// This id.
    User(Box<str>),
    /// No id can be taken from it: the header is repeated, too long or not UTF-8.
    Unusable,
}

impl StatedUser {
    /// Takes in one more line of the header. Of two, one may be the client's own, so neither counts.
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

/// The name of a header, in lower case.
///
/// # Errors
/// Says why the name cannot be one that states a user.
pub fn parse(name: &str) -> Result<Box<str>, String> {
    let name = name.trim().to_ascii_lowercase();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(format!(
            "`{name}` is not the name of a header such as X-Forwarded-User"
        ));
    }
    if SECRET_HEADERS.contains(&name.as_str()) {
        return Err(format!(
            "`{name}` carries a credential, and every reader sees the user"
        ));
    }
    Ok(name.into())
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
    fn repeated_long_and_unreadable_values_state_nobody() {
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
        assert_eq!(parse(" X-Forwarded-User ").as_deref(), Ok("x-forwarded-user"));
        for name in ["", "x user", "X-User:", "Cookie", "authorization"] {
            assert!(parse(name).is_err(), "{name:?}");
        }
    }
}
