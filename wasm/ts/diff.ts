import type { PresenceRow } from "./types.js";

/** The difference between two lists of rows. */
export interface RosterDiff {
  /** Rows that are only in the later list. */
  readonly added: readonly PresenceRow[];
  /** Rows that are only in the earlier list. */
  readonly removed: readonly PresenceRow[];
  /** Rows whose entry or status changed. */
  readonly changed: readonly RowChange[];
}

/** A changed row. */
export interface RowChange {
  /** The row now. */
  readonly row: PresenceRow;
  /** The row before. */
  readonly before: PresenceRow;
  /** Members of the entry that differ, and `status` if it differs. Never `ts`, which changes at every proof of life. */
  readonly fields: readonly string[];
}

/**
 * Returns the difference from `before` to `after`. Rows with only a newer `ts`, or a greater age with the same
 * status, are not in it.
 */
export function diffRows(before: readonly PresenceRow[], after: readonly PresenceRow[]): RosterDiff {
  const known = new Map(before.map((row) => [row.key, row]));
  const added: PresenceRow[] = [];
  const changed: RowChange[] = [];
  for (const row of after) {
    const old = known.get(row.key);
    known.delete(row.key);
    if (!old) added.push(row);
    else if (old !== row) {
      const fields = changedFields(old, row);
      if (fields.length > 0) changed.push(Object.freeze({ row, before: old, fields: Object.freeze(fields) }));
    }
  }
  return Object.freeze({
    added: Object.freeze(added),
    removed: Object.freeze([...known.values()]),
    changed: Object.freeze(changed),
  });
}

function changedFields(before: PresenceRow, after: PresenceRow): string[] {
  const fields = before.status === after.status ? [] : ["status"];
  for (const name of new Set([...Object.keys(before.entry), ...Object.keys(after.entry)])) {
    if (name === "ts" || name === "lastInputSeconds" || MOMENTS.has(name)) continue;
    if (!isSame(before.entry[name], after.entry[name])) fields.push(name);
  }
  if (!isSameMoment(inputMoment(before), inputMoment(after))) fields.push("lastInputSeconds");
  for (const name of MOMENTS) {
    if (!isSameMoment(moment(before.entry[name]), moment(after.entry[name]))) fields.push(name);
  }
  return fields;
}

/** Members that are times. Reports in whole seconds shift them by less than a second. */
const MOMENTS: ReadonlySet<string> = new Set(["onlineSince", "lastActivityAt"]);

function moment(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** Returns the time of the last input. It is exact to a second only, because `lastInputSeconds` is rounded. */
function inputMoment({ entry, ts }: PresenceRow): number | undefined {
  return typeof entry.lastInputSeconds === "number" ? ts - entry.lastInputSeconds * 1_000 : undefined;
}

function isSameMoment(a: number | undefined, b: number | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Math.abs(a - b) < 1_000;
}

/** Values nested more deeply would overflow the stack: they count as unequal, and are not frozen. */
export const MAX_DEPTH = 64;

/** Whether two JSON values are equal, in any order of members. */
export function isSame(a: unknown, b: unknown, depth = 0): boolean {
  if (Object.is(a, b)) return true;
  if (depth > MAX_DEPTH) return false;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isSame(a[name as never], b[name as never], depth + 1))
  );
}
