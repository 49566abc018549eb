// How fast the package is, against plain JavaScript that does the same: `node wasm/bench/run.mjs [--json FILE] [--quick]`.
//
// Both are measured in turn in one process, so that what else the machine does hits both; what counts is the median.
// `tests/bench.test.mjs` holds that both make equal rows of these frames.
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";

import { initSync, Roster } from "../dist/node/slim.js";
import { delta, entry, NOW, snapshot } from "./frames.mjs";
import { PlainRoster } from "./plain-roster.mjs";

const { values } = parseArgs({ options: { json: { type: "string" }, quick: { type: "boolean", default: false } } });
initSync(readFileSync(new URL("../dist/core.wasm", import.meta.url)));

/** What the case makes goes here, so that no compiler leaves it out. */
let sink;

/** Runs both sides in turn; returns the median times in us. `wasm` and `plain` get the number of the round. */
function measure({ name, rounds, target, wasm, plain }) {
  const times = { wasm: [], plain: [] };
  const count = Math.max(values.quick ? Math.ceil(rounds / 10) : rounds, 3);
  // Compilers of both kinds need their time, also when the run is short.
  const warmUp = Math.ceil(rounds / 3);
  for (let round = 0; round < count + warmUp; round += 1) {
    const sides = round % 2 === 0 ? [["wasm", wasm], ["plain", plain]] : [["plain", plain], ["wasm", wasm]];
    for (const [side, act] of sides) {
      const started = performance.now();
      sink = act(round);
      const took = performance.now() - started;
      if (round >= warmUp) times[side].push(took * 1_000);
    }
  }
  const [wasmUs, plainUs] = [median(times.wasm), median(times.plain)];
  return { name, rounds: count, wasmUs, plainUs, ratio: wasmUs / plainUs, target };
}

function median(times) {
  times.sort((a, b) => a - b);
  return times[times.length >> 1];
}

/** From the text of a frame to the sorted list, by a roster that knows nothing yet. */
function firstList(count, isKeyed, rounds, target) {
  const text = snapshot(count, { isKeyed });
  const maxRows = Math.max(count, 200);
  return {
    name: `${isKeyed ? "keyed snapshot" : "presence event"} of ${count} rows to the sorted list`,
    rounds,
    target,
    wasm: () => {
      const roster = new Roster({ maxRows });
      roster.apply(text, NOW);
      const rows = roster.list(NOW);
      roster.free();
      return rows;
    },
    plain: () => {
      const roster = new PlainRoster({ maxRows });
      roster.apply(text, NOW);
      return roster.list(NOW);
    },
  };
}

/** From the text of a delta of one row to that row. */
function oneRow(count, rounds, target) {
  const text = snapshot(count, { isKeyed: true });
  const maxRows = Math.max(count, 200);
  const wasm = new Roster({ maxRows });
  wasm.apply(text, NOW);
  wasm.diff(NOW);
  const plain = new PlainRoster({ maxRows });
  plain.apply(text, NOW);
  const deltas = Array.from({ length: rounds * 2 }, (_, round) => delta(round + 1, (round * 7) % (count - 1)));
  return {
    name: `delta of one row, of ${count}, to the changed row`,
    rounds,
    target,
    wasm: (round) => {
      wasm.apply(deltas[round], NOW);
      return wasm.diff(NOW).changed[0].row;
    },
    plain: (round) => {
      const [key] = plain.apply(deltas[round], NOW);
      return plain.row(key, NOW);
    },
    end: () => wasm.free(),
  };
}

/** The list again, when nothing but time passed. */
function again(count, rounds) {
  const text = snapshot(count, { isKeyed: true });
  const maxRows = Math.max(count, 200);
  const wasm = new Roster({ maxRows });
  wasm.apply(text, NOW);
  const plain = new PlainRoster({ maxRows });
  plain.apply(text, NOW);
  return {
    name: `list of ${count} rows again`,
    rounds,
    wasm: (round) => wasm.list(NOW + round),
    plain: (round) => plain.list(NOW + round),
    end: () => wasm.free(),
  };
}

// A mirror holds 10,000 rows at most (SPEC 3), so there is nothing to measure beyond.
const CASES = [
  () => firstList(200, false, 300, 1.5),
  () => firstList(200, true, 300, 1.5),
  () => oneRow(200, 3_000, 1.5),
  () => again(200, 300),
  () => firstList(10_000, true, 20),
  () => oneRow(10_000, 100),
  () => again(10_000, 20),
];

const results = CASES.map((make) => {
  const one = make();
  const result = measure(one);
  one.end?.();
  return result;
});
sink = entry(0);

const cell = (us) => (us >= 1_000 ? `${(us / 1_000).toFixed(2)} ms` : `${us.toFixed(1)} us`);
console.log(`node ${process.version}, ${cpus()[0]?.model ?? "unknown processor"}; medians`);
console.log("| what | wasm | JavaScript | ratio | target |\n|---|---|---|---|---|");
for (const { name, wasmUs, plainUs, ratio, target } of results) {
  console.log(`| ${name} | ${cell(wasmUs)} | ${cell(plainUs)} | ${ratio.toFixed(2)} | ${target ? `at most ${target}` : ""} |`);
}
if (values.json) writeFileSync(values.json, `${JSON.stringify({ node: process.version, results }, null, 2)}\n`);
