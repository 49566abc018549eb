//! The two clocks a shell hands in.

/// What the shell's clocks read at one moment.
///
/// Every method that needs the time takes a `Now` as its last argument; the core never asks.
///
/// * `age_ms` never goes back and counts suspension where the system can (on Linux
///   `CLOCK_BOOTTIME`). All ages, deadlines and orders are counted on it. Its origin is arbitrary.
/// * `wall_ms` is the wall clock in ms since the Unix epoch. It may step either way; it only
///   decides what is written as `ts`.
///
/// ```
/// use presence_core::Now;
/// let start = Now { age_ms: 0, wall_ms: 1_700_000_000_000 };
/// assert_eq!(start.after(1_500), Now { age_ms: 1_500, wall_ms: 1_700_000_001_500 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds on the monotonic, suspension-aware clock.
    pub age_ms: u64,
    /// Milliseconds since the Unix epoch on the wall clock.
    pub wall_ms: u64,
}

impl Now {
    /// The same clocks `ms` milliseconds later, both advanced alike.
    #[must_use]
    pub fn after(self, ms: u64) -> Self {
        Self {
            age_ms: self.age_ms.saturating_add(ms),
            wall_ms: self.wall_ms.saturating_add(ms),
        }
    }
}
