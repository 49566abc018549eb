import { diffRows, type RosterDiff } from "./diff.js";
import type { PresenceError } from "./errors.js";
import type { ConnectionState, RosterSnapshot } from "./types.js";

/** The snapshot is another one: the roster, its ages in words, or the connection became different. */
export class RosterEvent extends Event {
  /** The roster as it is. */
  readonly roster: RosterSnapshot;
  /** The roster as it was at the last event of this type. */
  readonly before: RosterSnapshot;
  #diff: RosterDiff | undefined;

  constructor(roster: RosterSnapshot, before: RosterSnapshot) {
    super("roster");
    this.roster = roster;
    this.before = before;
  }

  /** Who came, who went, and who says something else. */
  get diff(): RosterDiff {
    return (this.#diff ??= diffRows(this.before.rows, this.roster.rows));
  }
}

/** The connection became different. */
export class ConnectionEvent extends Event {
  /** How the connection is. */
  readonly connection: ConnectionState;

  constructor(connection: ConnectionState) {
    super("connection");
    this.connection = connection;
  }
}

/**
 * Something a person should know. `error`: the client gave up, the phase of its connection is `refused`.
 * `notice`: it goes on, but something does not work, such as beacons that are refused.
 */
export class ProblemEvent extends Event {
  /** What is wrong, and what to do. */
  readonly error: PresenceError;

  constructor(type: "error" | "notice", error: PresenceError) {
    super(type);
    this.error = error;
  }
}

/** The gateway announced that it is about to stop. The client goes back to it by itself. */
export class ShutdownEvent extends Event {
  /** The gateway's word for it. */
  readonly reason: string;
  /** When it expects to be back, in ms from now; absent if it does not say. */
  readonly restartExpectedMs: number | undefined;

  constructor(reason: string, restartExpectedMs: number | undefined) {
    super("shutdown");
    this.reason = reason;
    this.restartExpectedMs = restartExpectedMs;
  }
}

/** The events of a client, by type. */
export interface PresenceClientEvents {
  roster: RosterEvent;
  connection: ConnectionEvent;
  error: ProblemEvent;
  notice: ProblemEvent;
  shutdown: ShutdownEvent;
}
