import type { RosterDiff } from "./diff.js";
import type { PresenceError } from "./errors.js";
import type { ConnectionState, RosterSnapshot } from "./types.js";

/** The roster or its connection became different. */
export class RosterEvent extends Event {
  /** The roster as it is. */
  readonly roster: RosterSnapshot;
  /** What became different since the last event of this type. */
  readonly diff: RosterDiff;

  constructor(roster: RosterSnapshot, diff: RosterDiff) {
    super("roster");
    this.roster = roster;
    this.diff = diff;
  }
}

/** The connection became different. */
export class StateEvent extends Event {
  /** How the connection is. */
  readonly state: ConnectionState;

  constructor(state: ConnectionState) {
    super("state");
    this.state = state;
  }
}

/**
 * Something a person should know. `error`: the client gave up (`refused`), see the connection's state.
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

/** An event frame of the gateway, of any kind: `presence`, `tick`, `health`, `shutdown`, ... */
export class GatewayEvent extends Event {
  /** The name of the gateway's event. */
  readonly event: string;
  /** Its payload, as it came. */
  readonly payload: unknown;

  constructor(event: string, payload: unknown) {
    super("gateway");
    this.event = event;
    this.payload = payload;
  }
}

/** The events of a client, by type. */
export interface PresenceClientEvents {
  roster: RosterEvent;
  state: StateEvent;
  error: ProblemEvent;
  notice: ProblemEvent;
  gateway: GatewayEvent;
}
