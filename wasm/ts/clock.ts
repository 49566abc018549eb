/**
 * Both clocks and the timer that a client uses. Pass your own to run tests without waiting.
 *
 * The package reads the time nowhere else.
 */
export interface Clock {
  /** Milliseconds on a clock that never goes back; its origin is arbitrary. */
  ageMs(): number;
  /** Milliseconds since the Unix epoch. */
  wallMs(): number;
  /**
   * Calls `callback` once, `delayMs` milliseconds from now or later, and returns a function that cancels it.
   * Cancelling twice, or after the call, does nothing. A Node process whose only timers are `isBackground` ends.
   */
  setTimer(callback: () => void, delayMs: number, isBackground?: boolean): () => void;
}

/** The longest delay of a timer: 2^31 - 1 ms, about 24 days. A longer delay would fire at once. */
const LONGEST_DELAY_MS = 2_147_483_647;

/** The clocks and timers of the platform. */
export const systemClock: Clock = Object.freeze({
  ageMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer(callback: () => void, delayMs: number, isBackground = false): () => void {
    const timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), LONGEST_DELAY_MS));
    if (isBackground) (timer as { unref?: () => void }).unref?.();
    return () => clearTimeout(timer);
  },
});
