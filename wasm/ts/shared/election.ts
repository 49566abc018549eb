/** Tells what becomes of an {@link Election}. */
export interface Candidate {
  /** This tab leads. */
  lead(): void;
  /** Another tab took the lead over. */
  loseLead(): void;
}

/**
 * Decides by a Web Lock which tab leads: the tab that holds the lock. A tab that is closed gives it to the next one in the
 * queue.
 */
export class Election {
  readonly #locks: Pick<LockManager, "request">;
  readonly #name: string;
  readonly #candidate: Candidate;
  /** Aborted: this tab has left the queue. */
  #waiting: AbortController | undefined;
  #resign: (() => void) | undefined;

  constructor(locks: Pick<LockManager, "request">, name: string, candidate: Candidate) {
    this.#locks = locks;
    this.#name = name;
    this.#candidate = candidate;
  }

  /** Whether this tab leads. */
  get isLeader(): boolean {
    return this.#resign !== undefined;
  }

  /** Waits for the lead. */
  queue(): void {
    this.#request(false);
  }

  /** Takes the lead at once, from a leader that does not answer. */
  takeOver(): void {
    this.#request(true);
  }

  #request(isForced: boolean): void {
    this.withdraw();
    const waiting = new AbortController();
    const { signal } = waiting;
    this.#waiting = waiting;
    const lead = () => {
      // The lock may be granted just when this tab withdraws.
      if (signal.aborted) return;
      const held = new Promise<void>((resolve) => (this.#resign = resolve));
      this.#candidate.lead();
      return held;
    };
    const lose = () => {
      if (signal.aborted) return;
      // A browser may have locks and yet refuse them (an opaque origin): then each tab leads itself.
      if (!this.isLeader) return this.#candidate.lead();
      this.#resign = undefined;
      this.#candidate.loseLead();
    };
    this.#locks.request(this.#name, isForced ? { steal: true } : { signal }, lead).catch(lose);
  }

  /** Gives up the lead, or the place in the queue. */
  withdraw(): void {
    this.#waiting?.abort();
    this.#resign?.();
    this.#resign = undefined;
  }
}
