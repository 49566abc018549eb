// A recording of one minute, made by the simulation, and the package's replay of it.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { initSimulatorSync, openRecording } from "../../../../wasm/dist/simulator.js";
import { WORK } from "../../../../wasm/tests/lib/work.mjs";

const simulation = await import(join(WORK, "simulation/glue.js"));
simulation.initSync({ module: readFileSync(join(WORK, "simulation/glue_bg.wasm")) });
initSimulatorSync(readFileSync(new URL("../../../../wasm/dist/simulator.wasm", import.meta.url)));

/** 40 clients and 1,200 inputs within a minute; TTL 20 s, at most 24 rows. */
export const TEXT = simulation.recording(3, 40, 1_200);

/** The replay of the recording in Node. */
export const replayed = openRecording(TEXT);

/** The recording as a file for a file input. */
export const file = (name, text = TEXT) => ({ name, mimeType: "application/jsonl", buffer: Buffer.from(text) });
