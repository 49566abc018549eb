//! The named tokens: a file of their own (`--tokens`), or tables of the configuration file (`[tokens.NAME]`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use presence_core::model::{Role, scope};
use presence_core::server::Permit;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use toml::Spanned;
use toml::value::Datetime;
use zeroize::Zeroizing;

use super::OptionsError;
use super::error::invalid;
use crate::auth::secret::Secret;
use crate::auth::tokens::{NamedToken, Tokens};
use crate::files::read_small;

/// Most bytes of the file.
const MAX_BYTES: u64 = 1024 * 1024;

/// The error for a value of a wrong type.
const WRONG_TYPE: &str = "wrong type of a value: a token is a table with `token` (a string), `scopes` (a list) and, if \
     you like, `roles` (a list), `expires` (a date with time and offset) and `hide-addresses` (true or false)";

/// Tokens, and the file that they are from.
#[derive(Clone, Debug)]
pub(crate) struct TokensFile {
    path: PathBuf,
    #[cfg(unix)]
    place: Place,
    /// The gateway's own secret, which permits everything; no token can have it.
    #[cfg(unix)]
    own: Option<Secret>,
    /// The tokens in use.
    pub(crate) tokens: Tokens,
}

/// The place of tokens in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The file has tokens only.
    Whole,
    /// In the tables `tokens` of a configuration file.
    Tables,
}

impl Place {
    /// The option that names the file.
    fn option(self) -> &'static str {
        match self {
            Self::Whole => "tokens",
            Self::Tables => "config",
        }
    }
}

impl TokensFile {
    /// Reads the file.
    ///
    /// # Errors
    /// [`OptionsError`] names the line and what is wrong there.
    pub(super) fn read(path: &Path, place: Place, own: Option<&Secret>) -> Result<Self, OptionsError> {
        let tokens = read(path, place, own)
            .and_then(|set| Tokens::new(set).map_err(|error| Unread::Invalid(error.to_string())))
            .map_err(|why| invalid(place.option(), &format!("{}: {why}", path.display())))?;
        Ok(Self {
            path: path.to_owned(),
            #[cfg(unix)]
            place,
            #[cfg(unix)]
            own: own.cloned(),
            tokens,
        })
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The option that names the file.
    #[cfg(unix)]
    pub(crate) fn option(&self) -> &'static str {
        self.place.option()
    }

    /// Reads the file again. Returns the number of connections that are closed: their token is gone or permits less.
    ///
    /// # Errors
    /// The error with its line; the old tokens stay.
    #[cfg(unix)]
    pub(crate) fn reload(&self) -> Result<usize, Unread> {
        let set = read(&self.path, self.place, self.own.as_ref())?;
        let replaced = self.tokens.replace(set);
        replaced.map_err(|error| Unread::Invalid(error.to_string()))
    }
}

/// Why tokens are not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    /// The system does not let the file be read.
    #[error(transparent)]
    Unreadable(#[from] std::io::Error),
    /// What is wrong in it, with the line.
    #[error("{0}")]
    Invalid(String),
}

impl Unread {
    /// Whether the system denies access to the file.
    #[cfg(unix)]
    pub(crate) fn is_denied(&self) -> bool {
        matches!(self, Self::Unreadable(error) if error.kind() == std::io::ErrorKind::PermissionDenied)
    }
}

/// A token in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stated {
    token: Zeroizing<String>,
    scopes: Vec<String>,
    roles: Option<Vec<StatedRole>>,
    expires: Option<Datetime>,
    #[serde(default, rename = "hide-addresses")]
    hide_addresses: bool,
}

/// By their names.
type StatedTokens = BTreeMap<String, Spanned<Stated>>;

/// The tokens of a configuration file.
#[derive(Default, Deserialize)]
struct Settings {
    #[serde(default)]
    tokens: StatedTokens,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StatedRole {
    Operator,
    Node,
}

impl From<StatedRole> for Role {
    fn from(role: StatedRole) -> Self {
        match role {
            StatedRole::Operator => Self::Operator,
            StatedRole::Node => Self::Node,
        }
    }
}

/// Lines are not shown in errors: they may hold a secret.
fn read(path: &Path, place: Place, own: Option<&Secret>) -> Result<Vec<NamedToken>, Unread> {
    let text = Zeroizing::new(read_small(path, MAX_BYTES)?);
    parse(&text, place, own).map_err(Unread::Invalid)
}

fn parse(text: &str, place: Place, own: Option<&Secret>) -> Result<Vec<NamedToken>, String> {
    let invalid_at = |start: usize, why: &str| {
        let line = 1 + text[..start].matches('\n').count();
        format!("line {line}: {why}")
    };
    let stated: Result<StatedTokens, _> = match place {
        Place::Whole => toml::from_str(text),
        Place::Tables => toml::from_str(text).map(|settings: Settings| settings.tokens),
    };
    let stated = stated.map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        // The message for a value of a wrong type would show it.
        let is_type = ["invalid type", "invalid length"]
            .iter()
            .any(|words| error.message().starts_with(words));
        invalid_at(start, if is_type { WRONG_TYPE } else { error.message() })
    })?;
    stated
        .into_iter()
        .map(|(name, stated)| {
            let start = stated.span().start;
            named(&name, &stated.into_inner())
                .and_then(|token| match own {
                    Some(own) if token.has_secret(own) => {
                        Err("it has the gateway's own secret, which permits everything".to_owned())
                    }
                    _ => Ok(token),
                })
                .map_err(|why| invalid_at(start, &format!("{name}: {why}")))
        })
        .collect()
}

fn named(name: &str, stated: &Stated) -> Result<NamedToken, String> {
    let secret = Secret::new(&stated.token).map_err(|error| format!("token: {error}"))?;
    for word in &stated.scopes {
        if !scope::ALL.contains(&&**word) {
            let all = scope::ALL.join(", ");
            return Err(format!("scopes: unknown scope `{word}`; known are {all}"));
        }
    }
    let roles = stated.roles.as_deref().unwrap_or(&[StatedRole::Operator]);
    let permit = Permit {
        roles: roles.iter().copied().map(Role::from).collect(),
        scopes: stated.scopes.iter().map(|scope| scope.as_str().into()).collect(),
        hides_addresses: stated.hide_addresses,
    };
    let expires_ms = stated.expires.map(expiry_ms).transpose()?;
    NamedToken::new(name, &secret, permit, expires_ms).map_err(|error| error.to_string())
}

/// The moment in ms since the Unix epoch.
fn expiry_ms(moment: Datetime) -> Result<u64, String> {
    let wrong =
        || format!("expires: `{moment}` is not a date with time and offset, such as 2027-01-31T00:00:00Z");
    let parsed = OffsetDateTime::parse(&moment.to_string(), &Rfc3339).map_err(|_| wrong())?;
    u64::try_from(parsed.unix_timestamp_nanos() / 1_000_000).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(text: &str) -> Result<Vec<NamedToken>, String> {
        reading_at(Place::Whole, text)
    }

    fn reading_at(place: Place, text: &str) -> Result<Vec<NamedToken>, String> {
        parse(text, place, Some(&Secret::new("the gateway's own").unwrap()))
    }

    #[test]
    fn a_file_of_tokens_is_read() {
        let set = reading(
            "[dashboard]\ntoken = \"one\"\nscopes = [\"operator.read\"]\nexpires = 2027-01-31T00:00:00+01:00\n\
             [pi]\ntoken = \"two\"\nroles = [\"node\"]\nscopes = []\nhide-addresses = true\n",
        )
        .unwrap();
        let permit = |roles: &[Role], scopes: &[&str], hides_addresses| Permit {
            roles: roles.into(),
            scopes: scopes.iter().map(|scope| (*scope).into()).collect(),
            hides_addresses,
        };
        let token = |name, secret, permit, expires| {
            NamedToken::new(name, &Secret::new(secret).unwrap(), permit, expires).unwrap()
        };
        let first = token(
            "dashboard",
            "one",
            permit(&[Role::Operator], &["operator.read"], false),
            Some(1_801_350_000_000),
        );
        assert_eq!(
            set,
            [first, token("pi", "two", permit(&[Role::Node], &[], true), None)]
        );
    }

    #[test]
    fn what_is_wrong_has_its_line_and_no_secret_is_shown() {
        let token = "[a]\ntoken = \"s3cret\"\n";
        for (text, wanted) in [
            (
                format!("{token}scopes = []\nhost = 1\n"),
                "line 4: unknown field `host`",
            ),
            (token.to_owned(), "line 1: missing field `scopes`"),
            (
                format!("{token}scopes = [\"read\"]"),
                "line 1: a: scopes: unknown scope `read`; known are",
            ),
            (
                format!("{token}scopes = []\nroles = [\"admin\"]"),
                "line 4: unknown variant `admin`",
            ),
            (
                format!("{token}scopes = []\nexpires = 2027-01-31"),
                "line 1: a: expires: `2027-01-31` is not a date with",
            ),
            (
                format!("{token}scopes = []\nexpires = \"never\""),
                "line 4: wrong type",
            ),
            (
                format!("{token}scopes = []\nhide-addresses = \"yes\""),
                "line 4: wrong type",
            ),
            (
                "\n[a]\ntoken = \"null\"\nscopes = []".to_owned(),
                "line 2: a: token: it is empty or a placeholder",
            ),
            (
                "[\"a b\"]\ntoken = \"s3cret\"\nscopes = []".to_owned(),
                "line 1: a b: `a b` is not a name",
            ),
            ("token = \"s3cret\"".to_owned(), "line 1: wrong type"),
            ("[a\n".to_owned(), "line 1: "),
            (
                "[a]\ntoken = \"the gateway's own\"\nscopes = []".to_owned(),
                "line 1: a: it has the gateway's own secret",
            ),
        ] {
            let why = reading(&text).unwrap_err();
            assert!(why.starts_with(wanted), "{text}: {why}");
            assert!(!why.contains("s3cret"), "{why}");
        }
        assert_eq!(reading(""), Ok(Vec::new()));
    }

    #[test]
    fn a_configuration_file_has_them_in_tables() {
        let token = "token = \"s3cret\"\nscopes = [\"operator.read\"]\n";
        let tables = format!(
            "port = 1\n[tokens.a]\n{token}[tokens.b]\n{}",
            token.replace("s3", "S3")
        );
        let names = |set: Vec<NamedToken>| {
            set.iter()
                .map(|token| token.name().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            reading_at(Place::Tables, &tables).map(names),
            Ok(vec!["a".into(), "b".into()])
        );
        for (text, wanted) in [
            (
                format!("port = 1\n[tokens.a]\n{token}host = 1\n"),
                "line 5: unknown field `host`",
            ),
            (format!("[tokens.a]\n{token}expires = 1"), "line 4: wrong type"),
            (format!("[tokens]\n{token}"), "line 3: wrong type"),
            ("port = 1\ntokens = \"s3cret\"".to_owned(), "line 2: wrong type"),
            (
                format!("\n[tokens.\"a b\"]\n{token}"),
                "line 2: a b: `a b` is not a name",
            ),
        ] {
            let why = reading_at(Place::Tables, &text).unwrap_err();
            assert!(why.starts_with(wanted), "{text}: {why}");
            assert!(!why.contains("s3cret"), "{why}");
        }
    }
}
