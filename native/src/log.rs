//! Bounds on log lines that peers can cause, and escaping of their texts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use presence_core::model::text::prefix_bytes;
use tracing::{info, warn};

use crate::clock::Clock;

/// At most one such line per this many ms.
const INTERVAL_MS: u64 = 60_000;
/// Most lines of one [`Kind`] within a window.
pub(crate) const MAX_LINES: u32 = 20;
/// The window, in ms.
const WINDOW_MS: u64 = 1_000;

/// Lets one line through per minute.
#[derive(Debug, Default)]
pub(crate) struct OncePerMinute {
    /// When the next may pass, on `Now::age_ms`.
    next_ms: AtomicU64,
}

impl OncePerMinute {
    /// Whether to log the line now.
    pub(crate) fn passes(&self, now_ms: u64) -> bool {
        let next = self.next_ms.load(Ordering::Relaxed);
        let passes = now_ms >= next;
        if passes {
            self.next_ms
                .store(now_ms.saturating_add(INTERVAL_MS), Ordering::Relaxed);
        }
        passes
    }
}

/// The kinds of lines about connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A connection was refused; `warn`.
    Refused,
    /// A connection was accepted; `info`.
    Accepted,
    /// A connection ended; `info`.
    Closed,
}

/// Lets [`MAX_LINES`] of each kind through per second. The rest become one line with their number, when the
/// second is over.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    windows: [Mutex<Window>; 3],
}

#[derive(Debug, Default)]
struct Window {
    /// On `Now::age_ms`.
    ends_ms: u64,
    shown: u32,
    hidden: u64,
}

impl Lines {
    /// Whether to log a line of this kind now. Needs a tokio runtime: a task logs the number of hidden lines.
    pub(crate) fn passes(self: &Arc<Self>, kind: Kind, clock: &Clock) -> bool {
        let now_ms = clock.now().age_ms;
        let mut window = self.window(kind);
        if now_ms >= window.ends_ms {
            let hidden = std::mem::take(&mut window.hidden);
            note_hidden(kind, hidden);
            *window = Window {
                ends_ms: now_ms.saturating_add(WINDOW_MS),
                ..Window::default()
            };
        }
        if window.shown < MAX_LINES {
            window.shown += 1;
            return true;
        }
        window.hidden += 1;
        if window.hidden == 1 {
            let (lines, clock, ends_ms) = (Arc::clone(self), clock.clone(), window.ends_ms);
            tokio::spawn(async move {
                clock.sleep_until(ends_ms).await;
                let mut window = lines.window(kind);
                // If the next window began before, this number is logged already, and the new one has its own task.
                if window.ends_ms == ends_ms {
                    note_hidden(kind, std::mem::take(&mut window.hidden));
                }
            });
        }
        false
    }

    /// Logs the numbers of hidden lines that are still due.
    pub(crate) fn flush_all(&self) {
        for kind in [Kind::Refused, Kind::Accepted, Kind::Closed] {
            self.flush(kind);
        }
    }

    fn flush(&self, kind: Kind) {
        let hidden = std::mem::take(&mut self.window(kind).hidden);
        note_hidden(kind, hidden);
    }

    fn window(&self, kind: Kind) -> std::sync::MutexGuard<'_, Window> {
        self.windows[kind as usize]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn note_hidden(kind: Kind, hidden: u64) {
    match (hidden, kind) {
        (0, _) => {}
        (count, Kind::Refused) => warn!(count, "{count} more refusals in the last second not shown"),
        (count, Kind::Accepted) => info!(count, "{count} more accepts in the last second not shown"),
        (count, Kind::Closed) => info!(count, "{count} more closes in the last second not shown"),
    }
}

/// Text of a peer for a log, with everything escaped that could break a line, steer a terminal or change the order
/// of what is shown (control, format and bidi characters). It is cut to this many bytes with its escapes, never
/// inside one.
pub(crate) fn escaped(text: &str, max_bytes: usize) -> String {
    let mut line = String::new();
    for c in prefix_bytes(text, max_bytes).chars() {
        let len = line.len();
        match c {
            // Quoted texts use double quotes.
            '\'' => line.push(c),
            _ => line.extend(c.escape_debug()),
        }
        if line.len() > max_bytes {
            line.truncate(len);
            break;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use presence_core::Now;

    use super::*;
    use crate::clock::Manual;

    #[test]
    fn texts_of_peers_cannot_break_or_reverse_a_line() {
        assert_eq!(escaped("a\u{1b}[2J\nb\u{85}c", 100), "a\\u{1b}[2J\\nb\\u{85}c");
        for c in [
            '\0', '\r', '\u{2028}', '\u{2029}', '\u{200b}', '\u{feff}', '\u{61c}', '\u{200e}', '\u{200f}',
            '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}',
            '\u{2069}',
        ] {
            let text = escaped(&format!("x{c}y"), 100);
            assert!(text.is_ascii() && text.contains('\\'), "{c:?} {text}");
        }
        assert_eq!(escaped("a \"b\" \\ c", 100), "a \\\"b\\\" \\\\ c");
        assert_eq!(escaped("Größe 日本's", 100), "Größe 日本's");
        assert_eq!(escaped(&"é".repeat(100), 101), "é".repeat(50));
        assert_eq!(escaped("\u{1f}\u{1f}", 12), "\\u{1f}\\u{1f}");
        assert_eq!(escaped("\u{1f}\u{1f}", 11), "\\u{1f}");
        assert_eq!(escaped("a\\\\", 4), "a\\\\");
    }

    #[test]
    fn one_per_minute() {
        let throttle = OncePerMinute::default();
        let passed: Vec<u64> = (0..200_000)
            .step_by(1_000)
            .filter(|&now| throttle.passes(now))
            .collect();
        assert_eq!(passed, [0, 60_000, 120_000, 180_000]);
    }

    #[tokio::test]
    async fn twenty_of_a_kind_per_second() {
        use Kind::{Accepted, Closed, Refused};

        for (kind, other) in [(Refused, Accepted), (Accepted, Closed), (Closed, Refused)] {
            let manual = Manual::new(Now {
                age_ms: 5_000,
                wall_ms: 0,
            });
            let clock = manual.clock();
            let lines = Arc::new(Lines::default());
            let passed = |count: usize| (0..count).filter(|_| lines.passes(kind, &clock)).count();
            assert_eq!(passed(20), 20, "{kind:?}");
            assert_eq!(passed(100), 0, "{kind:?}");
            assert!(lines.passes(other, &clock), "{kind:?} hides {other:?}");
            assert_eq!(lines.window(kind).hidden, 100);
            manual.advance(999);
            assert_eq!(passed(1), 0);
            manual.advance(1);
            // The task writes the number and resets it.
            while lines.window(kind).hidden > 0 {
                tokio::task::yield_now().await;
            }
            assert_eq!(passed(30), 20, "{kind:?}");
        }
    }

    #[tokio::test]
    async fn the_task_of_a_window_leaves_the_number_of_the_next_one() {
        let manual = Manual::new(Now {
            age_ms: 5_000,
            wall_ms: 0,
        });
        let clock = manual.clock();
        let lines = Arc::new(Lines::default());
        let hide_one = || {
            let passed = (0..=MAX_LINES).filter(|_| lines.passes(Kind::Closed, &clock));
            assert_eq!(passed.count(), MAX_LINES as usize);
        };
        // The second window begins before the task of the first one runs.
        hide_one();
        manual.advance(WINDOW_MS);
        hide_one();
        // Each task holds the lines: only that of the second window is left.
        while Arc::strong_count(&lines) > 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(lines.window(Kind::Closed).hidden, 1);
    }
}
