// `openclaw node run` of both releases: it connects as a node, is on the roster as one, and stays.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { nodeStays, scene } from "./lib/checks.mjs";

/** Longer than two ticks: a client that misses them gives up after that. */
const STAY_MS = 65_000;

describe("node run", { concurrency: true }, () => {
  test("2026.9.6", async (t) => {
    const { connection } = await nodeStays(await scene(t, "2026_9"), STAY_MS);
    const calls = connection.fromClient.map((text) => JSON.parse(text).method);
    assert.ok(calls.includes("node.event"), `it reports as nodes do: ${calls}`);
    const refused = connection.fromServer.map((text) => JSON.parse(text)).filter((frame) => frame.ok === false);
    assert.deepEqual(refused, [], "and is refused nothing");
  });

  test("2026.2.12", async (t) => {
    await nodeStays(await scene(t, "2026_2"), STAY_MS);
  });
});
