/**
 * Both clocks and the timer that a client uses. Pass your own to test without waiting.
 *
 * The package asks for the time nowhere else.
 */
export interface Clock {
  /** Milliseconds on a clock that never goes back; where it starts does not matter. */
  ageMs(): number;
  /** Milliseconds since the Unix epoch. */
  wallMs(): number;
  /**
   * Calls `callback` once, `delayMs` milliseconds from now or later, and returns what cancels it.
   * Cancelling twice, or after the call, does nothing.
   */
  setTimer(callback: () => void, delayMs: number): () => void;
}

/** What timers hold: 2^31 - 1 ms, about 24 days. A longer delay would fire at once. */
const LONGEST_DELAY_MS = 2_147_483_647;

/** The clocks and timers of the platform. */
export const systemClock: Clock = Object.freeze({
  ageMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer(callback: () => void, delayMs: number): () => void {
    const timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), LONGEST_DELAY_MS));
    return () => clearTimeout(timer);
  },
});
