// The package as Node gets it, and the simulated gateway, which is not part of it.

import { readFileSync } from "node:fs";

import { initSimulatorSync } from "../../dist/simulator.js";

initSimulatorSync(readFileSync(new URL("../../dist/simulator.wasm", import.meta.url)));

export * from "../../dist/node/index.js";
export { loadRecording, openRecording, SimulatedGateway } from "../../dist/simulator.js";
