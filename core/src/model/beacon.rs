//! Beacons, the reports of clients by `system-event`, and the grammar of their text
//! (SPEC 1.3, reference 1.5).

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::model::entry::{MAX_SAFE_INTEGER, MAX_TEXT_BYTES};
use crate::model::json::{MAX_ESCAPE, escaped_len};
use crate::model::placeholder::Kind;
use crate::model::text::{trim, trim_start};

/// The tag that removes a row's last input (SPEC 1.3).
pub const CLEAR_LAST_INPUT_TAG: &str = "system-presence-clear-last-input";

/// Most items of a beacon's `roles`, `scopes` and `tags`.
pub(crate) const MAX_ITEMS: usize = 64;

const SEPARATOR: char = '\u{b7}';
/// The line breaks of ECMAScript.
const LINE_BREAKS: [char; 4] = ['\n', '\r', '\u{2028}', '\u{2029}'];

/// One beacon, validated: strings are within their bounds, numbers are integers.
///
/// ```
/// use presence_core::model::beacon::Beacon;
/// let beacon = Beacon::new("Node: hostx (10.0.0.5) · app 1.2 · last input 12s ago · mode local · reason launch");
/// let parsed = beacon.parsed().unwrap();
/// assert_eq!((parsed.host, parsed.ip, parsed.last_input_seconds), ("hostx", "10.0.0.5", 12));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beacon {
    /// The text, trimmed and not empty.
    pub text: Box<str>,
    /// Stable identity of the client.
    pub instance_id: Option<Box<str>>,
    /// Identity of the device.
    pub device_id: Option<Box<str>>,
    /// Host name.
    pub host: Option<Box<str>>,
    /// IP address.
    pub ip: Option<Box<str>>,
    /// Mode.
    pub mode: Option<Box<str>>,
    /// Version.
    pub version: Option<Box<str>>,
    /// Operating system.
    pub platform: Option<Box<str>>,
    /// Hardware family.
    pub device_family: Option<Box<str>>,
    /// Hardware model.
    pub model_identifier: Option<Box<str>>,
    /// Seconds since the last user input.
    pub last_input_seconds: Option<u64>,
    /// Why the beacon was sent.
    pub reason: Option<Box<str>>,
    /// Roles to add, trimmed, without blanks.
    pub roles: Vec<Box<str>>,
    /// Scopes to add, trimmed, without blanks.
    pub scopes: Vec<Box<str>>,
    /// Whether [`CLEAR_LAST_INPUT_TAG`] is among the tags.
    pub clear_last_input: bool,
    /// How long the row stays after this beacon, in ms, if that is shorter than the roster's TTL.
    pub ttl_ms: Option<u64>,
}

impl Beacon {
    /// A beacon that has only a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            text: trim(text).into(),
            ..Self::default()
        }
    }

    /// Returns the placeholder among its ids, if there is one.
    #[must_use]
    pub fn placeholder_id(&self) -> Option<&'static str> {
        let ids = [&self.instance_id, &self.device_id];
        ids.into_iter()
            .find_map(|id| Kind::Id.placeholder(id.as_deref()?))
    }

    /// Returns its texts with the names of their parameters. Roles and scopes are not among them.
    pub fn texts(&self) -> impl DoubleEndedIterator<Item = (&'static str, &str)> {
        // Without `..`, so that a new member is a compile error here. A new text also belongs to the texts that
        // `Report` writes.
        let Self {
            text,
            host,
            ip,
            version,
            mode,
            reason,
            instance_id,
            device_id,
            platform,
            device_family,
            model_identifier,
            last_input_seconds: _,
            roles: _,
            scopes: _,
            clear_last_input: _,
            ttl_ms: _,
        } = self;
        let members = [
            ("text", Some(text)),
            ("host", host.as_ref()),
            ("ip", ip.as_ref()),
            ("version", version.as_ref()),
            ("mode", mode.as_ref()),
            ("reason", reason.as_ref()),
            ("instanceId", instance_id.as_ref()),
            ("deviceId", device_id.as_ref()),
            ("platform", platform.as_ref()),
            ("deviceFamily", device_family.as_ref()),
            ("modelIdentifier", model_identifier.as_ref()),
        ];
        let members = members.into_iter();
        members.filter_map(|(name, text)| Some((name, &**text?)))
    }

    /// Parses its text, if it follows the grammar.
    #[must_use]
    pub fn parsed(&self) -> Option<TextBeacon<'_>> {
        parse_text(&self.text)
    }
}

/// The values in a beacon's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextBeacon<'a> {
    /// Host name: one word.
    pub host: &'a str,
    /// The text in parentheses.
    pub ip: &'a str,
    /// After `app`.
    pub version: &'a str,
    /// Seconds since the last user input.
    pub last_input_seconds: u64,
    /// After `mode`.
    pub mode: &'a str,
    /// After `reason`, to the end.
    pub reason: &'a str,
}

/// Parses `Node: <host> (<ip>) · app <version> · last input <n>s ago · mode <mode> · reason <reason>`.
///
/// Words match in any case, any text may precede `Node:`, blanks around the middle dots are optional.
/// A text that differs anywhere gives no values at all.
#[must_use]
pub fn parse_text(text: &str) -> Option<TextBeacon<'_>> {
    // Unanchored at the start: the first "Node:" that leads to a match wins. A host, a parenthesis or a tail that
    // several of them share is scanned once, so that the work is linear.
    let (mut host_end, mut open) = (None, None);
    let (mut close, mut tail) = (None, None);
    let mut last_break = None;
    let mut from = 0;
    while let Some(at) = find_node(text.get(from..)?) {
        from += at + "node:".len();
        // The host ends at a space or at "("; blanks may precede the parenthesis.
        let host_start = from + blanks(text.get(from..)?);
        if host_end.is_none_or(|end| end < host_start) {
            let end = host_start + text.get(host_start..)?.find([' ', '('])?;
            let paren = end + blanks(text.get(end..)?);
            host_end = Some(end);
            open = text.get(paren..)?.starts_with('(').then_some(paren + 1);
        }
        let (Some(host_end), Some(open)) = (host_end, open) else {
            continue;
        };
        if close.is_none_or(|close| close < open) {
            let end = open + text.get(open..)?.find(')')?;
            close = Some(end);
            let last_break = *last_break.get_or_insert_with(|| text.rfind(LINE_BREAKS));
            tail = parse_tail(text, end + 1, last_break);
        }
        let ip = text.get(open..close?)?;
        if let Some(tail) = tail
            && host_start < host_end
            && !ip.is_empty()
        {
            return Some(TextBeacon {
                host: trim(text.get(host_start..host_end)?),
                ip: trim(ip),
                version: trim(tail.version),
                mode: trim(tail.mode),
                reason: trim(tail.reason),
                ..tail
            });
        }
    }
    None
}

/// Parses what follows the parenthesis that ends before `start`; there are no host and no ip, and the parts are not
/// trimmed.
fn parse_tail(text: &str, start: usize, last_break: Option<usize>) -> Option<TextBeacon<'_>> {
    let rest = trim_start(text.get(start..)?).strip_prefix(SEPARATOR)?;
    let (version, rest) = strip_word(rest, "app")?.split_once(SEPARATOR)?;
    let (input, rest) = strip_word(rest, "last input")?.split_once(SEPARATOR)?;
    let (mode, rest) = strip_word(rest, "mode")?.split_once(SEPARATOR)?;
    let reason = strip_word(rest, "reason")?;
    let last_input_seconds = parse_seconds_ago(trim(input))?;
    let reason_start = text.len() - trim_start(reason).len();
    let has_line_break = last_break.is_some_and(|at| at >= reason_start);
    let is_complete = ![version, mode, reason].iter().any(|part| part.is_empty()) && !has_line_break;
    is_complete.then_some(TextBeacon {
        host: "",
        ip: "",
        version,
        last_input_seconds,
        mode,
        reason,
    })
}

/// The bytes of blanks at the start.
fn blanks(text: &str) -> usize {
    text.len() - trim_start(text).len()
}

/// Parses `12s ago`: digits, followed by exactly `s ago`.
fn parse_seconds_ago(text: &str) -> Option<u64> {
    let digits_end = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, unit) = text.split_at_checked(digits_end)?;
    if digits.is_empty() || !unit.eq_ignore_ascii_case("s ago") {
        return None;
    }
    // Any number of digits is valid; the value is bounded like every number.
    Some(digits.parse().unwrap_or(u64::MAX).min(MAX_SAFE_INTEGER))
}

/// Removes leading blanks and `word` (in any case).
fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let text = trim_start(text);
    let (head, rest) = text.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word).then_some(rest)
}

/// Returns where "node:" starts. Colons are rare, so the word is searched only before a colon.
fn find_node(text: &str) -> Option<usize> {
    let word = "node";
    text.match_indices(':')
        .filter_map(|(colon, _)| colon.checked_sub(word.len()))
        .find(|&at| {
            let before = text.as_bytes().get(at..at + word.len());
            before.is_some_and(|before| before.eq_ignore_ascii_case(word.as_bytes()))
        })
}

/// Whether a beacon's text has at most [`MAX_TEXT_BYTES`] encoded.
#[must_use]
pub(crate) fn fits_text(text: &str) -> bool {
    text.len() * MAX_ESCAPE <= MAX_TEXT_BYTES || escaped_len(text) <= MAX_TEXT_BYTES
}

#[cfg(test)]
mod tests;
