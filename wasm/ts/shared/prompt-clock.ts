import type { Clock } from "../clock.js";

/**
 * A clock whose timers also fire when `fireDue` is called: browsers delay timers of hidden pages by up to a minute,
 * but not messages.
 */
export class PromptClock implements Clock {
  readonly #clock: Clock;
  readonly #timers = new Set<{ readonly dueMs: number; readonly fire: () => void }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ageMs(): number {
    return this.#clock.ageMs();
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  setTimer(callback: () => void, delayMs: number): () => void {
    const cancel = () => {
      this.#timers.delete(timer);
      stop();
    };
    const fire = () => {
      cancel();
      callback();
    };
    const timer = { dueMs: this.ageMs() + delayMs, fire };
    const stop = this.#clock.setTimer(fire, delayMs);
    this.#timers.add(timer);
    return cancel;
  }

  /** Fires the timers that are due. */
  fireDue(): void {
    const now = this.ageMs();
    for (const timer of [...this.#timers]) {
      // An earlier timer may have cancelled this one.
      if (timer.dueMs <= now && this.#timers.has(timer)) timer.fire();
    }
  }
}
