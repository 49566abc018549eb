//! Numbers as the page shows them.

/// Formats a value with as many digits as are significant, and its unit.
pub(crate) fn with_unit(value: f64, unit: &str) -> String {
    let number = match value.abs() {
        size if size >= 1_000.0 => thousands(value),
        size if size >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    };
    if unit.is_empty() {
        number
    } else {
        format!("{number} {unit}")
    }
}

fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_significant_digits() {
        let shown = [0.0123, 0.5, 1.0, 12.34, 123.4, 1_234.5, 1_234_567.0].map(|value| with_unit(value, ""));
        assert_eq!(shown, ["0.012", "0.50", "1", "12.3", "123", "1,234", "1,234,567"]);
        assert_eq!(with_unit(12.5, "ms"), "12.5 ms");
    }
}
