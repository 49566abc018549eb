//! Settings that belong together: the strongest source that names one of them decides for all.
//!
//! clap merges flags, environment and file (as defaults) option by option, which is right for options that stand alone.
//! `--port` must win over a URL in the environment, and `--token` over a password there.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, CommandFactory, FromArgMatches};

use super::file::{Lines, with_file};
use super::{AuthWord, Cli, ClientOptions, Command, OptionsError, ServeOptions};

/// Options that need no command.
const GENERAL: [&str; 4] = ["-h", "--help", "-V", "--version"];
/// Options of `serve` that exist no more.
const REMOVED: [&str; 4] = [
    "auth-failures",
    "auth-window-ms",
    "auth-lockout-ms",
    "auth-delay-ms",
];

/// The command line, with the removed options of `serve`. An empty variable is not set; that of a list is an empty
/// list.
pub(super) fn command() -> clap::Command {
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    let without_empty = |arg: Arg| {
        if arg.get_env().is_some_and(is_empty) && arg.get_value_delimiter().is_none() {
            arg.env(Resettable::Reset)
        } else {
            arg
        }
    };
    let command = complete();
    // Empty variables are rare, and rebuilding the command costs memory at the start.
    if std::env::vars_os().any(|(name, value)| value.is_empty() && is_ours(&name)) {
        return command.mut_subcommands(|command| command.mut_args(without_empty));
    }
    command
}

fn is_ours(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b"OPENCLAW_")
}

/// The command line without the environment.
fn without_environment() -> clap::Command {
    complete().mut_subcommands(|command| command.mut_args(|arg| arg.env(Resettable::Reset)))
}

fn complete() -> clap::Command {
    Cli::command().mut_subcommand("serve", |serve| {
        serve.args(REMOVED.map(|name| {
            let variable = format!("OPENCLAW_GATEWAY_{}", name.replace('-', "_").to_uppercase());
            Arg::new(name).long(name).env(variable).hide(true)
        }))
    })
}

/// The arguments with the command: `serve` when there are none or the first is an option of it.
fn with_command(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Vec<OsString> {
    let mut arguments: Vec<_> = arguments.into_iter().map(Into::into).collect();
    let is_general = |first: &OsString| GENERAL.iter().any(|word| first == word);
    let is_option = |first: &OsString| first.as_encoded_bytes().starts_with(b"-");
    if arguments
        .get(1)
        .is_none_or(|first| is_option(first) && !is_general(first))
    {
        arguments.insert(arguments.len().min(1), "serve".into());
    }
    arguments
}

impl Cli {
    /// Reads the arguments, the environment and the file. Exits with a message when the first two are invalid, and
    /// after `--help` and `--version`.
    ///
    /// # Errors
    /// [`OptionsError::File`] and [`OptionsError::Removed`].
    pub(crate) fn read() -> Result<Self, OptionsError> {
        match Self::of(std::env::args_os()) {
            Err(OptionsError::Arguments(error)) => error.exit(),
            outcome => outcome,
        }
    }

    /// Reads these arguments (the program's name first), the environment, and the file that they name.
    ///
    /// # Errors
    /// [`OptionsError`] names the option that is wrong.
    pub(crate) fn of(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Self, OptionsError> {
        Self::with(command, arguments)
    }

    /// Reads these arguments (the program's name first) and the file that they name, for a program that runs in another
    /// environment.
    ///
    /// # Errors
    /// [`OptionsError`] names the option that is wrong.
    pub(crate) fn without_environment(
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Result<Self, OptionsError> {
        Self::with(without_environment, arguments)
    }

    fn with(
        command: fn() -> clap::Command,
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Result<Self, OptionsError> {
        let arguments = with_command(arguments);
        let mut matches = command().try_get_matches_from(&arguments)?;
        let serve = matches.subcommand_matches("serve");
        let mut lines = Lines::new();
        if let Some(path) = serve.and_then(|matches| matches.get_one::<PathBuf>("config")) {
            let command = command();
            let serve = command.find_subcommand("serve").cloned().unwrap_or_default();
            let (serve, found) = with_file(serve, path)?;
            lines = found;
            matches = command
                .mut_subcommand("serve", |_| serve)
                .try_get_matches_from(&arguments)?;
        }
        let mut cli = Self::from_arg_matches(&matches)?;
        if let Some((_, matches)) = matches.subcommand() {
            match &mut cli.command {
                Command::Serve(options) => {
                    options.keep_strongest(matches)?;
                    let is_of_file = |name: &String| {
                        let id = name.replace('-', "_");
                        matches.value_source(&id) == Some(ValueSource::DefaultValue)
                    };
                    lines.retain(|name, _| is_of_file(name));
                    options.lines = lines;
                }
                Command::List(options) => options.client.keep_strongest(matches),
                Command::Replay(_)
                | Command::InstallService(_)
                | Command::Completions { .. }
                | Command::Man { .. } => {}
                Command::Doctor(options) => options.client.keep_strongest(matches),
                Command::Explain(options) => options.client.keep_strongest(matches),
                Command::Watch(options) => options.client.keep_strongest(matches),
                Command::Beacon(options) => options.client.keep_strongest(matches),
                Command::History(options) => options.client.keep_strongest(matches),
            }
        }
        Ok(cli)
    }
}

impl ServeOptions {
    /// Mode, token and password are one setting: if the strongest source that names any of them names a secret and no
    /// mode, the mode is that of the secret.
    ///
    /// # Errors
    /// [`OptionsError::Removed`].
    fn keep_strongest(&mut self, matches: &ArgMatches) -> Result<(), OptionsError> {
        if let Some(name) = REMOVED.into_iter().find(|name| matches.contains_id(name)) {
            return Err(OptionsError::Removed(name));
        }
        let [auth, token, password] = ["auth", "token", "password"].map(|id| matches.value_source(id));
        let strongest = auth.max(token).max(password);
        if auth < strongest {
            self.auth = Some(if password == strongest {
                AuthWord::Password
            } else {
                AuthWord::Token
            });
        }
        Ok(())
    }
}

impl ClientOptions {
    /// URL and port are one setting, and so are token, password and the token in the URL. Notes whether an argument
    /// asks for TLS.
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
        self.has_tls_argument = ["tls_ca", "tls_fingerprint"]
            .iter()
            .any(|id| named(matches, id) == Some(ValueSource::CommandLine));
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
