//! Roster.
/// Roster.
#[derive(Debug)]
pub struct Roster;
