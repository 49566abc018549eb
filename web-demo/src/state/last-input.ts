const EVENTS = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"] as const;

/** When a hand last did something on this page: what the next beacon will say. */
export class LastInput {
  #atMs = performance.now();

  constructor() {
    const note = (event: Event) => {
      // What a script does is no hand.
      if (event.isTrusted) this.#atMs = performance.now();
    };
    for (const type of EVENTS) addEventListener(type, note, { passive: true, capture: true });
    document.addEventListener("visibilitychange", (event) => document.hidden || note(event));
  }

  /** Whole seconds since. */
  get seconds(): number {
    return Math.floor((performance.now() - this.#atMs) / 1_000);
  }
}
