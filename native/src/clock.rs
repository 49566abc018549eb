//! Clocks. No other module reads the time of the system.
//!
//! Core takes the time as an argument ([`presence_core::Now`]); the gateway takes a [`Clock`]. The system's clock
//! counts suspension where possible. A test advances a [`Manual`] clock, so that five minutes of presence over real
//! sockets take milliseconds.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use presence_core::Now;
use tokio::sync::watch;

/// Reads the time, and waits until a time. Cheap to clone.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    Manual(Manual),
}

impl Clock {
    /// The machine's clocks. Ages never go back, and count the time that the machine sleeps:
    ///
    /// | system | clock | counts sleep |
    /// |---|---|---|
    /// | Linux, Android | `CLOCK_BOOTTIME` | yes |
    /// | macOS, iOS | `CLOCK_MONOTONIC`, which counts sleep there; [`Instant`](std::time::Instant) does not | yes |
    /// | Windows | `Instant`: `QueryPerformanceCounter` | yes |
    /// | others | `Instant` | as the system does |
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// The time on both clocks.
    #[must_use]
    pub fn now(&self) -> Now {
        match &self.0 {
            Source::System => Now {
                age_ms: whole_ms(age()),
                wall_ms: wall_ms(),
            },
            Source::Manual(manual) => manual.now(),
        }
    }

    /// Waits until `Now::age_ms` is at least `age_ms`; returns at once if it is. After the machine slept past that
    /// time, this takes up to half a second.
    pub async fn sleep_until(&self, age_ms: u64) {
        match &self.0 {
            // The runtime's timers stop while the machine sleeps, which would delay a long timer.
            Source::System => nap_until(Duration::from_millis(age_ms), age).await,
            Source::Manual(manual) => manual.sleep_until(age_ms).await,
        }
    }

    /// Waits for the deadline; forever without one.
    pub(crate) async fn wait(&self, deadline: Option<u64>) {
        match deadline {
            Some(deadline) => self.sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Clock::system",
            Source::Manual(_) => "Clock::manual",
        })
    }
}

/// The longest sleep of a timer. Timers may not count suspension, so the clock is read again after this time: SPEC 1.5
/// guarantees TTL + 1 s.
const LONGEST_NAP: Duration = Duration::from_millis(500);

/// How long to sleep before the clock is read again; `None` once it is time. Whole ms would add to the rounding of the
/// timer.
fn nap(now: Duration, deadline: Duration) -> Option<Duration> {
    let left = deadline.checked_sub(now).filter(|left| !left.is_zero())?;
    Some(left.min(LONGEST_NAP))
}

/// Sleeps in naps until `now` returns at least `deadline`.
async fn nap_until(deadline: Duration, now: impl Fn() -> Duration) {
    while let Some(nap) = nap(now(), deadline) {
        tokio::time::sleep(nap).await;
    }
}

/// A clock that moves only by its methods. Clones share the time.
#[derive(Clone, Debug)]
pub struct Manual(Arc<watch::Sender<Now>>);

impl Manual {
    /// A clock that reads `start`.
    #[must_use]
    pub fn new(start: Now) -> Self {
        Self(Arc::new(watch::Sender::new(start)))
    }

    /// This clock in the form that the gateway takes.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock(Source::Manual(self.clone()))
    }

    /// The time on both clocks.
    #[must_use]
    pub fn now(&self) -> Now {
        *self.0.borrow()
    }

    /// Advances both clocks by `ms` milliseconds.
    pub fn advance(&self, ms: u64) {
        self.0.send_modify(|now| *now = now.after(ms));
    }

    /// Sets the wall clock forward or back by `delta_ms`; no age passes.
    pub fn step_wall(&self, delta_ms: i64) {
        self.0
            .send_modify(|now| now.wall_ms = now.wall_ms.saturating_add_signed(delta_ms));
    }

    /// Waits until `age_ms` is reached.
    pub async fn sleep_until(&self, age_ms: u64) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.0.subscribe().wait_for(|now| now.age_ms >= age_ms).await;
    }
}

/// The latest age read in this process, in ns.
static AGE: AtomicU64 = AtomicU64::new(0);

/// The age clock. It never goes back.
fn age() -> Duration {
    let ns = u64::try_from(system_age().as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(raise(&AGE, ns))
}

/// Returns `value`, or the greatest value before it. Clocks of the system may go back a little: macOS derives its own
/// from the wall clock, and virtual machines move between processors.
fn raise(latest: &AtomicU64, value: u64) -> u64 {
    latest.fetch_max(value, Ordering::Relaxed).max(value)
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn system_age() -> Duration {
    use rustix::time::{ClockId, clock_gettime};

    #[cfg(target_vendor = "apple")]
    let clock = ClockId::Monotonic;
    #[cfg(not(target_vendor = "apple"))]
    let clock = ClockId::Boottime;
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn system_age() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;

    static START: OnceLock<Instant> = OnceLock::new();
    // One hour past zero, so that times before the start can be expressed.
    START.get_or_init(Instant::now).elapsed() + Duration::from_secs(3_600)
}

fn whole_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn wall_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    whole_ms(since_epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Now = Now {
        age_ms: 1_000,
        wall_ms: 1_700_000_000_000,
    };

    #[tokio::test]
    async fn a_manual_clock_wakes_sleepers_only_when_advanced() {
        let manual = Manual::new(START);
        let clock = manual.clock();
        let sleeper = tokio::spawn(async move {
            clock.sleep_until(1_500).await;
            clock.now()
        });
        tokio::task::yield_now().await;

        manual.advance(499);
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        manual.advance(1);

        assert_eq!(sleeper.await.unwrap(), START.after(500));
    }

    #[test]
    fn no_nap_outlasts_the_sleep_of_the_machine_by_much() {
        let ms = Duration::from_millis;
        let nap_ms = |now, deadline| nap(ms(now), ms(deadline)).map(|nap| nap.as_millis());
        assert_eq!(nap_ms(0, 15_000), Some(500));
        assert_eq!(nap_ms(14_900, 15_000), Some(100));
        // It slept for an hour.
        assert_eq!(nap_ms(3_600_000, 15_000), None);
        assert_eq!(nap_ms(15_000, 15_000), None);
        assert_eq!(nap_ms(0, u64::MAX), Some(500));
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_the_machine_slept_past_is_seen_after_one_nap() {
        let begun = tokio::time::Instant::now();
        // The runtime's clock stops during the hour that the other one counts.
        let hour = Duration::from_secs(3_600);
        let now = || {
            if begun.elapsed().is_zero() {
                Duration::ZERO
            } else {
                hour
            }
        };
        nap_until(Duration::from_secs(15), now).await;
        assert_eq!(begun.elapsed(), LONGEST_NAP);
    }

    #[test]
    fn a_wall_step_passes_no_age() {
        let manual = Manual::new(START);
        manual.step_wall(-5_000);
        assert_eq!(
            manual.now(),
            Now {
                age_ms: 1_000,
                wall_ms: START.wall_ms - 5_000
            }
        );
    }

    #[test]
    fn ages_never_go_back() {
        let latest = AtomicU64::new(0);
        let read = [5, 7, 6, 0, 7, 8].map(|ms| raise(&latest, ms));
        assert_eq!(read, [5, 7, 7, 7, 7, 8]);
    }

    #[test]
    fn ages_are_those_of_the_clock_that_counts_sleep() {
        let before = whole_ms(age());
        let age = Clock::system().now().age_ms;
        assert!(age >= before);
        #[cfg(target_os = "linux")]
        {
            let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
            let seconds: f64 = uptime.split_whitespace().next().unwrap().parse().unwrap();
            // The clock without the time of sleep would be behind the uptime by that time.
            assert!((seconds * 1_000.0 - before as f64).abs() <= 60_000.0);
        }
    }

    #[tokio::test]
    async fn the_system_clock_never_wakes_early() {
        let clock = Clock::system();
        for _ in 0..3 {
            let deadline = clock.now().age_ms + 3;
            clock.sleep_until(deadline).await;
            assert!(clock.now().age_ms >= deadline);
        }
    }
}
