// The package as Node gets it, with the simulated gateway, which is not part of it.

import { readFileSync } from "node:fs";

import * as entry from "../../dist/node/index.js";
import * as simulator from "../../dist/simulator.js";

simulator.initSimulatorSync(readFileSync(new URL("../../dist/simulator.wasm", import.meta.url)));

export const presence = { ...entry, ...simulator };
