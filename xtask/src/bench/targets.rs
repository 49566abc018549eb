//! Figures with their targets.

use super::figures::Figures;
use super::number::with_unit;

/// Everything that was measured.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) ours: Figures,
    /// Other gateways, by release, in the order of the table.
    pub(crate) peers: Vec<(String, Figures)>,
    pub(crate) core: Figures,
    pub(crate) wasm: Figures,
}

/// A line of the table.
pub(crate) struct Line {
    pub(crate) what: &'static str,
    /// The figure, of a gateway or a library.
    pub(crate) of: fn(&Figures) -> Option<f64>,
    /// The source of the figure.
    pub(crate) whose: Whose,
    /// The bare server's, in the same unit.
    pub(crate) limit: Option<fn(&Figures) -> Option<f64>>,
    pub(crate) unit: &'static str,
    pub(crate) target: Target,
}

/// A source of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Gateway,
    Core,
    Wasm,
}

/// The target of a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
    /// Shown for comparison; another line has the target.
    None,
}

impl Target {
    pub(crate) fn is_met(self, value: f64) -> Option<bool> {
        match self {
            Self::AtMost(most) => Some(value <= most),
            Self::AtLeast(least) => Some(value >= least),
            Self::None => None,
        }
    }

    pub(crate) fn shown(self, unit: &str) -> String {
        match self {
            Self::AtMost(most) => format!("≤ {}", with_unit(most, unit)),
            Self::AtLeast(least) => format!("≥ {}", with_unit(least, unit)),
            Self::None => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Target::{AtLeast, AtMost};
    use super::*;

    #[test]
    fn targets_are_met_at_their_bound() {
        assert_eq!(AtMost(1.25).is_met(1.25), Some(true));
        assert_eq!(AtMost(1.25).is_met(1.26), Some(false));
        assert_eq!(AtLeast(60_000.0).is_met(59_999.0), Some(false));
        assert_eq!(Target::None.is_met(1.0), None);
    }

    #[test]
    fn a_target_is_shown_with_its_unit() {
        assert_eq!(AtMost(1.25).shown("x"), "≤ 1.25 x");
    }
}
