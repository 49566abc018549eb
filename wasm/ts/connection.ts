import { abortable } from "./abort.js";
import { isSame } from "./diff.js";
import { asPresenceError, errorOf, type PresenceError } from "./errors.js";
import type { ConnectionPhase } from "./glue.js";
import { EMPTY_SNAPSHOT } from "./snapshot.js";
import type { ConnectionState } from "./types.js";
import { Waiters } from "./waiters.js";

export const CONNECTING: ConnectionState = Object.freeze({ phase: "connecting" });

/** The state of a client's connection, and the promises that wait for it to be live. */
export class Connection {
  #state: ConnectionState = EMPTY_SNAPSHOT.connection;
  readonly #waiting = new Waiters<symbol>();

  /** The state of the connection. */
  get state(): ConnectionState {
    return this.#state;
  }

  /** Enters a state and settles the waiting promises; `false` if it is the current state already. */
  enter(state: ConnectionState): boolean {
    if (isSame(this.#state, state)) return false;
    this.#state = state;
    if (state.phase === "live") this.#waiting.resolveAll(undefined);
    if (state.phase === "refused") this.reject(state.error);
    return true;
  }

  /** Rejects the waiting promises. */
  reject(error: PresenceError): void {
    this.#waiting.rejectAll(error);
  }

  /** Resolves once the connection is live; rejects when it is refused, or the signal is aborted. */
  live(signal: AbortSignal | undefined): Promise<void> {
    const waiter = Symbol("live");
    const wait = async () => {
      if (this.#state.phase === "refused") throw this.#state.error;
      if (this.#state.phase !== "live") await this.#waiting.wait(waiter);
    };
    return abortable(signal, wait, () => this.#waiting.forget(waiter));
  }
}

/** Returns the state of a client that was refused for this reason. */
export function refused(error: unknown): ConnectionState {
  return Object.freeze({ phase: "refused", error: asPresenceError(error) });
}

/** Returns the app's connection state for a phase of the core's client, at a time on the age clock. */
export function connectionOf(state: ConnectionPhase, ageMs: number): ConnectionState {
  switch (state.phase) {
    case "waiting": {
      const retryInMs = Math.max(Math.ceil(state.retryAtMs - ageMs), 0);
      return Object.freeze({ phase: "waiting", retryInMs, error: errorOf(state.problem) });
    }
    case "refused":
      return refused(errorOf(state.problem));
    default:
      return Object.freeze(state);
  }
}
