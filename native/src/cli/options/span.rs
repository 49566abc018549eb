//! Durations as people write them.

use std::str::FromStr;

use serde::Deserialize;

/// A duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "SpanText")]
pub(crate) struct Span {
    /// In ms.
    pub ms: u64,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "invalid duration: use whole seconds as a number, or a text such as \"300s\", \"5m\" or \"300000ms\""
)]
enum SpanText {
    Seconds(u64),
    Text(String),
}

/// The text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid duration `{0}`: use 300s, 5m, 1h or 300000ms")]
pub(crate) struct InvalidSpan(String);

impl FromStr for Span {
    type Err = InvalidSpan;

    fn from_str(text: &str) -> Result<Self, InvalidSpan> {
        let digits_end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(digits_end);
        let unit_ms = match unit.trim() {
            "ms" => 1,
            "s" | "" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(InvalidSpan(text.to_owned())),
        };
        let number: u64 = digits.parse().map_err(|_| InvalidSpan(text.to_owned()))?;
        Ok(Self {
            ms: number.saturating_mul(unit_ms),
        })
    }
}

impl TryFrom<SpanText> for Span {
    type Error = InvalidSpan;

    fn try_from(text: SpanText) -> Result<Self, InvalidSpan> {
        match text {
            SpanText::Seconds(seconds) => Ok(Self {
                ms: seconds.saturating_mul(1_000),
            }),
            SpanText::Text(text) => text.parse(),
        }
    }
}
