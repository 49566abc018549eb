import { compareRows, type RowNaming } from "../row-names.js";
import type { PresenceRow } from "../types.js";

/** Order of rows: by name, so that rows keep their places, or the gateway's order. */
export type RosterOrder = "name" | "newest";

/** Returns the rows in that order; the gateway's own row is always first. */
export function orderRows(rows: readonly PresenceRow[], order: RosterOrder, naming: RowNaming = {}): readonly PresenceRow[] {
  return [...rows].sort((a, b) => (order === "name" ? compareRows(a, b, naming) : Number(b.isSelf) - Number(a.isSelf)));
}
