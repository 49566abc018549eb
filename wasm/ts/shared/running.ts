import { CONNECTING } from "../connection.js";
import type { Engine } from "../engine.js";
import type { ConnectionState, RosterSnapshot } from "../types.js";

/** How often a tab that is visible, or has pending calls, checks the leader, in ms. */
export const TICK_MS = 5_000;
/** A leader that left this many of those unanswered is frozen: another tab takes the lead. */
export const MAX_UNANSWERED = 2;
/** A tab that said it is visible is so for this long, in ms. */
export const VISIBLE_MS = 12_000;

/** The roster of the leader's engine as the tabs see it. */
export function snapshotOf({ snapshot }: Engine): RosterSnapshot {
  const { connection } = snapshot;
  return connection.phase === "stopped" ? Object.freeze({ ...snapshot, connection: asRunning(connection) }) : snapshot;
}

/** Between two connections the engine is stopped; the clients of the tabs are not. */
export function asRunning(connection: ConnectionState): ConnectionState {
  return connection.phase === "stopped" ? CONNECTING : connection;
}
