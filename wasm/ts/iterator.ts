import type { RosterSource } from "./store.js";
import type { RosterSnapshot } from "./types.js";

type Result = IteratorResult<RosterSnapshot, void>;

const DONE: Result = Object.freeze({ done: true, value: undefined });

/** Iterates over the snapshots of a client; slow consumers skip to the latest. `return` ends it immediately. */
export class RosterIterator implements AsyncIterableIterator<RosterSnapshot, void, undefined> {
  readonly #client: RosterSource;
  #unsubscribe: (() => void) | undefined;
  #last: RosterSnapshot | undefined;
  #isDone = false;
  /** Resolvers of pending reads. */
  #waiting: (() => void)[] = [];

  constructor(client: RosterSource) {
    this.#client = client;
  }

  async next(): Promise<Result> {
    if (!this.#isDone) this.#unsubscribe ??= this.#client.subscribe(() => this.#wake());
    while (!this.#isDone) {
      const roster = this.#client.getSnapshot();
      const { connection } = roster;
      if (connection.phase === "refused") {
        this.#end();
        throw connection.error;
      }
      if (roster !== this.#last) {
        this.#last = roster;
        return { done: false, value: roster };
      }
      if (connection.phase === "stopped") this.#end();
      else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return DONE;
  }

  async return(): Promise<Result> {
    this.#end();
    return DONE;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #end(): void {
    this.#isDone = true;
    this.#unsubscribe?.();
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
