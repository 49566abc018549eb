//! The configuration file: its settings become the defaults of the options, so that the environment and flags win.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use clap::Command;
use clap::builder::Resettable;
use toml::{Spanned, Value};

use super::OptionsError;

/// Reads the file into the defaults of the command's options. A setting is called like its option.
///
/// # Errors
/// [`OptionsError::File`] when the file cannot be read, or names the line that is wrong. Lines are not shown: they may
/// hold a secret.
pub(super) fn with_file(mut command: Command, path: &Path) -> Result<Command, OptionsError> {
    let invalid = |why: String| OptionsError::File(path.to_owned(), why);
    let text = std::fs::read_to_string(path).map_err(|error| invalid(error.to_string()))?;
    let invalid_at = |start: usize, why: &str| {
        let line = 1 + text[..start].matches('\n').count();
        invalid(format!("line {line}: {why}"))
    };
    let settings: BTreeMap<String, Spanned<Value>> = toml::from_str(&text)
        .map_err(|error| invalid_at(error.span().map_or(0, |span| span.start), error.message()))?;
    // Checks values one by one, as flags.
    let mut checker = command.clone().mut_args(|option| option.env(Resettable::Reset));
    for (name, setting) in settings {
        let start = setting.span().start;
        let option = command
            .get_arguments()
            .find(|option| option.get_long() == Some(&name) && name != "config")
            .ok_or_else(|| invalid_at(start, &format!("unknown setting `{name}`")))?;
        let items = match setting.into_inner() {
            Value::Array(items) if option.get_value_delimiter().is_some() => items,
            value => vec![value],
        };
        let is_nested = items
            .iter()
            .any(|item| matches!(item, Value::Array(_) | Value::Table(_)));
        let value = items.into_iter().map(text_of).collect::<Vec<_>>().join(",");
        let checked = checker.try_get_matches_from_mut(["serve", &format!("--{name}={value}")]);
        if is_nested || checked.is_err() {
            let why = checked
                .err()
                .and_then(|error| Some(error.source()?.to_string()))
                .unwrap_or_else(|| "invalid value".to_owned());
            return Err(invalid_at(start, &format!("{name}: {why}")));
        }
        let id = option.get_id().clone();
        command = command.mut_arg(id, |option| option.default_value(value));
    }
    Ok(command)
}

fn text_of(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        value => value.type_str().to_owned(),
    }
}
