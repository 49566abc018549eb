import type { PresenceRow } from "../types.js";
import { rowName } from "./text.js";
import { ENGLISH, type ElementWords } from "./words.js";

/** How rows stand: by name, so that nothing jumps, or as the gateway lists them. */
export type RosterOrder = "name" | "newest";

/** The rows in order, the gateway's own on top either way. */
export function orderRows(rows: readonly PresenceRow[], order: RosterOrder, words: ElementWords = ENGLISH): readonly PresenceRow[] {
  const self = (row: PresenceRow) => (row.isSelf ? 0 : 1);
  const name = (a: PresenceRow, b: PresenceRow) =>
    order === "newest" ? 0 : words.compare(rowName(a, words), rowName(b, words)) || (a.key < b.key ? -1 : 1);
  return [...rows].sort((a, b) => self(a) - self(b) || name(a, b));
}
