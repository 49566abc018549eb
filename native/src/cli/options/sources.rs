//! Settings that belong together: the strongest source that names one of them decides for all.
//!
//! clap merges flags and environment option by option, which is right for options that stand alone. `--port`
//! must win over a URL in the environment, and `--token` over a password there.

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches};

use super::{AuthWord, Cli, ClientOptions, Command, ServeOptions};

impl Cli {
    /// The arguments and the environment of this program. Ends it with a message when they are wrong, or
    /// after `--help` and `--version`.
    #[must_use]
    pub(crate) fn read() -> Self {
        Self::of(std::env::args_os()).unwrap_or_else(|error| error.exit())
    }

    /// These arguments, the name of the program first, and the environment.
    ///
    /// # Errors
    /// What clap finds wrong, named by its option.
    pub(crate) fn of<T>(arguments: impl IntoIterator<Item = T>) -> Result<Self, clap::Error>
    where
        T: Into<std::ffi::OsString> + Clone,
    {
        let matches = Self::command().try_get_matches_from(arguments)?;
        let mut cli = Self::from_arg_matches(&matches)?;
        let matches = matches.subcommand().map_or(&matches, |(_, matches)| matches);
        match &mut cli.command {
            None => cli.serve.keep_strongest(matches),
            Some(Command::Serve(options)) => options.keep_strongest(matches),
            Some(Command::List(options)) => options.client.keep_strongest(matches),
            Some(Command::Watch(options)) => options.client.keep_strongest(matches),
            Some(Command::Beacon(options)) => options.client.keep_strongest(matches),
        }
        Ok(cli)
    }
}

impl ServeOptions {
    /// Mode, token and password are one setting: a strongest source that names a secret and no mode names the
    /// mode of that secret.
    fn keep_strongest(&mut self, matches: &ArgMatches) {
        let source = named(matches, "auth").max(named(matches, "token").max(named(matches, "password")));
        if source.is_none() || named(matches, "auth") == source {
            return;
        }
        self.auth = Some(if named(matches, "password") == source {
            AuthWord::Password
        } else {
            AuthWord::Token
        });
    }

    /// The mode that this source names, by itself or by a secret.
    pub(super) fn named_auth(&self) -> Option<AuthWord> {
        self.auth
            .or_else(|| self.password.as_ref().map(|_| AuthWord::Password))
            .or_else(|| self.token.as_ref().map(|_| AuthWord::Token))
    }
}

impl ClientOptions {
    /// URL and port are one setting, and so are token, password and the token in the URL.
    fn keep_strongest(&mut self, matches: &ArgMatches) {
        let [url, port, token, password] = ["url", "port", "token", "password"].map(|id| named(matches, id));
        if url < port {
            self.url = None;
        }
        let in_url = self.url.as_ref().filter(|url| url.contains('#')).and(url);
        let strongest = token.max(password).max(in_url);
        if token < strongest {
            self.token = None;
        }
        if password < strongest {
            self.password = None;
        }
        if in_url < strongest
            && let Some(url) = &mut self.url
            && let Some(at) = url.find('#')
        {
            url.truncate(at);
        }
    }
}

/// Where the value of an option comes from; `None` when it is absent or the default.
fn named(matches: &ArgMatches, id: &str) -> Option<ValueSource> {
    matches
        .value_source(id)
        .filter(|source| *source != ValueSource::DefaultValue)
}

#[cfg(test)]
mod tests;
