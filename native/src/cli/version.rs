//! The version that the gateway states.

use presence_core::model::placeholder::Kind;

/// Longest version, in characters.
const MAX_CHARS: usize = 64;

/// Returns the version of the surrounding OpenClaw (`OPENCLAW_VERSION`), else the gateway's own.
pub(super) fn stated_version() -> String {
    version_of(std::env::var("OPENCLAW_VERSION").ok())
}

fn version_of(variable: Option<String>) -> String {
    variable
        .map(|text| text.trim().chars().take(MAX_CHARS).collect::<String>())
        .filter(|text| !text.is_empty() && !Kind::Version.is_placeholder(text))
        .unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_openclaws_where_that_is_known() {
        let own = env!("CARGO_PKG_VERSION");
        assert_eq!(version_of(Some(" 2026.9.6 ".to_owned())), "2026.9.6");
        for nothing in [" ", "undefined", " Unknown "] {
            assert_eq!(version_of(Some(nothing.to_owned())), own);
        }
        assert_eq!(version_of(None), own);
    }
}
