//! The refusal of a page.

use alloc::format;
use alloc::string::String;

use serde_json::json;

use super::{INVALID_REQUEST, WireError};

/// Most characters of an origin that are repeated.
const MAX_ORIGIN_CHARS: usize = 100;

impl WireError {
    /// The Origin header is not allowed, or, without one, the Host header. The origin is repeated escaped and cut: a
    /// page may state anything.
    #[must_use]
    pub fn origin_not_allowed(origin: Option<&str>) -> Self {
        let named = origin.map_or_else(String::new, |origin| {
            let start = origin.chars().take(MAX_ORIGIN_CHARS);
            format!(": {}", start.flat_map(char::escape_debug).collect::<String>())
        });
        Self::new(
            INVALID_REQUEST,
            format!(
                "origin not allowed{named} (open the page from the gateway's own host, or add its origin to the gateway's \
                 allowed origins)"
            ),
            Some(json!({ "code": "CONTROL_UI_ORIGIN_NOT_ALLOWED", "reason": "origin not allowed" })),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_is_named_escaped_and_cut() {
        let message = |origin| WireError::origin_not_allowed(origin).message;
        assert!(message(None).starts_with("origin not allowed (open"));
        assert!(
            message(Some("https://evil.example"))
                .starts_with("origin not allowed: https://evil.example (open")
        );
        let hostile = message(Some("https://a\u{1b}[2J\n\u{202e}"));
        assert!(
            !hostile.contains(|c: char| c.is_control() || c == '\u{202e}'),
            "{hostile}"
        );
        assert!(message(Some(&"x".repeat(5_000))).len() < 300);
    }
}
