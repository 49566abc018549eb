//! Durations in options. `humantime` also accepts `1.5s` and years, but no bare number of seconds.

/// The text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid duration `{0}`: use 300s, 5m, 1h or 300000ms")]
pub(crate) struct InvalidDuration(String);

/// Reads a duration, in ms. A bare number counts seconds.
pub(super) fn duration_ms(text: &str) -> Result<u64, InvalidDuration> {
    read(text, false)
}

/// Reads a duration that may also be of days, such as 7d, in ms.
pub(super) fn long_duration_ms(text: &str) -> Result<u64, InvalidDuration> {
    read(text, true)
}

fn read(text: &str, takes_days: bool) -> Result<u64, InvalidDuration> {
    let text = text.trim();
    let invalid = || InvalidDuration(text.to_owned());
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let unit_ms = match unit.trim() {
        "ms" => 1,
        "s" | "" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" if takes_days => 24 * 3_600_000,
        _ => return Err(invalid()),
    };
    let number: u64 = digits.parse().map_err(|_| invalid())?;
    Ok(number.saturating_mul(unit_ms))
}

/// Writes a duration as an option takes it: 300000 as `5m`.
pub(crate) fn duration_text(ms: u64) -> String {
    let (unit_ms, unit) = match ms {
        0 => (1_000, "s"),
        _ if ms.is_multiple_of(3_600_000) => (3_600_000, "h"),
        _ if ms.is_multiple_of(60_000) => (60_000, "m"),
        _ if ms.is_multiple_of(1_000) => (1_000, "s"),
        _ => (1, "ms"),
    };
    format!("{}{unit}", ms / unit_ms)
}
