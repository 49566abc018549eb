/** The callbacks of an {@link Election}. */
export interface Candidate {
  /** Called when this tab becomes the leader. */
  lead(): void;
  /** Called when another tab took over. */
  loseLead(): void;
}

/**
 * Elects the leader by a Web Lock: the tab that holds the lock leads. A closed tab releases it to the next in the
 * queue.
 */
export class Election {
  readonly #locks: Pick<LockManager, "request">;
  readonly #name: string;
  readonly #candidate: Candidate;
  /** Aborted when this tab leaves the queue. */
  #waiting: AbortController | undefined;
  #resign: (() => void) | undefined;
  #isForced = false;

  constructor(locks: Pick<LockManager, "request">, name: string, candidate: Candidate) {
    this.#locks = locks;
    this.#name = name;
    this.#candidate = candidate;
  }

  /** Whether this tab leads. */
  get isLeader(): boolean {
    return this.#resign !== undefined;
  }

  /** Whether this tab is about to replace the leader. */
  get isTakingOver(): boolean {
    return this.#isForced && !this.isLeader;
  }

  /** Queues for the lead. */
  queue(): void {
    this.#request(false);
  }

  /** Takes the lead immediately, from an unresponsive leader. */
  takeOver(): void {
    this.#request(true);
  }

  #request(isForced: boolean): void {
    this.withdraw();
    this.#isForced = isForced;
    const waiting = new AbortController();
    const { signal } = waiting;
    this.#waiting = waiting;
    const lead = () => {
      // The lock may be granted while this tab withdraws.
      if (signal.aborted) return;
      const held = new Promise<void>((resolve) => (this.#resign = resolve));
      this.#candidate.lead();
      return held;
    };
    const lose = () => {
      if (signal.aborted) return;
      // Browsers may have locks but deny them (opaque origins): then each tab leads itself.
      if (!this.isLeader) return this.#candidate.lead();
      this.#resign = undefined;
      this.#candidate.loseLead();
    };
    this.#locks.request(this.#name, isForced ? { steal: true } : { signal }, lead).catch(lose);
  }

  /** Releases the lead, or leaves the queue. */
  withdraw(): void {
    this.#waiting?.abort();
    this.#resign?.();
    this.#resign = undefined;
  }
}
