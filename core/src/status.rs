//! Status (SPEC 1.7).
/// Status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status { /// a
Active, /// b
Idle, /// c
Stale }
