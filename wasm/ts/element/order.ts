import { rowName } from "./text.js";
import type { PresenceRow } from "../types.js";

/** How rows stand: by name, so that nothing jumps, or as the gateway lists them. */
export type RosterOrder = "name" | "newest";

/** The rows in order, the gateway's own on top either way. */
export function orderRows(rows: readonly PresenceRow[], order: RosterOrder): readonly PresenceRow[] {
  const self = (row: PresenceRow) => (row.isSelf ? 0 : 1);
  const name = (a: PresenceRow, b: PresenceRow) =>
    order === "newest" ? 0 : rowName(a).localeCompare(rowName(b)) || (a.key < b.key ? -1 : 1);
  return [...rows].sort((a, b) => self(a) - self(b) || name(a, b));
}
