/**
 * The single instance of the core in a JavaScript realm.
 *
 * Importing has no side effects. The first use loads the core synchronously where the platform allows it (everywhere
 * except the main threads of old browsers); `ready()` loads it without blocking on all platforms.
 */
import * as glue from "../glue.js";
import { WasmModule, type BuiltIn, type CoreLocation, type CoreSource } from "./module.js";

export type { CoreLocation, CoreSource } from "./module.js";

/** Class of the bindings. @internal */
export type WasmClient = glue.Client;
export type WasmRoster = glue.Roster;

const wasm = new WasmModule(
  glue,
  "the core is not loaded: `await init(url)` or `initSync(bytes)` first, " +
    "with the file openclaw-presence/core.wasm",
);

/**
 * Returns the loaded bindings. All calls of the core use this.
 *
 * @throws {PresenceError} `NOT_READY` where the core cannot be loaded synchronously; see {@link initSync}.
 * @internal
 */
export function core(): typeof glue {
  return wasm.use();
}

/**
 * Sets the source of the core's bytes for apps that pass none.
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
 * Loads the core without blocking; later calls return immediately. Call it before the first use to keep the page
 * responsive, and for old browsers that refuse to compile on their main thread.
 *
 * @throws {PresenceError} `WASM_BLOCKED`; in `/slim` also `NOT_READY`, because there `init` loads.
 */
export function ready(): Promise<void> {
  return wasm.ready();
}

/**
 * Loads the core from `source`; does nothing if it is already loaded.
 *
 * @param source the bytes of `core.wasm`, a compiled module, a response, or a URL to fetch it from.
 * @throws {PresenceError} `WASM_BLOCKED` or `WASM_INVALID`. Errors of `fetch` are rethrown unchanged. A failed call
 * can be repeated.
 */
export function init(source: CoreLocation | Promise<CoreLocation>): Promise<void> {
  return wasm.init(source);
}

/**
 * Loads the core synchronously; does nothing if it is already loaded.
 *
 * @param source the bytes of `core.wasm`, or a compiled module.
 * @throws {PresenceError} `NOT_READY` where the browser refuses to compile synchronously (`await init` there),
 *   `WASM_BLOCKED` or `WASM_INVALID`.
 */
export function initSync(source: CoreSource): void {
  wasm.initSync(source);
}
