//! How long the shell takes to send a broadcast.

use super::Hub;
use crate::model::time::Now;

/// Longest time, in ms, that counts as sending one broadcast (see [`Hub::handle_sent`]).
const MAX_SENDING_MS: u64 = 2_000;

/// Whether the current broadcast or events of nodes are sent. All times are in ms.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Sending {
    /// Everything is sent.
    #[default]
    Done,
    /// The shell sends the outputs; it has spent `paused_ms` on events in between.
    Running { began_ms: u64, paused_ms: u64 },
    /// The shell has handled events since `at_ms`.
    Paused {
        began_ms: u64,
        paused_ms: u64,
        at_ms: u64,
    },
}

impl Sending {
    pub(super) fn start(now: Now) -> Self {
        Self::Running {
            began_ms: now.age_ms,
            paused_ms: 0,
        }
    }

    /// Until when, in ms on the age clock, the next broadcast waits; 0 if it does not.
    pub(super) fn holds_until_ms(self) -> u64 {
        match self {
            Self::Paused { began_ms, .. } => began_ms.saturating_add(2 * MAX_SENDING_MS),
            _ => 0,
        }
    }

    fn pause(self, now: Now) -> Self {
        match self {
            Self::Running { began_ms, paused_ms } => Self::Paused {
                began_ms,
                paused_ms,
                at_ms: now.age_ms,
            },
            other => other,
        }
    }

    fn resume(self, now: Now) -> Self {
        match self {
            Self::Paused {
                began_ms,
                paused_ms,
                at_ms,
            } => Self::Running {
                began_ms,
                paused_ms: paused_ms.saturating_add(now.age_ms.saturating_sub(at_ms)),
            },
            other => other,
        }
    }

    /// Returns the end of the window if everything is sent now: its begin plus twice the time that sending took.
    fn window_end_ms(self, now: Now) -> Option<u64> {
        let Self::Running { began_ms, paused_ms } = self.resume(now) else {
            return None;
        };
        let took_ms = now.age_ms.saturating_sub(began_ms).saturating_sub(paused_ms);
        Some(began_ms.saturating_add(2 * took_ms.min(MAX_SENDING_MS)))
    }
}

impl Hub {
    /// Whether a broadcast or events of nodes were put out since [`handle_sent`](Self::handle_sent).
    #[must_use]
    pub fn awaits_sent(&self) -> bool {
        !matches!(self.sending, Sending::Done)
    }

    /// Notes that all outputs so far are sent, or wait for full sockets. If sending took longer than half of
    /// the coalescing window, the window becomes twice as long as sending took, so that half of the time is
    /// left for incoming requests. A time of more than two seconds counts as a suspension, not as sending.
    /// For a shell that never calls it, windows have a constant length.
    pub fn handle_sent(&mut self, now: Now) {
        if let Some(until_ms) = self.sending.window_end_ms(now)
            && self.config.limits.window_ms > 0
        {
            self.window_ends_ms = self.window_ends_ms.max(until_ms);
            self.nodes.extend_window(until_ms);
        }
        self.sending = Sending::Done;
    }

    /// Notes that the shell handles events although some outputs are not sent yet. This time does not count as sending.
    /// The next broadcast waits for [`handle_sent`](Self::handle_sent), at most until 4 s after the last one.
    pub fn pause_sending(&mut self, now: Now) {
        self.sending = self.sending.pause(now);
    }

    /// Notes that the shell continues to send.
    pub fn resume_sending(&mut self, now: Now) {
        self.sending = self.sending.resume(now);
    }
}
