//! Checks the options of `serve` for a service. Other users can read its command line, and it has another working folder
//! and another environment than this command.

use crate::cli::options::{Cli, Command};
use crate::cli::reload::Reloads;
use crate::cli::{Failure, PROGRAM};

/// Options that contain a secret.
const SECRETS: [&str; 4] = ["--token", "--password", "--observe-token", "--observe-password"];

/// An option with a URL.
struct UrlOption {
    name: &'static str,
    may_be_secret: fn(&str) -> bool,
    why: &'static str,
}

const URLS: [UrlOption; 3] = [
    UrlOption {
        name: "--cluster",
        may_be_secret: |urls| urls.contains('@'),
        why: "a URL with a user or a token is a secret",
    },
    UrlOption {
        name: "--observe",
        may_be_secret: |urls| urls.contains(['?', '#']),
        why: "a URL with a query or a token may be a secret",
    },
    UrlOption {
        name: "--webhook",
        may_be_secret: has_path,
        why: "a URL with a path or a query may be a secret",
    },
];

/// A service whose options are checked.
#[derive(Debug)]
pub(super) struct Service<'a> {
    /// The options of `serve`.
    pub options: &'a [String],
    /// Whether SIGHUP makes it read files again; else SIGHUP stops it.
    pub is_reloadable: bool,
}

/// Checks the options as `serve` does, and that a service can have them.
///
/// # Errors
/// [`Failure::Usage`] names the option that is wrong, or belongs in the settings file.
pub(super) fn service(options: &[String]) -> Result<Service<'_>, Failure> {
    // First, because other errors may show values.
    check_secrets(options)?;
    let usage = |error: &dyn ToString| Failure::Usage(error.to_string());
    let words = [PROGRAM, "serve"]
        .into_iter()
        .chain(options.iter().map(String::as_str));
    let parsed = Cli::without_environment(words).map_err(|error| usage(&error))?;
    let Command::Serve(serve) = parsed.command else {
        return Err(usage(&"only options of `serve` can follow `--`"));
    };
    if let Some((name, path)) = serve.paths().into_iter().find(|(_, path)| path.is_relative()) {
        let path = path.display();
        return Err(usage(&format!(
            "--{name} {path}: a service needs the whole path, from / on"
        )));
    }
    let resolved = serve.resolve().map_err(|error| usage(&error))?;
    let reloads = Reloads {
        tls: resolved.config.tls,
        tokens: resolved.tokens,
    };
    Ok(Service {
        options,
        is_reloadable: !reloads.is_empty(),
    })
}

/// Checks that no word is a secret, or a URL that may contain one.
fn check_secrets(options: &[String]) -> Result<(), Failure> {
    const PUBLIC: &str = "other users can read the command line of a service";
    const FILE: &str = "the settings file, whose path --dry-run prints";
    for (at, word) in options.iter().enumerate() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (&**word, options.get(at + 1).map(String::as_str)),
        };
        if SECRETS.contains(&name) {
            return Err(Failure::Usage(format!(
                "{name}: {PUBLIC}; put the secret into {FILE}"
            )));
        }
        let url = URLS.iter().find(|option| option.name == name);
        if let Some(UrlOption {
            may_be_secret, why, ..
        }) = url
            && value.is_some_and(*may_be_secret)
        {
            let variable = name.trim_start_matches('-').to_uppercase();
            return Err(Failure::Usage(format!(
                "{name}: {PUBLIC}, and {why}; install without it, then put OPENCLAW_GATEWAY_{variable}=URL into {FILE}, with \
                 the variables of the other {name} options, and restart the service"
            )));
        }
    }
    Ok(())
}

/// Whether a URL has a path or a query.
fn has_path(url: &str) -> bool {
    let url = url.trim();
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find(['/', '?', '#']).is_some_and(|at| &rest[at..] != "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_or_a_query_may_be_a_secret() {
        for url in ["http://h", "http://h:1/", " https://[::1]:1/ "] {
            assert!(!has_path(url), "{url}");
        }
        for url in [
            "http://h/s",
            "http://h//",
            "http://h?s",
            "http://h/?s",
            "http://h/#s",
            "h/s",
            "/s",
            "http:/h/s",
        ] {
            assert!(has_path(url), "{url}");
        }
    }
}
