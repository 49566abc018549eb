//! The figures: a table for people, JSON for programs.

use serde::Serialize;

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Figure {
    /// Scenario and quantity, as `fanout.ratio`.
    pub(crate) name: String,
    pub(crate) value: f64,
    /// "ms", "kB", "per s", "x", ...
    pub(crate) unit: &'static str,
}

/// All figures of a run, in order of measurement.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// Name of the gateway.
    pub(crate) label: String,
    pub(crate) figures: Vec<Figure>,
    /// Remarks: a scenario that could not run, a limit that was reached.
    pub(crate) notes: Vec<String>,
}

impl Report {
    /// Adds a figure.
    pub(crate) fn add(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        self.figures.push(Figure {
            name: name.into(),
            // More decimals are noise.
            value: (value * 1_000.0).round() / 1_000.0,
            unit,
        });
    }

    /// Adds a remark.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// The figures from number `first` on, as an aligned table.
    pub(crate) fn table(&self, first: usize) -> String {
        let figures = self.figures.get(first..).unwrap_or_default();
        let width = figures.iter().map(|figure| figure.name.len()).max().unwrap_or(0);
        figures
            .iter()
            .map(|figure| {
                format!(
                    "  {:<width$}  {:>12} {}\n",
                    figure.name,
                    shown(figure.value),
                    figure.unit
                )
            })
            .collect()
    }

    pub(crate) fn to_json(&self) -> String {
        // Texts and numbers always serialise.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// Formats a value with its significant digits.
fn shown(value: f64) -> String {
    match value.abs() {
        size if size >= 1_000.0 || value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_and_json_have_equal_figures() {
        let mut report = Report {
            label: "ours".to_owned(),
            ..Report::default()
        };
        report.add("start.hello", 4.123_456, "ms");
        report.add("beacons.rate", 123_456.7, "per s");
        report.note("no limit");
        assert_eq!(
            report.table(0),
            "  start.hello          4.123 ms\n  beacons.rate        123457 per s\n"
        );
        assert_eq!(report.table(1), "  beacons.rate        123457 per s\n");
        let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
        assert_eq!(json["figures"][0]["name"], "start.hello");
        assert_eq!(json["figures"][0]["value"], 4.123);
        assert_eq!(json["notes"][0], "no limit");
    }
}
