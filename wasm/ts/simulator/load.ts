/** The module of the simulated gateway: its own file, `simulator.wasm`, that the user brings. */
import { WasmModule, type CoreLocation, type CoreSource } from "../load/module.js";
import * as glue from "./glue.js";

/** The bindings' gateway. @internal */
export type WasmGateway = glue.Gateway;
/** The bindings' recording. @internal */
export type WasmRecording = glue.Recording;
/** The bindings' reader of recordings. @internal */
export type WasmRecordingReader = glue.RecordingReader;

const wasm = new WasmModule(
  glue,
  "the simulated gateway is not loaded: `await initSimulator(url)` or call `initSimulatorSync(bytes)` first, " +
    "with the file simulator.wasm",
);

/**
 * The bindings, loaded.
 *
 * @throws {PresenceError} `NOT_READY`: nobody loaded it yet.
 * @internal
 */
export function simulator(): typeof glue {
  return wasm.use();
}

/**
 * Loads the simulated gateway; a no-op if it is loaded.
 *
 * @param source the bytes of `simulator.wasm`, a compiled module, a response, or a URL to fetch it from.
 * @throws {PresenceError} `WASM_BLOCKED` or `WASM_INVALID`; what `fetch` throws is thrown as it is.
 */
export function initSimulator(source: CoreLocation | Promise<CoreLocation>): Promise<void> {
  return wasm.init(source);
}

/**
 * Loads the simulated gateway synchronously; a no-op if it is loaded.
 *
 * @param source the bytes of `simulator.wasm`, or a compiled module.
 * @throws {PresenceError} `NOT_READY` where the browser refuses to compile synchronously, `WASM_BLOCKED` or
 *   `WASM_INVALID`.
 */
export function initSimulatorSync(source: CoreSource): void {
  wasm.initSync(source);
}
