// Compares the speed of the package with plain JavaScript that does the same: `node wasm/bench/run.mjs [--json FILE] [--quick]`.
//
// Both run alternately in one process, so that other load on the machine affects both. The result is the median.
// `tests/bench.test.mjs` verifies that both make equal rows from these frames.
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";

import { initSync, Roster } from "../dist/node/slim.js";
import { comingsAndGoings, deltas, NOW, snapshot, touches } from "./frames.mjs";
import { LiveRoster } from "./live-roster.mjs";
import { medians } from "./medians.mjs";
import { PlainRoster } from "./plain-roster.mjs";

const { values } = parseArgs({ options: { json: { type: "string" }, quick: { type: "boolean", default: false } } });
initSync(readFileSync(new URL("../dist/core.wasm", import.meta.url)));

/** Runs both sides alternately; returns the median times in us. `wasm` and `plain` get the number of the round. */
function measure({ name, rounds, target, wasm, plain }) {
  const count = Math.max(values.quick ? Math.ceil(rounds / 10) : rounds, 3);
  const { wasm: wasmUs, plain: plainUs } = medians({ wasm, plain }, count);
  return { name, rounds: count, wasmUs, plainUs, ratio: wasmUs / plainUs, target };
}

/** Without a digest in the frames, plain JavaScript computes none; the core computes its digest anyway. */
const digestOf = (hasDigest) => (hasDigest ? "with digest" : "without digest");

const rowsOf = (count) => `${count.toLocaleString("en-US")} rows`;

/** Measures the way from the texts of frames, one after the other, to the sorted list of frozen rows. */
async function toTheList(name, count, rounds, texts, { first, target } = {}) {
  const wasm = await LiveRoster.connect();
  const plain = new PlainRoster({ maxRows: Math.max(count, 200) });
  if (first) {
    wasm.apply(first);
    plain.apply(first, NOW);
  }
  return {
    name,
    rounds,
    target,
    wasm: (round) => {
      wasm.apply(texts[round % texts.length]);
      return wasm.list();
    },
    plain: (round) => {
      plain.apply(texts[round % texts.length], NOW);
      return frozen(plain.list(NOW));
    },
    end: () => wasm.free(),
  };
}

/** Every row differs from the list before. */
function wholeList(count, rounds, { isKeyed = false, hasDigest = isKeyed, target } = {}) {
  const texts = [0, 1].map((shift) => snapshot(count, { isKeyed, hasDigest, shift }));
  const kind = isKeyed ? `snapshot ${digestOf(hasDigest)}` : "presence event";
  return toTheList(`${kind}, ${rowsOf(count)}, all changed`, count, rounds, texts, { target });
}

function afterList(name, count, rounds, texts, { hasDigest = false, target } = {}) {
  const first = snapshot(count, { isKeyed: true, hasDigest });
  return toTheList(`${name}, list of ${rowsOf(count)}`, count, rounds, texts, { first, target });
}

/** Measures reading the list again when nothing changed. */
function again(count, rounds) {
  const text = snapshot(count, { isKeyed: true });
  const maxRows = Math.max(count, 200);
  const wasm = new Roster({ maxRows });
  wasm.apply(text, NOW);
  const plain = new PlainRoster({ maxRows });
  plain.apply(text, NOW);
  return {
    name: `no change, list of ${rowsOf(count)}`,
    rounds,
    wasm: (round) => wasm.list(NOW + round),
    plain: (round) => frozen(plain.list(NOW + round)),
    end: () => wasm.free(),
  };
}

/** Freezes rows: a comparison by identity needs frozen rows. A row that is frozen already is not frozen again. */
function frozen(rows) {
  for (const row of rows) {
    if (Object.isFrozen(row)) continue;
    for (const part of [row.entry, row.roles, row.scopes, row.entry?.roles, row.entry?.scopes]) if (part) Object.freeze(part);
    Object.freeze(row);
  }
  return Object.freeze(rows);
}

// A mirror holds at most 10,000 rows (SPEC 3), so larger lists are not measured.
const CASES = [
  () => wholeList(200, 300, { target: 2.2 }),
  () => wholeList(200, 300, { isKeyed: true }),
  () => wholeList(200, 300, { isKeyed: true, hasDigest: false }),
  () => afterList(`delta of one row ${digestOf(true)}`, 200, 1_000, deltas(200, 1_600), { hasDigest: true }),
  () => afterList(`delta of one row ${digestOf(false)}`, 200, 1_000, deltas(200, 1_600, { hasDigest: false }), { target: 0.6 }),
  () => afterList("touch of one row", 200, 300, touches(200, 600), { target: 0.6 }),
  () => afterList("join or leave of one row", 200, 300, comingsAndGoings(200, 600)),
  () => again(200, 300),
  () => wholeList(10_000, 20, { isKeyed: true }),
  () => afterList(`delta of one row ${digestOf(true)}`, 10_000, 60, deltas(10_000, 100), { hasDigest: true }),
  () => again(10_000, 20),
];

const results = [];
for (const make of CASES) {
  const one = await make();
  results.push(measure(one));
  one.end();
}

const cell = (us) => (us >= 1_000 ? `${(us / 1_000).toFixed(2)} ms` : `${us.toFixed(1)} us`);
console.log(`node ${process.version}, ${cpus()[0]?.model ?? "unknown processor"}; medians`);
console.log("| what | wasm | JavaScript | ratio | target |\n|---|---|---|---|---|");
for (const { name, wasmUs, plainUs, ratio, target } of results) {
  console.log(`| ${name} | ${cell(wasmUs)} | ${cell(plainUs)} | ${ratio.toFixed(2)} | ${target ? `at most ${target}` : ""} |`);
}
if (values.json) writeFileSync(values.json, `${JSON.stringify({ node: process.version, results }, null, 2)}\n`);
