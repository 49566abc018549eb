import { compareRows, rowName, type PresenceRow } from "openclaw-presence";

import { isGateway } from "./gateways.js";

/** By what the rows of a table stand. */
export const ORDERS = { name: "Name", status: "Status", mode: "Mode", input: "Last input", seen: "Last seen" } as const;

/** One of them. */
export type Order = keyof typeof ORDERS;

const STATUS_RANK = { Active: 0, Idle: 1, Stale: 2, Left: 3 } as const;

/**
 * The rows in order: the gateway's own on top, then that of this page, then observed gateways, then the freshest or first in the alphabet, or
 * the last.
 */
export function sortRows(rows: readonly PresenceRow[], order: Order, isReversed = false): readonly PresenceRow[] {
  const compare = COMPARE[order];
  const sign = isReversed ? -1 : 1;
  return [...rows].sort((a, b) => rank(a) - rank(b) || sign * (compare(a, b) || compareRows(a, b)));
}

/** Rows of one host, or of none. */
export interface Group {
  readonly host: string;
  readonly rows: readonly PresenceRow[];
}

/** The rows by host; hosts stand where their first row stood. */
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
  mode: (a, b) => (a.mode ?? "~").localeCompare(b.mode ?? "~"),
  input: (a, b) => (inputMoment(b) ?? Number.NEGATIVE_INFINITY) - (inputMoment(a) ?? Number.NEGATIVE_INFINITY),
  seen: (a, b) => b.ts - a.ts,
};

function rank(row: PresenceRow): number {
  if (row.isSelf) return 0;
  if (row.isOwn) return 1;
  return isGateway(row) ? 2 : 3;
}

/** When the last input was, on the gateway's clock; nothing when nobody knows. */
export function inputMoment({ entry, ts }: PresenceRow): number | undefined {
  return typeof entry.lastInputSeconds === "number" ? ts - entry.lastInputSeconds * 1_000 : undefined;
}
