//! The client's estimate of the server's clock (SPEC 3, "Time").

use core::mem;

use crate::model::time::Now;

/// A wall clock that falls behind the age clock by more than this between two readings, in ms, was stepped
/// back.
const STEP_MS: u64 = 1_000;

/// A tick that is behind the estimate by up to this, in ms, only had a longer latency than the message that set
/// the estimate. Following it would make statuses flap.
const LATENESS_MS: u64 = 1_000;

/// The maximum time between two ticks, in ms, if no machine slept: two intervals and some latency.
const SILENCE_MS: u64 = 65_000;

/// An estimate of the server's wall clock, corrected by the server's messages and extrapolated in between.
///
/// The extrapolation uses the larger of the shell's monotonic and wall progress, so that rows do not look
/// younger after a suspension that stops the monotonic clock, or after a wall clock is set back. The absolute
/// reading of the shell's wall clock does not matter.
///
/// ```
/// use presence_core::{Now, client::ServerClock};
/// // This machine's clock is three hours behind the server's.
/// let start = Now { age_ms: 0, wall_ms: 1_000_000 };
/// let mut clock = ServerClock::new(start);
/// clock.synchronise(1_000_000 + 3 * 3_600_000, start);
/// assert_eq!(clock.server_ms(start.after(500)), 1_000_500 + 3 * 3_600_000);
/// ```
#[derive(Clone, Debug)]
pub struct ServerClock {
    /// The start of the current stretch, from which elapsed time is counted.
    start: Now,
    /// Elapsed ms at `start`.
    start_elapsed_ms: u64,
    /// The last reading, to detect a wall clock that was set back.
    last: Now,
    /// The difference between the server's clock and elapsed time.
    offset_ms: i64,
    /// The last challenge or tick that was followed, in elapsed ms: some systems stop the monotonic clock during sleep.
    read_ms: u64,
    /// By how much the last tick was behind the estimate, in ms.
    behind_ms: u64,
}

impl ServerClock {
    /// Creates a clock that equals the shell's wall clock until the first correction.
    #[must_use]
    pub fn new(now: Now) -> Self {
        Self {
            start: now,
            start_elapsed_ms: 0,
            last: now,
            offset_ms: as_i64(now.wall_ms),
            read_ms: 0,
            behind_ms: 0,
        }
    }

    /// Records the shell's clocks: call it for every input, before anything else.
    pub fn advance(&mut self, now: Now) {
        let age_step = now.age_ms.saturating_sub(self.last.age_ms);
        let behind = self
            .last
            .wall_ms
            .saturating_add(age_step)
            .saturating_sub(now.wall_ms);
        if behind > STEP_MS {
            // Set back: the elapsed time stays, and counting continues from the new reading.
            self.start_elapsed_ms = self.elapsed_ms(self.last).saturating_add(age_step);
            self.start = now;
        }
        self.last = now;
    }

    /// Sets the estimate from a challenge, which states the server's time.
    pub fn synchronise(&mut self, server_ms: u64, now: Now) {
        self.read_ms = self.elapsed_ms(now);
        self.offset_ms = as_i64(server_ms) - as_i64(self.read_ms);
    }

    /// Corrects the estimate from a tick, which states the server's time.
    ///
    /// After a silence, a tick that is far behind is followed only if the previous one was behind by as much. Ticks
    /// that waited in the socket while this machine slept are not: each is behind by less than the previous one.
    pub fn synchronise_by_tick(&mut self, server_ms: u64, now: Now) {
        let behind = self.server_ms(now).saturating_sub(server_ms);
        let before = mem::replace(&mut self.behind_ms, behind);
        let elapsed_ms = self.elapsed_ms(now);
        let is_first =
            elapsed_ms.saturating_sub(self.read_ms) > SILENCE_MS && behind.abs_diff(before) > LATENESS_MS;
        if behind > LATENESS_MS && is_first {
            return;
        }
        self.read_ms = elapsed_ms;
        if behind == 0 || behind > LATENESS_MS {
            self.synchronise(server_ms, now);
        }
    }

    /// Returns the server's time, in ms since the Unix epoch.
    #[must_use]
    pub fn server_ms(&self, now: Now) -> u64 {
        self.elapsed_ms(now).saturating_add_signed(self.offset_ms)
    }

    /// Returns the time since this clock was created, in ms: the larger of the shell's monotonic and wall
    /// progress. The server's messages do not affect it.
    #[must_use]
    pub fn elapsed_ms(&self, now: Now) -> u64 {
        let by_age = now.age_ms.saturating_sub(self.start.age_ms);
        let by_wall = now.wall_ms.saturating_sub(self.start.wall_ms);
        self.start_elapsed_ms.saturating_add(by_age.max(by_wall))
    }

    /// Returns the latest reading of the age clock at which the server's clock will read `server_ms`,
    /// extrapolated from the last [`advance`](Self::advance).
    #[must_use]
    pub fn deadline(&self, server_ms: u64) -> u64 {
        let ahead_ms = server_ms.saturating_sub(self.server_ms(self.last));
        self.last.age_ms.saturating_add(ahead_ms)
    }

    /// Returns the latest reading of the age clock at which [`elapsed_ms`](Self::elapsed_ms) will be `elapsed_ms`,
    /// extrapolated from the last [`advance`](Self::advance).
    pub(super) fn age_at(&self, elapsed_ms: u64) -> u64 {
        let ahead_ms = elapsed_ms.saturating_sub(self.elapsed_ms(self.last));
        self.last.age_ms.saturating_add(ahead_ms)
    }
}

pub(super) fn as_i64(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: u64 = 1_800_000_000_000;

    fn at(age_ms: u64, wall_ms: u64) -> Now {
        Now { age_ms, wall_ms }
    }

    #[test]
    fn sleep_that_only_the_wall_clock_measures_counts() {
        let mut clock = ServerClock::new(at(0, 5_000));
        clock.synchronise(SERVER, at(0, 5_000));
        // Ten minutes asleep: the monotonic clock stood still.
        clock.advance(at(10, 605_000));
        assert_eq!(clock.server_ms(at(10, 605_000)), SERVER + 600_000);
    }

    #[test]
    fn setting_the_wall_clock_back_keeps_the_elapsed_time() {
        let mut clock = ServerClock::new(at(0, 5_000_000));
        clock.synchronise(SERVER, at(0, 5_000_000));
        clock.advance(at(10, 5_600_000));
        // Set back by an hour and a half: the ten minutes asleep still count, and time continues.
        let back = at(1_010, 200_000);
        clock.advance(back);
        assert_eq!(clock.server_ms(back), SERVER + 601_000);
        assert_eq!(clock.server_ms(back.after(2_000)), SERVER + 603_000);
    }

    #[test]
    fn jitter_between_the_clocks_does_not_add_up() {
        let mut clock = ServerClock::new(at(0, 0));
        clock.synchronise(SERVER, at(0, 0));
        for step in 1..=1_000 {
            // The wall reading is rounded up and down in turn.
            clock.advance(at(step * 10, step * 10 + (step % 2) * 9));
        }
        assert!(clock.server_ms(at(10_000, 10_000)) <= SERVER + 10_009);
    }

    #[test]
    fn a_late_tick_is_ignored_but_a_clock_that_is_behind_is_corrected() {
        let mut clock = ServerClock::new(at(0, 0));
        clock.synchronise(SERVER, at(0, 0));
        clock.synchronise_by_tick(SERVER + 29_400, at(30_000, 30_000));
        assert_eq!(clock.server_ms(at(30_000, 30_000)), SERVER + 30_000);
        clock.synchronise_by_tick(SERVER + 50_000, at(60_000, 60_000));
        assert_eq!(clock.server_ms(at(60_000, 60_000)), SERVER + 50_000);
        clock.synchronise_by_tick(SERVER + 90_500, at(90_000, 90_000));
        assert_eq!(clock.server_ms(at(90_000, 90_000)), SERVER + 90_500);
    }

    #[test]
    fn ticks_that_waited_during_a_sleep_do_not_set_the_clock_back() {
        let mut clock = ServerClock::new(at(0, 0));
        clock.synchronise(SERVER, at(0, 0));
        // Five minutes asleep, with some ticks in the socket.
        for waited in [30_000, 60_000, 90_000] {
            clock.synchronise_by_tick(SERVER + waited, at(300_000, 300_000));
            assert_eq!(clock.server_ms(at(300_000, 300_000)), SERVER + 300_000);
        }
        clock.synchronise_by_tick(SERVER + 310_000, at(310_000, 310_000));
        assert_eq!(clock.server_ms(at(310_000, 310_000)), SERVER + 310_000);
        // If the server's clock was set back during a sleep, the second tick confirms it.
        clock.synchronise_by_tick(SERVER + 100_000, at(600_000, 600_000));
        assert_eq!(clock.server_ms(at(600_000, 600_000)), SERVER + 600_000);
        clock.synchronise_by_tick(SERVER + 129_500, at(630_000, 630_000));
        assert_eq!(clock.server_ms(at(630_000, 630_000)), SERVER + 129_500);
    }

    #[test]
    fn a_sleep_that_only_the_wall_clock_measures_is_a_silence() {
        let mut clock = ServerClock::new(at(0, 0));
        clock.synchronise(SERVER, at(0, 0));
        // Five minutes asleep, with some ticks in the socket: the monotonic clock stood still.
        let woken = at(10, 300_000);
        clock.advance(woken);
        for waited in [30_000, 60_000, 90_000] {
            clock.synchronise_by_tick(SERVER + waited, woken);
            assert_eq!(clock.server_ms(woken), SERVER + 300_000);
        }
        clock.synchronise_by_tick(SERVER + 310_000, at(10_010, 310_000));
        // A wall clock that is set forward by an hour looks like a sleep: the second tick corrects it.
        for (age_ms, expected) in [(40_010, 3_940_000), (70_010, 370_000)] {
            let now = at(age_ms, age_ms + 3_899_990);
            clock.advance(now);
            clock.synchronise_by_tick(SERVER + age_ms + 299_990, now);
            assert_eq!(clock.server_ms(now), SERVER + expected);
        }
    }

    #[test]
    fn deadlines_are_on_the_age_clock() {
        let mut clock = ServerClock::new(at(7, 9_999));
        clock.synchronise(SERVER, at(7, 9_999));
        clock.advance(at(17, 10_009));
        assert_eq!(clock.deadline(SERVER + 40), 47);
        assert_eq!(clock.deadline(SERVER), 17);
    }
}
