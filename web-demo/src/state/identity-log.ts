import { normalizeKey, type ConnectionState, type PresenceRow } from "openclaw-presence";

/** One connection of this page, as the gateway knows it. */
export interface OwnConnection {
  /** Absent: it went without. */
  readonly instanceId: string | undefined;
  readonly connId: string;
  readonly sinceMs: number;
  /** Absent: it is the one that lives. */
  readonly untilMs?: number;
}

/** Most connections that are remembered. */
const MOST = 50;

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
      const made = { instanceId, connId: state.connId, sinceMs: nowMs };
      this.#connections = [made, ...this.#connections].slice(0, MOST);
    }
  }

  /** The connection of this page that made the row, if one did. The newest of one identity stands for all. */
  find(row: PresenceRow): OwnConnection | undefined {
    const key = row.instanceId === undefined ? undefined : normalizeKey(row.instanceId);
    return this.#connections.find(({ instanceId, connId }) => {
      if (key !== undefined) return instanceId !== undefined && normalizeKey(instanceId) === key;
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
