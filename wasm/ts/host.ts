import type { PresenceError } from "./errors.js";
import type { ConnectionState } from "./types.js";

/** The owner of an engine, which the engine calls. */
export interface EngineHost {
  /** Called when the snapshot changed. */
  handleSnapshot(): unknown;
  /** Called when the state of the connection changed. */
  handleConnection(connection: ConnectionState): unknown;
  /** Called when something does not work, although the client continues. */
  handleNotice(error: PresenceError): unknown;
  /** Called when the gateway is about to stop. */
  handleShutdown(reason: string, restartExpectedMs: number | undefined): unknown;
}

/** A reference that does not keep its host alive, where the platform has weak references. */
export type HostRef = Pick<WeakRef<EngineHost>, "deref">;

/** Returns a weak reference to a host. */
export function weakly(host: EngineHost): HostRef {
  return typeof WeakRef === "undefined" ? { deref: () => host } : new WeakRef(host);
}

/** Hosts that stay alive without references from the app. */
const kept = new Set<EngineHost>();

/**
 * Keeps a host alive while it is needed: a client with listeners, or one that never had any and is only there to be listed.
 */
export class HostKeeper {
  readonly #host: HostRef;
  #isListened = false;
  #wasListened = false;

  constructor(host: HostRef) {
    this.#host = host;
  }

  /** The host; absent once it is garbage-collected. */
  get host(): EngineHost | undefined {
    return this.#host.deref();
  }

  /** Sets whether the app has listeners. */
  setListened(isListened: boolean): void {
    this.#isListened = isListened;
    this.#wasListened ||= isListened;
  }

  /** Keeps the host or releases it. `isAwaited`: the app waits for an answer. */
  update(isRunning: boolean, isAwaited: boolean): void {
    const { host } = this;
    if (!host) return;
    if (isRunning && (this.#isListened || !this.#wasListened || isAwaited)) kept.add(host);
    else kept.delete(host);
  }
}
