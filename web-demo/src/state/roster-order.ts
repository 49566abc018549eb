import { compareRows, rowName, type PresenceRow } from "openclaw-presence";

import { isGateway } from "./gateways.js";

/** Sort orders of a table. */
export const ORDERS = { name: "Name", status: "Status", mode: "Mode", input: "Last input", seen: "Last seen" } as const;

/** Name of an entry of {@link ORDERS}. */
export type Order = keyof typeof ORDERS;

const STATUS_RANK = { Active: 0, Idle: 1, Stale: 2, Left: 3 } as const;

/**
 * Sorts the rows: the gateway's own first, then that of this page, then observed gateways, then the others in the
 * given order, or in reverse.
 */
export function sortRows(rows: readonly PresenceRow[], order: Order, isReversed = false): readonly PresenceRow[] {
  const compare = COMPARE[order];
  const sign = isReversed ? -1 : 1;
  return [...rows].sort((a, b) => rank(a) - rank(b) || sign * (compare(a, b) || compareRows(a, b)));
}

/** Rows of one host, or those without one. */
export interface Group {
  readonly host: string;
  readonly rows: readonly PresenceRow[];
}

/** Groups the rows by host; each group is at the position of its first row. */
export function groupRows(rows: readonly PresenceRow[]): readonly Group[] {
  const groups = new Map<string, { host: string; rows: PresenceRow[] }>();
  for (const row of rows) {
    const host = rowName(row);
    const key = host.toLowerCase();
    const group = groups.get(key);
    if (group) group.rows.push(row);
    else groups.set(key, { host, rows: [row] });
  }
  return [...groups.values()];
}

const COMPARE: Readonly<Record<Order, (a: PresenceRow, b: PresenceRow) => number>> = {
  name: () => 0,
  status: (a, b) => STATUS_RANK[a.status] - STATUS_RANK[b.status],
  mode: (a, b) => Number(a.mode === undefined) - Number(b.mode === undefined) || (a.mode ?? "").localeCompare(b.mode ?? ""),
  input: (a, b) => (inputMoment(b) ?? Number.NEGATIVE_INFINITY) - (inputMoment(a) ?? Number.NEGATIVE_INFINITY),
  seen: (a, b) => b.ts - a.ts,
};

function rank(row: PresenceRow): number {
  if (row.isSelf) return 0;
  if (row.isOwn) return 1;
  return isGateway(row) ? 2 : 3;
}

/** Returns the time of the last input, on the gateway's clock; `undefined` if unknown. */
export function inputMoment({ entry, ts }: PresenceRow): number | undefined {
  return typeof entry.lastInputSeconds === "number" ? ts - entry.lastInputSeconds * 1_000 : undefined;
}
