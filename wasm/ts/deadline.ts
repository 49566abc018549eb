import type { Clock } from "./clock.js";

/** One deadline on the age clock, with a callback. */
export class Deadline {
  readonly #clock: Clock;
  readonly #reach: () => void;
  #dueMs = Number.POSITIVE_INFINITY;
  #isBackground = false;
  #cancel: (() => void) | undefined;

  /** Starts without a deadline; `reach` is called once for each one that passes. */
  constructor(clock: Clock, reach: () => void) {
    this.#clock = clock;
    this.#reach = reach;
  }

  /** Replaces the deadline; infinity means none. A background deadline does not keep a Node process alive. */
  set(dueMs: number, isBackground = false): void {
    if (dueMs === this.#dueMs && isBackground === this.#isBackground) return;
    this.#isBackground = isBackground;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#dueMs = dueMs;
    if (dueMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.ceil(Math.max(dueMs - this.#clock.ageMs(), 0));
    this.#cancel = this.#clock.setTimer(() => {
      this.#dueMs = Number.POSITIVE_INFINITY;
      this.#reach();
    }, delayMs, isBackground);
  }
}
