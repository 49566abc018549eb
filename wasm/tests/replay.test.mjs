// Recordings in WebAssembly: the same digests at the same times as natively, in Node and in Chromium.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";

import { xxhash3 } from "hash-wasm";

import * as assert from "./lib/assert.mjs";
import { openPage, startBrowser } from "./lib/browser.mjs";
import { loadRecording, openRecording } from "./lib/presence-node.mjs";
import { equalRecords } from "./lib/records.mjs";
import { busyMinute, shown } from "./lib/replay.mjs";
import { serve } from "./lib/server.mjs";
import { WORK } from "./lib/work.mjs";

// REPLAY_NATIVE=path is the output of the native replay, which must be equal byte for byte.
const { REPLAY_NATIVE } = process.env;

let text;
let inNode;

before(async () => {
  const simulation = await import(join(WORK, "simulation/glue.js"));
  simulation.initSync({ module: readFileSync(join(WORK, "simulation/glue_bg.wasm")) });
  text = busyMinute(simulation);
  inNode = await shown(openRecording, text, xxhash3);
});

test("a busy minute gives the same output in Node as natively", () => {
  assert.match(inNode, /^60000 ms: [0-9a-f]{16}, 10000 inputs, \d{3} rows$/m);
  if (REPLAY_NATIVE) equalRecords(inNode, readFileSync(REPLAY_NATIVE, "utf8"));
});

test("a busy minute gives the same output in Chromium as in Node", async (t) => {
  const origin = await serve(t);
  const browser = await startBrowser(t);
  const page = await openPage(await browser.newContext(), `${origin}/tests/browser/page.html`);
  equalRecords(await page.evaluate(async () => (await import("/tests/browser/jobs.mjs")).replayBusyMinute()), inNode);
});

test("a recording states its bounds, start and length", () => {
  using recording = openRecording(text);
  const { header, startMs, durationMs, inputs, missing, problem } = recording;
  assert.deepEqual([header.format, header.ttlMs, header.maxEntries, header.own.mode], [1, 20_000, 600, "gateway"]);
  const stated = { startMs, durationMs, inputs, missing, problem };
  assert.deepEqual(stated, {
    startMs: 1_800_000_000_000, durationMs: 60_000, inputs: 10_000, missing: 0, problem: undefined,
  });
  const end = recording.at(Number.POSITIVE_INFINITY);
  assert.deepEqual([end.atMs, end.wallMs, end.maxEntries, end.problem], [60_000, 1_800_000_060_000, 600, undefined]);
  assert.deepEqual(recording.at(-5), recording.at(0));
});

test("a recording has findings from memory, explanations of rows, and events", () => {
  using recording = openRecording(text);
  const { rows, keys, findings } = recording.at(40_000);
  assert.equal(new Set(keys).size, rows.length);
  assert.ok(findings.some(({ code }) => code === "EVICTIONS"), "only the gateway's memory has them");
  const found = findings.find(({ entries }) => entries.length > 0);
  assert.equal(found.fix, found.fixHint);
  assert.deepEqual(found.entries, found.indexes.map((index) => rows[index]));
  assert.deepEqual(found.indexes.map((index) => keys[index]), found.rows.filter((key) => keys.includes(key)));

  const changes = recording.changes(30_000, 40_000);
  assert.ok(changes.length > 100 && changes.every(({ atMs }) => atMs > 30_000 && atMs <= 40_000));
  const { key, text: why } = changes.findLast(({ what, key }) => what === "joined" && keys.includes(key));
  const explained = recording.explain(key, 40_000);
  assert.equal(explained.key, key);
  assert.ok(explained.events.some(({ text }) => text === why), why);
  assert.equal(recording.explain(key, 0), undefined, "the row did not exist yet");
});

test("a truncated or altered recording is replayed up to the error, with the line number", () => {
  const cut = openRecording(text.slice(0, text.length / 2));
  const lines = text.slice(0, text.length / 2).split("\n").length;
  assert.equal(cut.problem, `line ${lines}: it is cut off`);
  assert.equal(cut.at(1_000).problem, undefined);
  const last = cut.at(60_000);
  assert.deepEqual([last.problem, last.atMs], [cut.problem, cut.durationMs]);
  assert.ok(last.rows.length > 100);

  const changed = openRecording(text.replace(/"digest":"[0-9a-f]{16}"/, '"digest":"0000000000000000"'));
  assert.match(changed.problem, /^line \d+: the digest differs/);
  assert.equal(changed.at(60_000, { ttlMs: 30_000 }).problem, undefined, "with other bounds, digests are not compared");
  cut.free();
  changed.free();
});

test("a file is loaded in pieces that yield to other tasks, with the same result", async () => {
  const shares = [];
  let turns = 0;
  let isLoading = true;
  const count = () => {
    turns += 1;
    if (isLoading) setImmediate(count);
  };
  setImmediate(count);
  using loaded = await loadRecording(new Blob([text]), { onProgress: (share) => shares.push(share) });
  isLoading = false;
  assert.ok(shares.length > 2 && turns > 2, `${shares.length} shares, ${turns} turns`);
  assert.deepEqual([shares[0], shares.at(-1)], [0, 1]);
  assert.ok(shares.every((share, at) => at === 0 || share > shares[at - 1]), String(shares));

  using opened = openRecording(text);
  assert.deepEqual([loaded.problem, loaded.inputs, loaded.durationMs], [undefined, opened.inputs, opened.durationMs]);
  for (const ms of [0, 31_234, 60_000]) assert.deepEqual(loaded.at(ms), opened.at(ms));
  assert.equal(loaded.at(31_234).findingsLeftOut, 0);
});

test("loading a file that is truncated, not a recording, or aborted", async () => {
  const half = text.slice(0, text.length / 2);
  using cut = await loadRecording(new Blob([half]));
  using opened = openRecording(half);
  assert.match(cut.problem, /^line \d+: it is cut off$/);
  assert.deepEqual([cut.problem, cut.at(60_000)], [opened.problem, opened.at(60_000)]);

  for (const [given, message] of [["", /^line 1: the header is missing/], ["[]\n", /^line 1: not the header/]]) {
    const error = await assert.failsWith("INVALID_ARGUMENT", () => loadRecording(new Blob([given])));
    assert.match(error.message, message);
  }
  for (const when of [0, 0.5]) {
    const given = new AbortController();
    const onProgress = (share) => share >= when && given.abort(new Error("another file"));
    const end = await loadRecording(new Blob([text]), { signal: given.signal, onProgress }).catch((error) => error);
    assert.equal(end.message, "another file");
  }
});

test("a text that is not a recording is refused with the line", async () => {
  const wrong = [
    ["", /^line 1: the header is missing/],
    ['[{"host":"studio"}]\n', /^line 1: not the header of a recording/],
    [text.replace('"format":1', '"format":2'), /^line 1: the recording has format 2/],
    [text.replace('"ttlMs":20000', '"ttlMs":0'), /^line 1: /],
  ];
  for (const [given, message] of wrong) {
    const error = await assert.failsWith("INVALID_ARGUMENT", () => openRecording(given));
    assert.match(error.message, message);
  }
  const recording = openRecording(text);
  const bad = await assert.failsWith("INVALID_ARGUMENT", () => recording.at(0, { ttlMs: 0 }));
  assert.match(bad.message, /options\.ttlMs must be at least/);
  const unknown = await assert.failsWith("INVALID_ARGUMENT", () => recording.at(0, { ttl: 5 }));
  assert.equal(unknown.message, "invalid options.ttl: there is no such option");
  for (const read of [() => recording.at(Number.NaN), () => recording.changes(Number.NaN, 60_000), () => recording.changes(0)]) {
    const error = await assert.failsWith("INVALID_ARGUMENT", read);
    assert.equal(error.message, "ms must be a number");
  }
  recording.free();
  recording.free();
  await assert.failsWith("FREED", () => recording.at(0));
});
