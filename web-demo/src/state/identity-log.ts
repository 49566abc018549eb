import { normalizeKey, type ConnectionState, type PresenceRow } from "openclaw-presence";

/** One connection of this page, as the gateway knows it. */
export interface OwnConnection {
  /** Absent: it went without. */
  readonly instanceId: string | undefined;
  /** Presence key of the id. */
  readonly key: string | undefined;
  readonly connId: string;
  readonly sinceMs: number;
  /** Absent: it is the one that lives. */
  readonly untilMs?: number;
}

/** Maximum number of connections that are remembered. */
const MAX_CONNECTIONS = 50;

/** All connections that this page made, so that it knows its own rows again even without an id. */
export class IdentityLog {
  #connections: readonly OwnConnection[] = [];

  /** All of them, newest first. */
  get connections(): readonly OwnConnection[] {
    return this.#connections;
  }

  /** Follows the connection. */
  handleState(state: ConnectionState, instanceId: string | undefined, nowMs: number): void {
    if (state.phase === "live" && this.#connections[0]?.connId === state.connId) return;
    const [last, ...rest] = this.#connections;
    if (last && last.untilMs === undefined) this.#connections = [{ ...last, untilMs: nowMs }, ...rest];
    if (state.phase === "live") {
      const made = { instanceId, key: keyOf(instanceId), connId: state.connId, sinceMs: nowMs };
      this.#connections = [made, ...this.#connections].slice(0, MAX_CONNECTIONS);
    }
  }

  /** The connection of this page that made the row, if one did. The newest of one identity stands for all. */
  find(row: PresenceRow): OwnConnection | undefined {
    if (this.#connections.length === 0) return undefined;
    const key = keyOf(row.instanceId);
    return this.#connections.find(({ instanceId, key: own, connId }) => {
      if (key !== undefined) return own === key;
      // A gateway files a client without any id under the id of its connection.
      return instanceId === undefined && connId !== "" && row.key.endsWith(connId);
    });
  }

  /** Whether the row is that of the connection that lives. */
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
