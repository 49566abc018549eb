import { normalizeKey, type ConnectionState, type PresenceRow } from "openclaw-presence";

/** One connection of this page, as the gateway identifies it. */
export interface OwnConnection {
  /** Absent if it had no id. */
  readonly instanceId: string | undefined;
  /** Presence key of the id. */
  readonly key: string | undefined;
  readonly connId: string;
  readonly sinceMs: number;
  /** Absent while the connection is live. */
  readonly untilMs?: number;
}

/** Maximum number of stored connections. */
const MAX_CONNECTIONS = 50;

/** The connections of this page; identifies its own rows even without an id. */
export class IdentityLog {
  #connections: readonly OwnConnection[] = [];

  /** All connections, newest first. */
  get connections(): readonly OwnConnection[] {
    return this.#connections;
  }

  /** Records a state of the connection. */
  handleState(state: ConnectionState, instanceId: string | undefined, nowMs: number): void {
    if (state.phase === "live" && this.#connections[0]?.connId === state.connId) return;
    const [last, ...rest] = this.#connections;
    if (last && last.untilMs === undefined) this.#connections = [{ ...last, untilMs: nowMs }, ...rest];
    if (state.phase === "live") {
      const made = { instanceId, key: keyOf(instanceId), connId: state.connId, sinceMs: nowMs };
      this.#connections = [made, ...this.#connections].slice(0, MAX_CONNECTIONS);
    }
  }

  /** Returns the connection of this page that made the row; with several of one identity, the newest. */
  find(row: PresenceRow): OwnConnection | undefined {
    if (this.#connections.length === 0) return undefined;
    const key = keyOf(row.instanceId);
    return this.#connections.find(({ instanceId, key: own, connId }) => {
      if (key !== undefined) return own === key;
      // A gateway uses the connection's id for a client without any id.
      return instanceId === undefined && connId !== "" && row.key.endsWith(connId);
    });
  }

  /** Whether the row belongs to the live connection. */
  isCurrent(row: PresenceRow): boolean {
    const [current] = this.#connections;
    const maker = this.find(row);
    if (!current || !maker || current.untilMs !== undefined) return false;
    return current.instanceId === undefined ? maker === current : maker.instanceId === current.instanceId;
  }

  clear(): void {
    this.#connections = [];
  }
}

function keyOf(instanceId: string | undefined): string | undefined {
  return instanceId === undefined ? undefined : normalizeKey(instanceId);
}
