import type { PresenceError } from "./errors.js";
import type { ConnectionState } from "./types.js";

/** The owner of an engine, which the engine calls. */
export interface EngineHost {
  /** The snapshot is another one. */
  handleSnapshot(): unknown;
  /** The connection became different. */
  handleState(state: ConnectionState): unknown;
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
