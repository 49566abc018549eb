//! The parameters of `system-event`: a beacon (SPEC 1.3).

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::model::beacon::{Beacon, CLEAR_LAST_INPUT_TAG, MAX_ITEMS, fits_text};
use crate::model::entry::{MAX_SAFE_INTEGER, MAX_STRING_UNITS, MAX_TEXT_BYTES, MAX_TEXT_UNITS};
use crate::model::text::trim;
use crate::wire::params::{Length, Members, ParamsError};

/// Why a beacon is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SystemEventError {
    /// A member is missing, of the wrong type, or too long.
    #[error("invalid system-event params: {0}")]
    Params(#[from] ParamsError),
    /// The text is blank.
    #[error("text required")]
    TextRequired,
}

/// Reads a beacon from the parameters of `system-event`, a JSON text. Unknown members are ignored.
///
/// # Errors
/// [`SystemEventError`]; its message names the bad member.
pub fn parse_system_event(params: &str) -> Result<Beacon, SystemEventError> {
    let members = Members::root(params)?;
    let text = members.required_string("text", MAX_TEXT_UNITS)?;
    let text = trim(&text);
    if !fits_text(text) {
        return Err(members.too_large("text", MAX_TEXT_BYTES).into());
    }
    let string = |name| -> Result<Option<Box<str>>, ParamsError> {
        Ok(members.optional_string(name, MAX_STRING_UNITS)?.map(Box::from))
    };
    let tags = members
        .optional_strings("tags", MAX_ITEMS, MAX_STRING_UNITS)?
        .unwrap_or_default();
    // Known to the originals; checked so that a typo shows here as it would there.
    members.optional_string("sessionKey", Length::ANY)?;
    members.optional_string("idempotencyKey", Length::nonempty(usize::MAX))?;
    members.optional_bool("wake")?;
    let beacon = Beacon {
        text: text.into(),
        instance_id: string("instanceId")?,
        device_id: string("deviceId")?,
        host: string("host")?,
        ip: string("ip")?,
        mode: string("mode")?,
        version: string("version")?,
        platform: string("platform")?,
        device_family: string("deviceFamily")?,
        model_identifier: string("modelIdentifier")?,
        last_input_seconds: members.optional_number("lastInputSeconds")?.map(integer),
        reason: string("reason")?,
        roles: trimmed(members.optional_strings("roles", MAX_ITEMS, MAX_STRING_UNITS)?),
        scopes: trimmed(members.optional_strings("scopes", MAX_ITEMS, MAX_STRING_UNITS)?),
        clear_last_input: tags.iter().any(|tag| tag == CLEAR_LAST_INPUT_TAG),
    };
    if text.is_empty() {
        return Err(SystemEventError::TextRequired);
    }
    Ok(beacon)
}

/// Floors and clamps: one fraction breaks the mac app's whole list (SPEC 1.1).
fn integer(number: f64) -> u64 {
    // `as` floors towards zero and saturates; negative numbers become 0.
    (number as u64).min(MAX_SAFE_INTEGER)
}

fn trimmed(items: Option<Vec<Cow<'_, str>>>) -> Vec<Box<str>> {
    items
        .unwrap_or_default()
        .iter()
        .map(|item| trim(item))
        .filter(|item| !item.is_empty())
        .map(Box::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_become_integers() {
        for (sent, stored) in [(3.7, 3), (-4.0, 0), (1e300, MAX_SAFE_INTEGER)] {
            let beacon =
                parse_system_event(&json!({ "text": "t", "lastInputSeconds": sent }).to_string()).unwrap();
            assert_eq!(beacon.last_input_seconds, Some(stored));
        }
    }

    #[test]
    fn refusals_name_the_member() {
        for (params, message) in [
            (
                json!({}),
                "invalid system-event params: must have required property 'text'",
            ),
            (json!({ "text": " \n" }), "text required"),
            (
                json!({ "text": "é".repeat(2_049) }),
                "invalid system-event params: at /text: must NOT have more than 4096 bytes encoded",
            ),
            (
                json!({ "text": "t", "host": null }),
                "invalid system-event params: at /host: must be string",
            ),
            (
                json!({ "text": "t", "lastInputSeconds": "5" }),
                "invalid system-event params: at /lastInputSeconds: must be number",
            ),
            (
                json!({ "text": "t", "roles": ["a", 1] }),
                "invalid system-event params: at /roles/1: must be string",
            ),
            (
                json!({ "text": "t", "ip": "x".repeat(1_025) }),
                "invalid system-event params: at /ip: must NOT have more than 1024 characters",
            ),
        ] {
            assert_eq!(
                parse_system_event(&params.to_string()).unwrap_err().to_string(),
                message
            );
        }
    }
}
