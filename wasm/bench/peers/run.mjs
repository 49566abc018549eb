// Compares the package with alternatives: `node wasm/bench/peers/run.mjs`, after `cargo xtask test --only npm`.
//
// Each of the three receives 200 and 10,000 rows in its own encoding and lists them. Loro's EphemeralStore and Yjs
// awareness have no rules: no merging, no statuses, no order, no labels, no checks of what a gateway sends.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";
import { EphemeralStore } from "loro-crdt";
import { applyAwarenessUpdate, Awareness, encodeAwarenessUpdate } from "y-protocols/awareness";
import { Doc } from "yjs";

import { initSync } from "../../dist/node/slim.js";
import { deltas, entry, NOW, snapshot } from "../frames.mjs";
import { LiveRoster } from "../live-roster.mjs";
import { medians } from "../medians.mjs";

initSync(readFileSync(new URL("../../dist/core.wasm", import.meta.url)));

/** Longer than the benchmark runs: nothing is removed by age. */
const NEVER_MS = 3_600_000;

/** Creates a sender and a receiver. `send` encodes rows; `list` applies them to the receiver and returns its states. */
function loro() {
  const sender = new EphemeralStore(NEVER_MS);
  const receiver = new EphemeralStore(NEVER_MS);
  return {
    send(rows) {
      // Without the wrapper's check for a timer at each row, whose time grows with the rows. Sending is not measured.
      for (const row of rows) sender.inner.set(row.instanceId, row);
      return rows.length === 1 ? sender.encode(rows[0].instanceId) : sender.encodeAll();
    },
    list(bytes) {
      receiver.apply(bytes);
      return Object.values(receiver.getAllStates());
    },
    end: () => [sender, receiver].forEach((store) => store.destroy()),
  };
}

function yjs() {
  const sender = new Awareness(new Doc());
  const receiver = new Awareness(new Doc());
  for (const awareness of [sender, receiver]) awareness.setLocalState(null);
  let clock = 0;
  return {
    send(rows) {
      clock += 1;
      const ids = rows.map(({ instanceId }) => parseInt(instanceId.slice(9, 13), 16));
      rows.forEach((row, at) => {
        sender.states.set(ids[at], row);
        sender.meta.set(ids[at], { clock, lastUpdated: Date.now() });
      });
      return encodeAwarenessUpdate(sender, ids);
    },
    list(bytes) {
      applyAwarenessUpdate(receiver, bytes, undefined);
      return Array.from(receiver.getStates().values());
    },
    end: () => [sender, receiver].forEach((awareness) => awareness.destroy()),
  };
}

/** Rows that all changed, `shift` ms later. */
const rows = (count, shift) => Array.from({ length: count }, (_, number) => ({ ...entry(number), ts: NOW + shift }));

/** Measures a case; `changed(round)` is what peers get. */
async function measure(count, rounds, texts, changed, first) {
  const ours = await LiveRoster.connect();
  const peers = { loro: loro(), yjs: yjs() };
  if (first) ours.apply(first);
  for (const peer of Object.values(peers)) peer.list(peer.send(rows(count, 0)));
  const total = rounds + Math.ceil(rounds / 3);
  const sides = { ours: (round) => (ours.apply(texts[round % texts.length]), ours.list()) };
  for (const [name, peer] of Object.entries(peers)) {
    const sent = [];
    // Loro orders the values of a key by the time in ms at which they were set.
    for (let round = 0; round < total; round += 1) {
      sent.push(peer.send(changed(round)));
      const until = Date.now();
      while (Date.now() === until);
    }
    sides[name] = (round) => {
      const list = peer.list(sent[round]);
      if (list.length !== count) throw new Error(`${name} has ${list.length} of ${count} rows`);
      return list;
    };
  }
  const times = medians(sides, rounds);
  ours.free();
  for (const peer of Object.values(peers)) peer.end();
  return times;
}

const list = (count, rounds) =>
  measure(count, rounds, [0, 1].map((shift) => snapshot(count, { shift })), (round) => rows(count, round));

const delta = (count, rounds) => {
  const one = (round) => [{ ...entry((round * 7) % (count - 1)), text: `Node: round ${round}`, ts: NOW + round }];
  const texts = deltas(count, rounds * 2, { hasDigest: false });
  return measure(count, rounds, texts, one, snapshot(count, { isKeyed: true, hasDigest: false }));
};

/** The gzipped size of a minified bundle, and of a module beside it. */
async function sizeOf(contents, resolveDir, wasm) {
  const options = { bundle: true, minify: true, format: "esm", write: false, external: wasm ? ["*.wasm"] : [] };
  const { outputFiles } = await build({ stdin: { contents, resolveDir }, logLevel: "error", ...options });
  const files = [outputFiles[0].contents, ...(wasm ? [readFileSync(wasm)] : [])];
  return files.reduce((sum, bytes) => sum + gzipSync(bytes, { level: 9 }).length, 0);
}

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const sizes = {
  ours: await sizeOf('export { PresenceClient } from "./dist/index.js"', path("../..")),
  loro: await sizeOf('export { EphemeralStore } from "loro-crdt/web"', path("."), new URL("loro_wasm_bg.wasm", import.meta.resolve("loro-crdt/web"))),
  yjs: await sizeOf('export * from "y-protocols/awareness"; export { Doc } from "yjs"', path(".")),
};

const cell = (us) => (us >= 1_000 ? `${(us / 1_000).toFixed(2)} ms` : `${us.toFixed(1)} us`);
const row = (name, { ours, loro, yjs }, shown = cell) => console.log(`| ${name} | ${shown(ours)} | ${shown(loro)} | ${shown(yjs)} |`);
console.log(`node ${process.version}; medians\n| | openclaw-presence | Loro EphemeralStore | Yjs awareness |\n|---|---:|---:|---:|`);
row("200 rows, all changed", await list(200, 150));
row("one of 200 rows changed", await delta(200, 300));
row("10,000 rows, all changed", await list(10_000, 6));
row("one of 10,000 rows changed", await delta(10_000, 30));
row("bundle, gzipped", sizes, (bytes) => `${(bytes / 1_000).toFixed(1)} kB`);
