import type { Engine } from "../engine.js";
import type { ConnectionState, RosterSnapshot } from "../types.js";

export const CONNECTING: ConnectionState = Object.freeze({ phase: "connecting" });

/** The roster of the leader's engine as the tabs see it. */
export function snapshotOf({ snapshot }: Engine): RosterSnapshot {
  const { connection } = snapshot;
  return connection.phase === "stopped" ? Object.freeze({ ...snapshot, connection: asRunning(connection) }) : snapshot;
}

/** Between two connections the engine is stopped; the clients of the tabs are not. */
export function asRunning(connection: ConnectionState): ConnectionState {
  return connection.phase === "stopped" ? CONNECTING : connection;
}
