import type { Machine } from "./machine.js";
import type { ConnectionState, RosterSnapshot } from "./types.js";

/** The roster of a client that was never started, and of every client during server-side rendering. */
export const EMPTY_SNAPSHOT: RosterSnapshot = Object.freeze({
  rows: Object.freeze([]),
  hasList: false,
  isOffline: true,
  connection: Object.freeze({ phase: "stopped" }),
});

/** Keeps the last snapshot of a client and tracks when it is outdated. */
export class SnapshotKeeper {
  /** Whether the machine or the connection may have changed since. */
  isBehind = false;
  #current: RosterSnapshot;
  #wordsMs = Number.POSITIVE_INFINITY;

  /** @param before the roster displayed so far. */
  constructor(before: RosterSnapshot) {
    this.#current = before;
  }

  /** The last snapshot. */
  get current(): RosterSnapshot {
    return this.#current;
  }

  /** When age changes its words next, on the age clock. */
  get wordsMs(): number {
    return this.#wordsMs;
  }

  /** Returns the current snapshot; the identical object as long as nothing changed. */
  renewed(machine: Machine | undefined, connection: ConnectionState, nowMs: number): RosterSnapshot {
    if (!this.isBehind && nowMs < this.#wordsMs) return this.#current;
    this.settle();
    let { rows, hasList } = this.#current;
    // A new machine has no rows yet; the previous rows stay until it has.
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

  /** Stops renewals by age until the next change. */
  settle(): void {
    this.isBehind = false;
    this.#wordsMs = Number.POSITIVE_INFINITY;
  }

  /** Discards the rows of another gateway. */
  forget(): void {
    this.#current = EMPTY_SNAPSHOT;
  }
}

function isSame(a: RosterSnapshot, b: RosterSnapshot): boolean {
  return a.rows === b.rows && a.hasList === b.hasList && a.isOffline === b.isOffline && a.connection === b.connection;
}
