import { Engine } from "./engine.js";
import { PresenceError } from "./errors.js";
import type { HostRef } from "./host.js";
import type { Explanation } from "./methods.js";
import type { PresenceClientOptions, ReconnectOptions } from "./options.js";
import type { ConnectionState, Finding, RosterSnapshot } from "./types.js";

/** The implementation behind a client: a separate connection, or one that tabs share. */
export interface ClientEngine {
  readonly connection: ConnectionState;
  readonly instanceId: string | undefined;
  readonly snapshot: RosterSnapshot;
  start(): void;
  stop(): void;
  reconnect(change: ReconnectOptions): void;
  free(): void;
  connected(signal: AbortSignal | undefined): Promise<void>;
  request(method: string, params: unknown): Promise<unknown>;
  beacon(reason: string): Promise<void>;
  findings(): readonly Finding[];
  explain(key: string): Promise<Explanation | undefined>;
  setListened(isListened: boolean, isWatched: boolean): void;
}

type MakeEngine = (options: PresenceClientOptions, host: HostRef) => ClientEngine;

let makeShared: MakeEngine | undefined;

/** Sets the implementation of the option `shared`; apps without it do not include its code. */
export function setSharedEngine(make: MakeEngine): void {
  makeShared = make;
}

/** @throws {PresenceError} `INVALID_ARGUMENT`. */
export function makeEngine(options: PresenceClientOptions, host: HostRef): ClientEngine {
  if (!options.shared) return new Engine(options, host);
  if (makeShared) return makeShared(options, host);
  throw new PresenceError("INVALID_ARGUMENT", 'invalid options.shared: import "openclaw-presence/shared" first');
}
