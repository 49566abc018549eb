//! The lines of the table of targets.

mod gateway;
mod libraries;

use super::targets::Line;

/// All lines, in the order of the table.
pub(crate) fn lines() -> impl Iterator<Item = &'static Line> {
    gateway::LINES.iter().chain(libraries::LINES)
}
