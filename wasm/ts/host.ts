import type { PresenceError } from "./errors.js";
import type { ConnectionState } from "./types.js";

/** The owner of an engine, which the engine calls. */
export interface EngineHost {
  /** The snapshot is another one. */
  handleSnapshot(): unknown;
  /** The connection became different. */
  handleConnection(connection: ConnectionState): unknown;
  /** Something a person should know. */
  handleProblem(type: "error" | "notice", error: PresenceError): unknown;
  /** The gateway is about to stop. */
  handleShutdown(reason: string, restartExpectedMs: number | undefined): unknown;
}

/** A reference to a host that does not keep it alive, where the platform has such references. */
export type HostRef = Pick<WeakRef<EngineHost>, "deref">;

/** Makes a reference to a host. */
export function weakly(host: EngineHost): HostRef {
  return typeof WeakRef === "undefined" ? { deref: () => host } : new WeakRef(host);
}

/** Hosts that live on, even if the app has no reference to them. */
export const kept = new Set<EngineHost>();

/** Keeps a host alive while it is needed: a client with listeners, or that never had one, since it is there to be seen. */
export class HostKeeper {
  readonly #host: HostRef;
  #isListened = false;
  #wasListened = false;

  constructor(host: HostRef) {
    this.#host = host;
  }

  /** The host; absent once it is collected. */
  get host(): EngineHost | undefined {
    return this.#host.deref();
  }

  /** Sets whether the app listens to anything. */
  setListened(isListened: boolean): void {
    this.#isListened = isListened;
    this.#wasListened ||= isListened;
  }

  /** Keeps the host or lets go of it. `isAwaited`: the app waits for an answer. */
  update(isRunning: boolean, isAwaited: boolean): void {
    const { host } = this;
    if (!host) return;
    if (isRunning && (this.#isListened || !this.#wasListened || isAwaited)) kept.add(host);
    else kept.delete(host);
  }
}
