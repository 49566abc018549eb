import { callListener } from "./call-listener.js";
import { systemClock, type Clock } from "./clock.js";
import { checkArrivalOptions } from "./known-options.js";
import type { ArrivalOptions } from "./options.js";
import type { RosterSource } from "./store.js";
import type { PresenceRow, RosterSnapshot } from "./types.js";

/** Why a row left: `disconnect` if its connection was closed, `removed` if the gateway no longer lists it. */
export type LeaveReason = "disconnect" | "removed";

/** The listeners of {@link watchArrivals}. */
export interface ArrivalListeners {
  /** Called when a row is connected that was absent or had left. */
  readonly join?: ((row: PresenceRow) => void) | undefined;
  /** Called when a row left and did not return within the grace period; `row` is its last state. */
  readonly leave?: ((row: PresenceRow, reason: LeaveReason) => void) | undefined;
}

const DEFAULT_GRACE_MS = 5_000;

/**
 * Reports joins and leaves from now on.
 *
 * No row leaves while the client is not live. After a reconnect, all rows have the whole grace period to return. The
 * first list of another gateway reports nothing.
 *
 * @returns a function that unsubscribes.
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
  let isEnded = false;

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
      // Without a list there is nothing to compare: the gateway is another one, or revoked the right to read.
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
    for (const row of joined) callListener(() => isEnded || join?.(row));
  };

  update(client.getSnapshot());
  const unsubscribe = client.subscribe(() => update(client.getSnapshot()));
  return () => {
    isEnded = true;
    unsubscribe();
    for (const key of [...leaving.keys()]) stay(key);
  };
}
