//! The rules about members of parameters, on `serde_json::Value`: a second reader to compare with the core's
//! (SPEC 2, "Frames").

use serde_json::{Map, Value};

/// Longer texts may hold more members or values than are read.
pub(crate) const MAX_COMPARED_BYTES: usize = 4_096;

/// A value that breaks a rule.
#[derive(Debug)]
pub(crate) struct Bad;

/// The members of one object.
pub(crate) type Members = Map<String, Value>;

/// A string of `min` to `max` UTF-16 units, if present.
pub(crate) fn string<'a>(
    of: &'a Members,
    name: &str,
    min: usize,
    max: usize,
) -> Result<Option<&'a str>, Bad> {
    match of.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if (min..=max).contains(&text.encode_utf16().count()) => Ok(Some(text)),
        Some(_) => Err(Bad),
    }
}

/// A list of at most `items` such strings; empty if absent.
pub(crate) fn strings(
    of: &Members,
    name: &str,
    items: usize,
    min: usize,
    max: usize,
) -> Result<Vec<String>, Bad> {
    match of.get(name) {
        None => Ok(Vec::new()),
        Some(Value::Array(list)) if list.len() <= items => list
            .iter()
            .map(|item| match item {
                Value::String(text) if (min..=max).contains(&text.encode_utf16().count()) => Ok(text.clone()),
                _ => Err(Bad),
            })
            .collect(),
        Some(_) => Err(Bad),
    }
}

/// An object, if present.
pub(crate) fn object<'a>(of: &'a Members, name: &str) -> Result<Option<&'a Members>, Bad> {
    match of.get(name) {
        None => Ok(None),
        Some(Value::Object(members)) => Ok(Some(members)),
        Some(_) => Err(Bad),
    }
}

/// A boolean, if present.
pub(crate) fn boolean(of: &Members, name: &str) -> Result<Option<bool>, Bad> {
    match of.get(name) {
        None => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(*value)),
        Some(_) => Err(Bad),
    }
}

/// A number, if present.
pub(crate) fn number(of: &Members, name: &str) -> Result<Option<f64>, Bad> {
    match of.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => number.as_f64().map(Some).ok_or(Bad),
        Some(_) => Err(Bad),
    }
}

/// An integer of at least `min`; `4.0` counts as 4, and values above `u64::MAX` become `u64::MAX`.
pub(crate) fn integer(of: &Members, name: &str, min: u64) -> Result<u64, Bad> {
    let number = number(of, name)?.ok_or(Bad)?;
    if number.fract() == 0.0 && number >= min as f64 {
        Ok(number as u64)
    } else {
        Err(Bad)
    }
}
