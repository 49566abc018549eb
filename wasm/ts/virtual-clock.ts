import type { Clock } from "./clock.js";

interface Timer {
  readonly at: number;
  /** Timers that are due at one time fire in the order in which they were set. */
  readonly order: number;
  readonly callback: () => void;
}

/**
 * A clock for tests and playgrounds that stands still until it is advanced. Pass it to both the client and the
 * simulated gateway.
 *
 * ```ts
 * const clock = new VirtualClock();
 * const client = new PresenceClient({ url, token, clock });
 * await clock.advance(120_001); // fires the timers on the way, in order
 * ```
 */
export class VirtualClock implements Clock {
  #ageMs = 0;
  #wallMs: number;
  #orders = 0;
  readonly #timers = new Set<Timer>();

  /** @param wallMs initial time of the wall clock, in ms since the Unix epoch. */
  constructor(wallMs = 1_800_000_000_000) {
    this.#wallMs = wallMs;
  }

  ageMs(): number {
    return this.#ageMs;
  }

  wallMs(): number {
    return this.#wallMs;
  }

  setTimer(callback: () => void, delayMs: number): () => void {
    const timer = { at: this.#ageMs + Math.max(delayMs, 0), order: (this.#orders += 1), callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Number of pending timers. */
  get timers(): number {
    return this.#timers.size;
  }

  /** When the next timer is due, in ms on {@link ageMs}; `undefined` without timers. */
  get nextTimerMs(): number | undefined {
    return this.#next()?.at;
  }

  /**
   * Advances both clocks by `ms` milliseconds. Timers fire at their times, and the work they start is finished
   * before the clock continues. Overlapping calls do not add up: each ends `ms` milliseconds after its own start.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#ageMs + ms;
    await nextTurn();
    for (let timer = this.#next(); timer && timer.at <= end; timer = this.#next()) {
      this.#move(timer.at - this.#ageMs);
      this.#timers.delete(timer);
      timer.callback();
      await nextTurn();
    }
    this.#move(end - this.#ageMs);
  }

  /**
   * Simulates a machine that slept for `ms` milliseconds: both clocks advance without firing timers. Those that became
   * due fire at the next {@link advance}.
   */
  async suspend(ms: number): Promise<void> {
    await nextTurn();
    this.#move(ms);
  }

  /** Steps the wall clock by `ms` milliseconds, forward or back. */
  stepWall(ms: number): void {
    this.#wallMs += ms;
  }

  /** A negative time counts as 0: a timer may be overdue, and another call may have moved the clocks further. */
  #move(ms: number): void {
    const forwardMs = Math.max(ms, 0);
    this.#ageMs += forwardMs;
    this.#wallMs += forwardMs;
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (!next || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer;
    }
    return next;
  }
}

// Test runners with fake timers replace them after the imports.
const { MessageChannel, setImmediate, setTimeout } = globalThis;

/** Resolves after one turn of the event loop, when all work that does not depend on a timer is finished. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    // Timers only as the last resort: hidden pages delay them.
    if (typeof setImmediate === "function") setImmediate(resolve);
    else if (typeof MessageChannel === "function") {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(null);
    } else setTimeout(resolve, 0);
  });
}
