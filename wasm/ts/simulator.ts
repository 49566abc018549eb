/**
 * A whole gateway without a network, for playgrounds and tests. Not part of the npm package: its module is
 * larger than everything else together.
 */
export * from "./gateway.js";
export { initSimulator, initSimulatorSync } from "./simulator/load.js";
