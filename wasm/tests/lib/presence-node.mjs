// The package's Node entry, and modules that are not part of the package: the simulated gateway and the simulation.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { initSimulatorSync } from "../../dist/simulator.js";
import { WORK } from "./work.mjs";

initSimulatorSync(readFileSync(new URL("../../dist/simulator.wasm", import.meta.url)));

export const simulation = await import(join(WORK, "simulation/glue.js"));
simulation.initSync({ module: readFileSync(join(WORK, "simulation/glue_bg.wasm")) });

export * from "../../dist/node/index.js";
export { loadRecording, openRecording, SimulatedGateway } from "../../dist/simulator.js";
export { TestGateway } from "../../dist/testing.js";
