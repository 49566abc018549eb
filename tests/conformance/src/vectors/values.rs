//! What vectors write for values that are only known while they run, and the comparison of what was
//! expected with what was received (README, "Values").

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Failure;
use super::load::Suite;
use crate::fail;

/// The values of placeholders.
#[derive(Debug)]
pub struct Context<'a> {
    suite: &'a Suite,
    secret: Option<String>,
    self_row: Map<String, Value>,
    /// Connection ids, by connection.
    pub conns: BTreeMap<String, String>,
    /// Nonces, by connection.
    pub nonces: BTreeMap<String, String>,
}

/// Where a value is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It is sent.
    Sent,
    /// It is compared with something received at this virtual time.
    Expected {
        /// The virtual time.
        at: u64,
    },
}

impl<'a> Context<'a> {
    /// Nothing is known yet but the suite.
    #[must_use]
    pub fn new(suite: &'a Suite, secret: Option<String>, self_row: Map<String, Value>) -> Self {
        Self {
            suite,
            secret,
            self_row,
            conns: BTreeMap::new(),
            nonces: BTreeMap::new(),
        }
    }

    /// The value that is meant.
    ///
    /// # Errors
    /// A placeholder that does not exist, or stands for something not known yet.
    pub fn expand(&self, value: &Value, used: Use) -> Result<Value, Failure> {
        match value {
            Value::String(text) if text.starts_with('$') => self.placeholder(text, used),
            Value::Array(items) => items
                .iter()
                .map(|item| self.expand(item, used))
                .collect::<Result<_, _>>()
                .map(Value::Array),
            Value::Object(members) => self.expand_object(members, used),
            other => Ok(other.clone()),
        }
    }

    fn expand_object(&self, members: &Map<String, Value>, used: Use) -> Result<Value, Failure> {
        if let Some(row) = members.get("$row") {
            let named = row.as_str().and_then(|name| self.suite.cast.rows.get(name));
            let Some(named) = named else {
                fail!("no row {row} in the cast")
            };
            let mut row = named.clone();
            for (name, value) in members.iter().filter(|(name, _)| *name != "$row") {
                if value.is_null() {
                    row.remove(name);
                } else {
                    row.insert(name.clone(), value.clone());
                }
            }
            return self.expand(&Value::Object(row), used);
        }
        if let (1, Some((name, value))) = (members.len(), members.iter().next()) {
            match (name.as_str(), value) {
                ("$repeat", Value::Array(pair)) => return repeated(pair),
                ("$concat", Value::Array(parts)) => {
                    let mut text = String::new();
                    for part in parts {
                        match self.expand(part, used)? {
                            Value::String(part) => text.push_str(&part),
                            other => fail!("$concat of {other}"),
                        }
                    }
                    return Ok(Value::String(text));
                }
                ("$self", ts) => return Ok(self.self_row(self.expand(ts, used)?)),
                (name, _) if name.starts_with('$') && (used == Use::Sent || !is_matcher(name)) => {
                    fail!("{name} means nothing here");
                }
                _ => {}
            }
        }
        let expanded = members
            .iter()
            .map(|(name, value)| Ok((name.clone(), self.expand(value, used)?)));
        expanded.collect::<Result<_, _>>().map(Value::Object)
    }

    fn placeholder(&self, text: &str, used: Use) -> Result<Value, Failure> {
        if let Some(offset) = text.strip_prefix("$t") {
            return self
                .time(offset)
                .ok_or_else(|| Failure::new(format!("{text} is no time")));
        }
        if let Use::Expected { at } = used {
            match text {
                "$any" | "$absent" => return Ok(text.into()),
                "$self" => return Ok(self.self_row((self.suite.cast.start_wall_ms + at).into())),
                _ => {}
            }
        }
        let device = |name: &str| self.suite.devices.devices.get(name);
        let found = match text.split_once(':') {
            None if text == "$secret" => self.secret.as_ref(),
            Some(("$conn", name)) => self.conns.get(name),
            Some(("$nonce", name)) => self.nonces.get(name),
            Some(("$device", name)) => device(name).map(|device| &device.id),
            Some(("$key", name)) => device(name).map(|device| &device.public_key),
            Some(("$pem", name)) => device(name).map(|device| &device.public_key_pem),
            _ => None,
        };
        let Some(found) = found else {
            fail!("{text} stands for nothing")
        };
        Ok(found.as_str().into())
    }

    fn time(&self, offset: &str) -> Option<Value> {
        let offset: i64 = if offset.is_empty() {
            0
        } else {
            offset.parse().ok()?
        };
        Some(self.suite.cast.start_wall_ms.checked_add_signed(offset)?.into())
    }

    fn self_row(&self, ts: Value) -> Value {
        let mut row = self.self_row.clone();
        row.insert("ts".into(), ts);
        Value::Object(row)
    }
}

fn is_matcher(name: &str) -> bool {
    matches!(name, "$has" | "$contains" | "$lacks" | "$startsWith")
}

fn repeated(pair: &[Value]) -> Result<Value, Failure> {
    let [Value::String(text), count] = pair else {
        fail!("$repeat wants a text and a number")
    };
    let Some(count) = count.as_u64().and_then(|count| usize::try_from(count).ok()) else {
        fail!("$repeat wants a text and a number");
    };
    Ok(text.repeat(count).into())
}

/// The member of rows that is compared only where the expectation states it (README, "Values").
const UNSTATED: &str = "onlineSince";

/// Compares a received value with an expanded expectation.
///
/// # Errors
/// The first difference, with its path.
pub fn compare(expected: &Value, received: &Value) -> Result<(), Failure> {
    if expected.as_str() == Some("$any") {
        return Ok(());
    }
    if let Value::Object(members) = expected
        && let (1, Some((name, value))) = (members.len(), members.iter().next())
        && is_matcher(name)
    {
        return compare_matcher(name, value, received);
    }
    match (expected, received) {
        (Value::Object(expected), Value::Object(received)) => {
            for (name, value) in expected {
                match received.get(name) {
                    None if value.as_str() == Some("$absent") => {}
                    Some(found) if value.as_str() == Some("$absent") => {
                        fail!("unexpected {name}: {}", short(found))
                    }
                    None => fail!("{name} is missing"),
                    Some(found) => compare(value, found).map_err(|failure| failure.at(name))?,
                }
            }
            let is_extra = |name: &&String| *name != UNSTATED && !expected.contains_key(*name);
            match received.keys().find(is_extra) {
                Some(name) => fail!("unexpected {name}: {}", short(&received[name])),
                None => Ok(()),
            }
        }
        (Value::Array(expected), Value::Array(received)) => {
            for (index, (expected, received)) in expected.iter().zip(received).enumerate() {
                compare(expected, received).map_err(|failure| failure.at(format!("[{index}]")))?;
            }
            match received.len().cmp(&expected.len()) {
                std::cmp::Ordering::Less => fail!("missing {}", short(&expected[received.len()])),
                std::cmp::Ordering::Greater => fail!("unexpected {}", short(&received[expected.len()])),
                std::cmp::Ordering::Equal => Ok(()),
            }
        }
        _ if expected == received => Ok(()),
        _ => fail!("expected {}, received {}", short(expected), short(received)),
    }
}

fn compare_matcher(name: &str, wanted: &Value, received: &Value) -> Result<(), Failure> {
    match (name, wanted, received) {
        ("$has", Value::Object(wanted), Value::Object(received)) => {
            for (name, value) in wanted {
                match received.get(name) {
                    None if value.as_str() == Some("$absent") => {}
                    Some(found) if value.as_str() == Some("$absent") => {
                        fail!("unexpected {name}: {}", short(found))
                    }
                    None => fail!("{name} is missing in {}", short(&Value::Object(received.clone()))),
                    Some(found) => compare(value, found).map_err(|failure| failure.at(name))?,
                }
            }
            Ok(())
        }
        ("$contains", Value::Array(wanted), Value::Array(received)) => {
            let missing = wanted
                .iter()
                .find(|wanted| !received.iter().any(|found| compare(wanted, found).is_ok()));
            missing.map_or(Ok(()), |missing| fail!("{} is missing", short(missing)))
        }
        ("$lacks", Value::Array(unwanted), Value::Array(received)) => {
            let found = unwanted
                .iter()
                .find(|wanted| received.iter().any(|found| compare(wanted, found).is_ok()));
            found.map_or(Ok(()), |found| fail!("{} should not be there", short(found)))
        }
        ("$startsWith", Value::String(start), Value::String(text)) if text.starts_with(start.as_str()) => {
            Ok(())
        }
        _ => fail!("expected {name} {}, received {}", short(wanted), short(received)),
    }
}

/// A value as text, truncated.
#[must_use]
pub fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(600) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// Replaces `{i}` in all strings, names of members included.
#[must_use]
pub fn numbered(value: &Value, i: u64) -> Value {
    let number = |text: &str| text.replace("{i}", &i.to_string());
    match value {
        Value::String(text) => number(text).into(),
        Value::Array(items) => items.iter().map(|item| numbered(item, i)).collect(),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, value)| (number(name), numbered(value, i)))
                .collect(),
        ),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn comparison_finds_every_kind_of_difference() {
        let received = json!({ "a": 1, "b": [1, 2], "c": { "d": "xyz" } });
        let same = [
            json!({ "a": 1, "b": [1, 2], "c": { "d": "xyz" } }),
            json!({ "a": "$any", "b": [1, 2], "c": "$any" }),
            json!({ "$has": { "c": { "d": { "$startsWith": "xy" } }, "z": "$absent" } }),
            json!({ "$has": { "b": { "$contains": [2] } } }),
            json!({ "$has": { "b": { "$lacks": [3] } } }),
        ];
        for expected in same {
            assert_eq!(compare(&expected, &received), Ok(()), "{expected}");
        }
        let different = [
            json!({ "a": 1, "b": [1, 2] }),
            json!({ "a": 1, "b": [1, 2], "c": { "d": "xyz" }, "e": "$any" }),
            json!({ "a": 1.0, "b": [1, 2], "c": { "d": "xyz" } }),
            json!({ "a": 1, "b": [2, 1], "c": { "d": "xyz" } }),
            json!({ "a": 1, "b": [1], "c": { "d": "xyz" } }),
            json!({ "a": 1, "b": [1, 2, 3], "c": { "d": "xyz" } }),
            json!({ "$has": { "a": "$absent" } }),
            json!({ "$has": { "z": "$any" } }),
            json!({ "$has": { "b": { "$contains": [3] } } }),
            json!({ "$has": { "b": { "$lacks": [2] } } }),
            json!({ "$has": { "c": { "d": { "$startsWith": "yz" } } } }),
            json!(null),
        ];
        for expected in different {
            assert!(compare(&expected, &received).is_err(), "{expected}");
        }
    }
}
