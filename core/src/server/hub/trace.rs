//! The memory of a live connection for findings.

/// The window in which beacons are counted, in ms.
pub(super) const BEACON_WINDOW_MS: u64 = 60_000;

/// How often a connection sends beacons: counts of this window and of the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "recording", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct BeaconRate {
    /// The number of the window, in windows of the age clock.
    window: u32,
    now: u16,
    before: u16,
}

impl BeaconRate {
    pub(super) fn note(&mut self, now_ms: u64) {
        self.turn(now_ms);
        self.now = self.now.saturating_add(1);
    }

    /// An estimate of their number in the last minute: those of this window, and those of the previous one in
    /// proportion to its part within that minute.
    pub(super) fn in_a_minute(mut self, now_ms: u64) -> usize {
        self.turn(now_ms);
        let left_ms = BEACON_WINDOW_MS - now_ms % BEACON_WINDOW_MS;
        let before = u64::from(self.before) * left_ms / BEACON_WINDOW_MS;
        usize::from(self.now) + before as usize
    }

    fn turn(&mut self, now_ms: u64) {
        let window = (now_ms / BEACON_WINDOW_MS) as u32;
        match window.wrapping_sub(self.window) {
            0 => return,
            1 => self.before = self.now,
            _ => self.before = 0,
        }
        (self.window, self.now) = (window, 0);
    }
}

/// The memory of a live connection for findings.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trace {
    /// On the age clock.
    pub(super) joined_ms: u64,
    pub(super) beacons: BeaconRate,
    /// The placeholder that its handshake or its last such beacon had as an id.
    pub(super) placeholder: Option<&'static str>,
    /// Whether a beacon of it was refused; the first is an event of its row.
    pub(super) has_refused_beacon: bool,
    /// Whether a beacon of it wrote a host to its own row.
    pub(super) has_reported_host: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beacons_are_counted_by_windows() {
        let mut rate = BeaconRate::default();
        for at_ms in [0, 1, 2, 59_999] {
            rate.note(at_ms);
        }
        assert_eq!(rate.in_a_minute(59_999), 4);
        rate.note(60_000);
        assert_eq!(rate.in_a_minute(60_000), 5, "the window before counts too");
        assert_eq!(rate.in_a_minute(90_000), 3, "by the share that is not over");
        assert_eq!(rate.in_a_minute(120_000), 1);
        assert_eq!(rate.in_a_minute(180_000), 0);
        for _ in 0..100_000 {
            rate.note(200_000);
        }
        assert_eq!(rate.in_a_minute(200_000), usize::from(u16::MAX));
    }
}
