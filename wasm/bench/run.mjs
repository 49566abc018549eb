// How fast the package is, against plain JavaScript that does the same: `node wasm/bench/run.mjs [--json FILE] [--quick]`.
//
// Both are measured in turn in one process, so that what else the machine does hits both; what counts is the median.
// `tests/bench.test.mjs` holds that both make equal rows of these frames.
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";

import { initSync, Roster } from "../dist/node/slim.js";
import { comingsAndGoings, deltas, entry, NOW, snapshot, touches } from "./frames.mjs";
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

/** The frames state no digest, so that plain JavaScript has none to compute; the core has its own ready all the same. */
const WITHOUT = ", no digest stated";

/** From the text of a frame to the sorted list, by a roster that knows nothing yet. */
function firstList(count, { isKeyed = false, hasDigest = isKeyed }, rounds, target) {
  const text = snapshot(count, { isKeyed, hasDigest });
  const maxRows = Math.max(count, 200);
  return {
    name: `${isKeyed ? "keyed snapshot" : "presence event"} of ${count} rows to the sorted list${isKeyed && !hasDigest ? WITHOUT : ""}`,
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
function oneRow(count, rounds, { hasDigest = true, target } = {}) {
  const text = snapshot(count, { isKeyed: true, hasDigest });
  const maxRows = Math.max(count, 200);
  const wasm = new Roster({ maxRows });
  wasm.apply(text, NOW);
  wasm.diff(NOW);
  const plain = new PlainRoster({ maxRows });
  plain.apply(text, NOW);
  const texts = deltas(count, rounds * 2, { hasDigest });
  return {
    name: `delta of one row, of ${count}, to the changed row${hasDigest ? "" : WITHOUT}`,
    rounds,
    target,
    wasm: (round) => {
      wasm.apply(texts[round], NOW);
      return wasm.diff(NOW).changed[0].row;
    },
    plain: (round) => {
      const [key] = plain.apply(texts[round], NOW);
      return plain.row(key, NOW);
    },
    end: () => wasm.free(),
  };
}

/** From the text of a delta to the sorted list. */
function listAfter(what, count, rounds, texts) {
  const text = snapshot(count, { isKeyed: true, hasDigest: false });
  const [wasm, plain] = [new Roster({ maxRows: count }), new PlainRoster({ maxRows: count })];
  wasm.apply(text, NOW);
  plain.apply(text, NOW);
  return {
    name: `${what}, of ${count}, to the sorted list`,
    rounds,
    wasm: (round) => {
      wasm.apply(texts[round], NOW);
      return wasm.list(NOW);
    },
    plain: (round) => {
      plain.apply(texts[round], NOW);
      return plain.list(NOW);
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
  () => firstList(200, {}, 300, 1.5),
  () => firstList(200, { isKeyed: true }, 300, 1.5),
  () => firstList(200, { isKeyed: true, hasDigest: false }, 300),
  () => oneRow(200, 3_000, { target: 1.5 }),
  () => oneRow(200, 3_000, { hasDigest: false }),
  () => listAfter("a row that is touched", 200, 300, touches(200, 600)),
  () => listAfter("a row that goes or comes", 200, 300, comingsAndGoings(200, 600)),
  () => again(200, 300),
  () => firstList(10_000, { isKeyed: true }, 20),
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
