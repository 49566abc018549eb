//! The two clocks of a shell.

/// The readings of the shell's clocks at one moment.
///
/// Every method that needs the time takes a `Now` as its last argument; the core reads no clocks.
///
/// * `age_ms` never goes back and counts suspension where the system can (on Linux
///   `CLOCK_BOOTTIME`). All ages, deadlines and orders use it. Its origin is arbitrary.
/// * `wall_ms` is the wall clock in ms since the Unix epoch. It may step in either direction; it only
///   determines the value of `ts`.
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
    /// Returns both clocks `ms` milliseconds later.
    #[must_use]
    pub fn after(self, ms: u64) -> Self {
        Self {
            age_ms: self.age_ms.saturating_add(ms),
            wall_ms: self.wall_ms.saturating_add(ms),
        }
    }
}
