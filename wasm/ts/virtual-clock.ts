import type { Clock } from "./clock.js";

interface Timer {
  readonly at: number;
  /** Timers of one moment fire in the order they were set. */
  readonly order: number;
  readonly callback: () => void;
}

/**
 * A clock that stands still until it is moved, for tests and playgrounds. Give it to a client and to the
 * simulated gateway alike.
 *
 * ```ts
 * const clock = new VirtualClock();
 * const client = new PresenceClient({ url, token, clock });
 * await clock.advance(120_001); // everything that falls due on the way happens in its turn
 * ```
 */
export class VirtualClock implements Clock {
  #ageMs = 0;
  #wallMs: number;
  #orders = 0;
  readonly #timers = new Set<Timer>();

  /** @param wallMs What the wall clock reads at first, in ms since the Unix epoch. */
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

  /** Number of timers that are set. */
  get timers(): number {
    return this.#timers.size;
  }

  /** When the next timer is due, in ms on {@link ageMs}; nothing: none is set. */
  get nextTimerMs(): number | undefined {
    return this.#next()?.at;
  }

  /**
   * Moves both clocks on by `ms` milliseconds. Timers fire at their moments, and what they set off is done
   * before the clock goes on.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#ageMs + ms;
    await settle();
    for (let timer = this.#next(); timer && timer.at <= end; timer = this.#next()) {
      this.#move(Math.max(timer.at - this.#ageMs, 0));
      this.#timers.delete(timer);
      timer.callback();
      await settle();
    }
    this.#move(end - this.#ageMs);
  }

  /** The machine slept for `ms` milliseconds: both clocks went on and no timer fired. They are all late now. */
  async suspend(ms: number): Promise<void> {
    await settle();
    this.#move(ms);
  }

  /** Somebody sets the wall clock on by `ms` milliseconds, or back. */
  stepWall(ms: number): void {
    this.#wallMs += ms;
  }

  #move(ms: number): void {
    this.#ageMs += ms;
    this.#wallMs += ms;
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (!next || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer;
    }
    return next;
  }
}

/** Lets everything happen that waits for nothing but its turn. */
function settle(): Promise<void> {
  return new Promise(nextTurn);
}

/** One turn of the event loop: before it all promises have done what they can. */
function nextTurn(callback: () => void): void {
  // Not a timer where there is anything else: hidden pages slow those down.
  if (typeof setImmediate === "function") setImmediate(callback);
  else if (typeof MessageChannel === "function") {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      callback();
    };
    port2.postMessage(null);
  } else setTimeout(callback, 0);
}
