import type { PresenceRow, RosterDiff } from "openclaw-presence";

import { shortMoment } from "../lib/format.js";

/** A change of one row. */
export interface Change {
  /** On this machine's clock. */
  readonly atMs: number;
  readonly kind: "listed" | "joined" | "removed" | "changed";
  /** The changed members with their old values; only for `changed`. */
  readonly fields: readonly FieldChange[];
}

/** One member of an entry, or its status. */
export interface FieldChange {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

/** Maximum number of stored changes per row, and of rows. */
const MAX_CHANGES = 40;
const MAX_ROWS = 2_000;

/** The changes of each row since the page was opened. */
export class History {
  readonly #changes = new Map<string, readonly Change[]>();
  #isFirst = true;

  /** Records the next difference. The rows of the first list are recorded as `listed`. */
  record({ added, removed, changed }: RosterDiff, atMs: number): void {
    const kind = this.#isFirst ? "listed" : "joined";
    if (added.length > 0) this.#isFirst = false;
    for (const row of added) this.#add(row.key, { atMs, kind, fields: [] });
    for (const row of removed) this.#add(row.key, { atMs, kind: "removed", fields: [] });
    for (const { row, before, fields } of changed) {
      const values = fields.map((name) => ({ name, before: say(before, name), after: say(row, name) }));
      this.#add(row.key, { atMs, kind: "changed", fields: values });
    }
  }

  /** Returns the changes of a row, newest first. */
  of(key: string): readonly Change[] {
    return this.#changes.get(key) ?? [];
  }

  /** Clears the history, for another gateway. */
  clear(): void {
    this.#changes.clear();
    this.#isFirst = true;
  }

  #add(key: string, change: Change): void {
    const known = this.#changes.get(key) ?? [];
    // Inserted again, so that the least recently changed rows are evicted first.
    this.#changes.delete(key);
    this.#changes.set(key, [change, ...known].slice(0, MAX_CHANGES));
    const [oldest] = this.#changes.keys();
    if (this.#changes.size > MAX_ROWS && oldest !== undefined) this.#changes.delete(oldest);
  }
}

function say(row: PresenceRow, name: string): string {
  if (name === "status") return row.status;
  if (name === "lastInputSeconds") return row.lastInputText || "unknown";
  const value = row.entry[name];
  if (value === undefined) return "nothing";
  const isMoment = name === "onlineSince" || name === "lastActivityAt";
  if (isMoment && typeof value === "number") return shortMoment(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}
