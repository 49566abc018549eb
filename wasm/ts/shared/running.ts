import { CONNECTING } from "../connection.js";
import type { Engine } from "../engine.js";
import type { ConnectionState, RosterSnapshot } from "../types.js";
import type { CallServer } from "./call-server.js";
import type { RosterPublisher } from "./roster-sync.js";

/** What only the leader has. */
export interface Lead {
  readonly engine: Engine;
  readonly publisher: RosterPublisher;
  readonly calls: CallServer;
}

/** Interval at which a tab that is visible, or has pending calls, checks the leader, in ms. */
export const TICK_MS = 5_000;
/** Unanswered checks after which a leader counts as frozen and another tab takes over. */
export const MAX_UNANSWERED = 2;
/** How long a tab counts as visible after it reported so, in ms. */
export const VISIBLE_MS = 12_000;

/** Returns the roster of the leader's engine for the tabs. */
export function snapshotOf({ snapshot }: Engine): RosterSnapshot {
  const { connection } = snapshot;
  return connection.phase === "stopped" ? Object.freeze({ ...snapshot, connection: asRunning(connection) }) : snapshot;
}

/** Replaces `stopped` by `connecting`: between two connections the engine is stopped, but the tabs' clients are not. */
export function asRunning(connection: ConnectionState): ConnectionState {
  return connection.phase === "stopped" ? CONNECTING : connection;
}
