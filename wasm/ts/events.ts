import { diffRows, type RosterDiff } from "./diff.js";
import type { PresenceError } from "./errors.js";
import type { ConnectionState, RosterSnapshot } from "./types.js";

/** The snapshot changed: the rows, the words for their ages, or the connection. */
export class RosterEvent extends Event {
  /** The roster now. */
  readonly roster: RosterSnapshot;
  /** The roster as it was at the last event of this type. */
  readonly before: RosterSnapshot;
  #diff: RosterDiff | undefined;

  constructor(roster: RosterSnapshot, before: RosterSnapshot) {
    super("roster");
    this.roster = roster;
    this.before = before;
  }

  /** The difference between the two rosters: added, removed and changed rows. */
  get diff(): RosterDiff {
    return (this.#diff ??= diffRows(this.before.rows, this.roster.rows));
  }
}

/** The state of the connection changed. */
export class ConnectionEvent extends Event {
  /** The state of the connection. */
  readonly connection: ConnectionState;

  constructor(connection: ConnectionState) {
    super("connection");
    this.connection = connection;
  }
}

/**
 * A problem that needs a person's attention.
 *
 * `error`: the client gave up, and the phase of its connection is `refused`. `notice`: the client continues, but
 * something does not work, such as beacons that are refused.
 */
export class ProblemEvent extends Event {
  /** What is wrong, and what to do. */
  readonly error: PresenceError;

  constructor(type: "error" | "notice", error: PresenceError) {
    super(type);
    this.error = error;
  }
}

/** The gateway announced its shutdown. The client reconnects by itself. */
export class ShutdownEvent extends Event {
  /** The reason that the gateway states. */
  readonly reason: string;
  /** When it expects to be back, in ms from now; absent if unknown. */
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
