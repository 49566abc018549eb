import { callListener } from "./call-listener.js";
import { systemClock, type Clock } from "./clock.js";
import { checkArrivalOptions } from "./known-options.js";
import type { RosterSource } from "./store.js";
import type { PresenceRow, RosterSnapshot } from "./types.js";

/** Why somebody left: its connection was closed, or the gateway no longer lists it. */
export type LeaveReason = "disconnect" | "removed";

/** When joins and leaves are told. */
export interface ArrivalOptions {
  /** Who is back within this time has not left, in ms. @default 5000 */
  readonly graceMs?: number | undefined;
}

/** Whom {@link watchArrivals} tells. */
export interface ArrivalListeners {
  /** Somebody who was not there, or had left, is connected. */
  readonly join?: ((row: PresenceRow) => void) | undefined;
  /** Somebody left and did not come back in time; `row` is the last that was seen. */
  readonly leave?: ((row: PresenceRow, reason: LeaveReason) => void) | undefined;
}

const DEFAULT_GRACE_MS = 5_000;

/**
 * Tells who joins and who leaves from now on; what it returns ends that. While the client is not live nobody leaves: when
 * the gateway is back, everybody has the whole grace to come back too. The first list of another gateway is no news.
 */
export function watchArrivals(
  client: RosterSource,
  { join, leave }: ArrivalListeners,
  options: ArrivalOptions = {},
  clock: Clock = systemClock,
): () => void {
  checkArrivalOptions(options);
  const { graceMs = DEFAULT_GRACE_MS } = options;
  const there = new Map<string, PresenceRow>();
  const leaving = new Map<string, () => void>();
  let isBegun = false;

  const stay = (key: string) => {
    leaving.get(key)?.();
    leaving.delete(key);
  };
  const end = (key: string) => {
    leaving.delete(key);
    const row = there.get(key);
    there.delete(key);
    if (row) callListener(() => leave?.(row, row.isConnected ? "removed" : "disconnect"));
  };
  const update = (roster: RosterSnapshot) => {
    if (roster.connection.phase !== "live" || roster.isOffline || !roster.hasList) {
      for (const key of [...leaving.keys()]) stay(key);
      if (roster.hasList) return;
      // Without a list nothing is known: the gateway is another one, or no longer shows who is there.
      there.clear();
      isBegun = false;
      return;
    }
    const connected = new Set<string>();
    const joined: PresenceRow[] = [];
    for (const row of roster.rows) {
      if (row.isConnected) {
        connected.add(row.key);
        stay(row.key);
        if (isBegun && !there.has(row.key)) joined.push(row);
      }
      if (row.isConnected || there.has(row.key)) there.set(row.key, row);
    }
    isBegun = true;
    for (const key of there.keys()) {
      if (!connected.has(key) && !leaving.has(key)) leaving.set(key, clock.setTimer(() => end(key), graceMs));
    }
    for (const row of joined) callListener(() => join?.(row));
  };

  update(client.getSnapshot());
  const unsubscribe = client.subscribe(() => update(client.getSnapshot()));
  return () => {
    unsubscribe();
    for (const key of [...leaving.keys()]) stay(key);
  };
}
