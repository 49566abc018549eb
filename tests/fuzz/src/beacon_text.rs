//! The text of a beacon, against the regular expression that was measured for its grammar.

use presence_conformance::model::text::{ParsedText, parsed_text};
use presence_core::model::beacon::{Beacon, parse_text};

/// Reads the bytes as the text of a beacon and compares what comes out.
///
/// # Panics
/// When the two readers disagree.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let text = Beacon::new(text).text;
    let read = parse_text(&text).map(|read| ParsedText {
        host: read.host.into(),
        ip: read.ip.into(),
        version: read.version.into(),
        last_input_seconds: read.last_input_seconds,
        mode: read.mode.into(),
        reason: read.reason.into(),
    });
    let expected = parsed_text(&text).map(|expected| ParsedText {
        last_input_seconds: expected
            .last_input_seconds
            .min(presence_core::model::entry::MAX_SAFE_INTEGER),
        ..expected
    });
    assert_eq!(read, expected, "{text:?}");
}
