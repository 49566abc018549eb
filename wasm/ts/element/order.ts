import { compareRows, type RowNaming } from "../row-names.js";
import type { PresenceRow } from "../types.js";

/** How rows stand: by name, so that nothing jumps, or as the gateway lists them. */
export type RosterOrder = "name" | "newest";

/** The rows in order, the gateway's own on top either way. */
export function orderRows(rows: readonly PresenceRow[], order: RosterOrder, naming: RowNaming = {}): readonly PresenceRow[] {
  return [...rows].sort((a, b) => (order === "name" ? compareRows(a, b, naming) : Number(b.isSelf) - Number(a.isSelf)));
}
