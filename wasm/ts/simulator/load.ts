/** The module of the simulated gateway: a separate file, `simulator.wasm`, that the app provides. */
import { WasmModule, type CoreLocation, type CoreSource } from "../load/module.js";
import * as glue from "./glue.js";

/** The gateway in the bindings. @internal */
export type WasmGateway = glue.Gateway;
/** The recording in the bindings. @internal */
export type WasmRecording = glue.Recording;
/** The reader of recordings in the bindings. @internal */
export type WasmRecordingReader = glue.RecordingReader;

const wasm = new WasmModule(
  glue,
  "the simulated gateway is not loaded: `await initSimulator(url)` or call `initSimulatorSync(bytes)` first, " +
    "with the file simulator.wasm",
);

/**
 * Returns the loaded bindings.
 *
 * @throws {PresenceError} `NOT_READY`: not loaded yet.
 * @internal
 */
export function simulator(): typeof glue {
  return wasm.use();
}

/**
 * Loads the simulated gateway; does nothing if it is already loaded.
 *
 * @param source the bytes of `simulator.wasm`, a compiled module, a response, or a URL to fetch it from.
 * @throws {PresenceError} `WASM_BLOCKED` or `WASM_INVALID`. Errors of `fetch` are rethrown unchanged.
 */
export function initSimulator(source: CoreLocation | Promise<CoreLocation>): Promise<void> {
  return wasm.init(source);
}

/**
 * Loads the simulated gateway synchronously; does nothing if it is already loaded.
 *
 * @param source the bytes of `simulator.wasm`, or a compiled module.
 * @throws {PresenceError} `NOT_READY` where the browser refuses to compile synchronously, `WASM_BLOCKED` or
 *   `WASM_INVALID`.
 */
export function initSimulatorSync(source: CoreSource): void {
  wasm.initSync(source);
}
