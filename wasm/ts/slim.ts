/** The package without the core's bytes: for libraries, workers, and pages that fetch `core.wasm` themselves. */
export * from "./api.js";
export { init, initSync, type CoreLocation, type CoreSource } from "./load/core.js";
