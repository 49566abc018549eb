// The seeded simulations of tests/conformance/simulation in WebAssembly: the same seeds give the same records as natively.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import * as assert from "./lib/assert.mjs";
import { openPage, startBrowser } from "./lib/browser.mjs";
import { equalRecords } from "./lib/records.mjs";
import { serve } from "./lib/server.mjs";
import { WORK } from "./lib/work.mjs";

// SIMULATION_NATIVE=path is the record of the native run, which must be equal byte for byte;
// SIMULATION_RECORD=path saves the record of this run.
const { SIMULATION_NATIVE, SIMULATION_RECORD } = process.env;

let inNode;

async function recordInNode() {
  const glue = await import(join(WORK, "simulation/glue.js"));
  glue.initSync({ module: readFileSync(join(WORK, "simulation/glue_bg.wasm")) });
  inNode ??= Array.from({ length: glue.seeds() }, (_, seed) => glue.simulate(seed)).join("");
  return inNode;
}

test("seeded simulations give the same record in Node as natively", async () => {
  const record = await recordInNode();
  if (SIMULATION_RECORD) writeFileSync(SIMULATION_RECORD, record);
  assert.ok(record.split("\n").length > 100, "the record has lines for all seeds");
  if (SIMULATION_NATIVE) equalRecords(record, readFileSync(SIMULATION_NATIVE, "utf8"));
});

test("seeded simulations give the same record in Chromium as in Node", async (t) => {
  const origin = await serve(t);
  const browser = await startBrowser(t);
  const page = await openPage(await browser.newContext(), `${origin}/tests/browser/page.html`);
  const record = await page.evaluate(async () => {
    const glue = await import("/simulation/glue.js");
    await glue.default({ module_or_path: "/simulation/glue_bg.wasm" });
    return Array.from({ length: glue.seeds() }, (_, seed) => glue.simulate(seed)).join("");
  });
  equalRecords(record, await recordInNode());
});
