// A recording of a minute, as the simulation makes it, and the package's own replay of it.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { initSimulatorSync, openRecording } from "../../../wasm/dist/simulator.js";
import { WORK } from "../../../wasm/tests/lib/work.mjs";

const simulation = await import(join(WORK, "simulation/glue.js"));
simulation.initSync({ module: readFileSync(join(WORK, "simulation/glue_bg.wasm")) });
initSimulatorSync(readFileSync(new URL("../../../wasm/dist/simulator.wasm", import.meta.url)));

/** 40 clients and 1,200 inputs within a minute; a time to live of 20 s and at most 24 rows. */
export const TEXT = simulation.recording(3, 40, 1_200);

/** The replay in Node. */
export const replayed = openRecording(TEXT);

/** A file for a file input. */
export const file = (name, text = TEXT) => ({ name, mimeType: "application/jsonl", buffer: Buffer.from(text) });
