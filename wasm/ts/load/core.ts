/**
 * The one instance of the core in this JavaScript world.
 *
 * Nothing happens at import. The first use loads the core synchronously where the platform allows it
 * (everywhere but old browsers' main threads); `ready()` loads it without blocking, anywhere.
 */
import * as glue from "../glue.js";
import { WasmModule, type BuiltIn, type CoreLocation, type CoreSource } from "./module.js";

export type { CoreLocation, CoreSource } from "./module.js";

/** The bindings' classes. @internal */
export type WasmClient = glue.Client;
export type WasmRoster = glue.Roster;

const wasm = new WasmModule(
  glue,
  "the core of openclaw-presence/slim is not loaded: `await init(url)` or call `initSync(bytes)` first, " +
    "with the file openclaw-presence/core.wasm",
);

/**
 * The bindings, loaded. Everything that calls the core goes through here.
 *
 * @throws {PresenceError} `NOT_READY` where it cannot be loaded at once; see {@link initSync} for more.
 * @internal
 */
export function core(): typeof glue {
  return wasm.use();
}

/**
 * Says where the core's bytes are when nobody brings any.
 * @internal
 */
export function provide(source: BuiltIn): void {
  wasm.provide(source);
}

/** Whether the core is loaded. */
export function isReady(): boolean {
  return wasm.isReady;
}

/**
 * Loads the core without blocking; later calls return at once. Call it before the first use: then the
 * page stays smooth, and old browsers work that refuse to compile on their main thread.
 *
 * @throws {PresenceError} `WASM_BLOCKED`, or `NOT_READY` in `/slim`, where `init` loads.
 */
export function ready(): Promise<void> {
  return wasm.ready();
}

/**
 * Loads the core from what the caller brings; a no-op if it is loaded.
 *
 * @param source the bytes of `core.wasm`, a compiled module, a response, or a URL to fetch it from.
 * @throws {PresenceError} `WASM_BLOCKED` or `WASM_INVALID`; what `fetch` throws is thrown as it is. A call
 *   that failed may be repeated.
 */
export function init(source: CoreLocation | Promise<CoreLocation>): Promise<void> {
  return wasm.init(source);
}

/**
 * Loads the core synchronously; a no-op if it is loaded.
 *
 * @param source the bytes of `core.wasm`, or a compiled module.
 * @throws {PresenceError} `NOT_READY` where the browser refuses to compile synchronously (`await init` there),
 *   `WASM_BLOCKED` or `WASM_INVALID`.
 */
export function initSync(source: CoreSource): void {
  wasm.initSync(source);
}
