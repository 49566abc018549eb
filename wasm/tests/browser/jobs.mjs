// The jobs that tests run in a page. Imported in the page.

import { xxhash3 } from "hash-wasm";
import * as client from "openclaw-presence";
import { initSimulator, openRecording, SimulatedGateway } from "openclaw-presence/simulator";
import { TestGateway } from "openclaw-presence/testing";

import { Collector } from "./collect.mjs";
import * as assert from "../lib/assert.mjs";
import * as internal from "../lib/internal.mjs";
import { busyMinute, shown } from "../lib/replay.mjs";
import { until } from "../lib/until.mjs";
import { SUITES } from "../suites/index.mjs";
import realGateway from "../suites/real-gateway.mjs";
import { readSuite } from "../vectors/suite.mjs";
import { runVectors } from "../vectors/run.mjs";

await initSimulator("/dist/simulator.wasm");

const simulation = async () => {
  const glue = await import("/simulation/glue.js");
  await glue.default({ module_or_path: "/simulation/glue_bg.wasm" });
  return glue;
};

/** The package and its TestGateway, and the simulated gateway, which is not part of the package. */
export const presence = { ...client, SimulatedGateway, TestGateway };

/** Runs the suite with this name. */
export async function runSuite(name) {
  const collector = new Collector();
  SUITES[name]({ test: collector.test, assert, presence, internal });
  return collector.run();
}

/** Runs the suite against a real gateway; the test exposes `stopGateway` and `startGateway` to the page. */
export async function runRealGateway({ url, token }) {
  const collector = new Collector();
  const gateway = { url, token, stop: () => stopGateway(), start: () => startGateway() };
  realGateway({ test: collector.test, assert, presence, gateway, until });
  return collector.run();
}

/** Runs all vectors. */
export async function runAllVectors(names) {
  const files = await Promise.all(names.map(async (name) => [name, await (await fetch(`/vectors/${name}`)).text()]));
  const exported = { ...presence, simulation: await simulation() };
  const { record, ...outcome } = await runVectors(exported, await readSuite(files), (text) => xxhash3(text));
  return outcome;
}

/** Replays the recording of a busy minute. */
export async function replayBusyMinute() {
  return shown(openRecording, busyMinute(await simulation()), xxhash3);
}
