//! The configuration file: its settings become the defaults of the options, so that the environment and flags win.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, Resettable};
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command};
use toml::{Spanned, Value};
use zeroize::Zeroizing;

use super::OptionsError;
use crate::files::read_small;

/// Most bytes of the file.
const MAX_BYTES: u64 = 1024 * 1024;

/// The setting that can also be tables: the named tokens.
const TOKENS: &str = "tokens";

/// Whether the file has tables of named tokens. A file that cannot be read has none.
pub(super) fn has_tables(path: &Path) -> bool {
    let text = read_small(path, MAX_BYTES)
        .map(Zeroizing::new)
        .unwrap_or_default();
    let settings: Option<BTreeMap<String, Value>> = toml::from_str(&text).ok();
    settings.is_some_and(|settings| settings.get(TOKENS).is_some_and(Value::is_table))
}

/// The line of each setting.
pub(crate) type Lines = BTreeMap<String, usize>;

/// Reads the file into the defaults of the command's options. A setting is called like its option. Returns the lines of
/// the settings, too.
///
/// # Errors
/// [`OptionsError::File`] when the file cannot be read, or names the line that is wrong. Lines are not shown: they may
/// hold a secret.
pub(super) fn with_file(mut command: Command, path: &Path) -> Result<(Command, Lines), OptionsError> {
    let invalid = |why: String| OptionsError::File(path.to_owned(), why);
    let text = read_small(path, MAX_BYTES)
        .map(Zeroizing::new)
        .map_err(|error| invalid(error.to_string()))?;
    let line_of = |start: usize| 1 + text[..start].matches('\n').count();
    let invalid_at = |start: usize, why: &str| invalid(format!("line {}: {why}", line_of(start)));
    let mut lines = Lines::new();
    let settings: BTreeMap<String, Spanned<Value>> = toml::from_str(&text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let name = name_at(&text, start);
        let why = if error.message().contains("as i128") {
            "the number is too large"
        } else {
            error.message()
        };
        invalid_at(
            start,
            &name.map_or_else(|| why.to_owned(), |name| format!("{name}: {why}")),
        )
    })?;
    // Checks each value as a flag.
    let mut checker = command.clone().mut_args(|option| option.env(Resettable::Reset));
    for (name, setting) in settings {
        // Tables of named tokens are no option: `TokensFile` reads them, at the start and on SIGHUP.
        if name == TOKENS && setting.get_ref().is_table() {
            continue;
        }
        let start = setting.span().start;
        let option = command
            .get_arguments()
            .find(|option| option.get_long() == Some(&name) && name != "config")
            .ok_or_else(|| invalid_at(start, &unknown(&mut checker, &name, setting.get_ref())))?;
        let items = match setting.into_inner() {
            Value::Array(items) if option.get_value_delimiter().is_some() => items,
            value => vec![value],
        };
        let unfit = items
            .iter()
            .find(|item| !is_of_type(option, item))
            .map(Value::type_str);
        let is_number = matches!(*items, [Value::Integer(_) | Value::Float(_)]);
        let value = items.into_iter().map(text_of).collect::<Vec<_>>().join(",");
        let checked = checker.try_get_matches_from_mut(["serve", &format!("--{name}={value}")]);
        let why = match (checked, unfit) {
            (Ok(_), None) => None,
            (Ok(_), Some(kind)) if option.get_value_delimiter().is_some() => Some(format!(
                "must be a string or a list of strings, not of type {kind}"
            )),
            (Ok(_), Some(kind)) => Some(format!("must be in quotes, not of type {kind}")),
            (Err(error), _) => Some(
                error
                    .source()
                    .map_or_else(|| choices_of(option), ToString::to_string),
            )
            .map(|why| {
                match is_number && !option.is_hide_env_values_set() && !why.contains(&value) {
                    true => format!("invalid number `{value}`: {why}"),
                    false => why,
                }
            }),
        };
        if let Some(why) = why {
            return Err(invalid_at(start, &format!("{name}: {why}")));
        }
        lines.insert(name, line_of(start));
        let id = option.get_id().clone();
        command = command.mut_arg(id, |option| option.default_value(value));
    }
    Ok((command, lines))
}

/// The name of the setting in the line of this place. Its value may be a secret.
fn name_at(text: &str, start: usize) -> Option<&str> {
    let begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let (name, _) = text[begin..].lines().next()?.split_once('=')?;
    let name = name.trim();
    let is_name = |c: char| c.is_ascii_lowercase() || c == '-';
    (!name.is_empty() && name.chars().all(is_name)).then_some(name)
}

/// Explains a name that no option has.
fn unknown(checker: &mut Command, name: &str, value: &Value) -> String {
    if value.is_table() {
        return format!(
            "unknown setting `{name}`: there are no tables but `[tokens.NAME]`, settings stand at the top of the file"
        );
    }
    let refused = checker.try_get_matches_from_mut(["serve", &format!("--{name}=x")]);
    match refused
        .as_ref()
        .map_err(|error| error.get(ContextKind::SuggestedArg))
    {
        Err(Some(ContextValue::String(option))) => {
            let option = option.trim_start_matches('-');
            format!("unknown setting `{name}`: did you mean `{option}`?")
        }
        _ => format!("unknown setting `{name}`"),
    }
}

/// Whether the value is of a type that the option can have. Only a string is a secret or a path: `true` must not
/// become the secret `true`.
fn is_of_type(option: &Arg, value: &Value) -> bool {
    let is_secret = option.is_hide_env_values_set();
    let is_path = option.get_value_parser().type_id() == TypeId::of::<PathBuf>();
    match value {
        Value::String(_) => true,
        // An option that was removed is refused for that, whatever its value.
        _ if option.is_hide_set() => true,
        Value::Integer(_) => !is_secret && !is_path,
        Value::Boolean(_) => option.get_value_parser().type_id() == TypeId::of::<bool>(),
        _ => false,
    }
}

/// The value as a flag states it.
fn text_of(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(is_on) => is_on.to_string(),
        // Always rejected; the parser's message explains why.
        value => value.type_str().to_owned(),
    }
}

/// Explains an invalid value of an option with a fixed set of words.
fn choices_of(option: &Arg) -> String {
    let choices = option.get_possible_values();
    let words: Vec<_> = choices.iter().map(PossibleValue::get_name).collect();
    if words.is_empty() {
        return "invalid value".to_owned();
    }
    format!("invalid value: use one of {}", words.join(", "))
}
