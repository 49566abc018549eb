//! Findings about the list as a whole.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::{Confidence, Finding, FindingKind};

/// The cap of OpenClaw gateways, which do not state it.
const OPENCLAW_CAP: usize = 200;
/// From this share of the cap on, in percent, the list counts as nearly full.
const NEARLY_FULL_PERCENT: usize = 90;

/// Finds a list of `rows` rows that is nearly full. A list longer than an assumed cap refutes the assumption.
pub(super) fn near_cap(rows: usize, max_entries: Option<usize>, found: &mut Vec<Finding>) {
    let cap = max_entries.unwrap_or(OPENCLAW_CAP);
    let is_near = rows >= (cap.saturating_mul(NEARLY_FULL_PERCENT)).div_ceil(100);
    if !is_near || (max_entries.is_none() && rows > cap) {
        return;
    }
    let (confidence, source) = match max_entries {
        Some(_) => (Confidence::High, ""),
        None => (
            Confidence::Medium,
            ": the cap of OpenClaw, as the list does not state one",
        ),
    };
    found.push(Finding {
        kind: FindingKind::NearCap,
        rows: Vec::new(),
        confidence,
        evidence: vec![format!("{rows} of at most {cap} rows{source}.")],
    });
}
