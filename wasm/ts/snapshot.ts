import type { Machine } from "./machine.js";
import type { ConnectionState, RosterSnapshot } from "./types.js";

/** The roster of a client that was never started, and of every client on a server that renders. */
export const EMPTY_SNAPSHOT: RosterSnapshot = Object.freeze({
  rows: Object.freeze([]),
  hasList: false,
  isOffline: true,
  connection: Object.freeze({ phase: "stopped" }),
});

/** The last snapshot of a client, and when it has to be another one. */
export class SnapshotKeeper {
  /** Whether the machine or the connection may have become different. */
  isBehind = false;
  #current: RosterSnapshot;
  #wordsMs = Number.POSITIVE_INFINITY;

  /** @param before The roster that is shown so far. */
  constructor(before: RosterSnapshot) {
    this.#current = before;
  }

  /** The snapshot as it was made last. */
  get current(): RosterSnapshot {
    return this.#current;
  }

  /** When words in it change by age, on the age clock. */
  get wordsMs(): number {
    return this.#wordsMs;
  }

  /** The snapshot as it is now; the same object while nothing changed. */
  renewed(machine: Machine | undefined, connection: ConnectionState, nowMs: number): RosterSnapshot {
    if (!this.isBehind && nowMs < this.#wordsMs) return this.#current;
    this.settle();
    let { rows, hasList } = this.#current;
    // A machine that is new knows nothing yet; what the one before it knew is better than nothing.
    if (machine && !machine.canRead) {
      rows = EMPTY_SNAPSHOT.rows;
      hasList = false;
    } else if (machine?.hadList) {
      const serverMs = machine.serverMs();
      rows = machine.rows.list(serverMs);
      hasList = true;
      this.#wordsMs = nowMs + machine.rows.wordsMs() - serverMs;
    }
    const next = { rows, hasList, isOffline: machine?.isOffline ?? true, connection };
    if (!isSame(this.#current, next)) this.#current = Object.freeze(next);
    return this.#current;
  }

  /** Nothing changes by itself until something is told. */
  settle(): void {
    this.isBehind = false;
    this.#wordsMs = Number.POSITIVE_INFINITY;
  }

  /** What was known is of no use any more. */
  forget(): void {
    this.#current = EMPTY_SNAPSHOT;
  }
}

function isSame(a: RosterSnapshot, b: RosterSnapshot): boolean {
  return a.rows === b.rows && a.hasList === b.hasList && a.isOffline === b.isOffline && a.connection === b.connection;
}
