// `openclaw node run` of both releases connects as a node, is listed as one, and stays connected.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { nodeStays, scene } from "./lib/checks.mjs";

/** Longer than two ticks: a client that misses two ticks disconnects. */
const STAY_MS = 65_000;

describe("node run", { concurrency: true }, () => {
  test("2026.9.6", async (t) => {
    const { connection } = await nodeStays(await scene(t, "2026_9"), STAY_MS);
    const calls = connection.fromClient.map((text) => JSON.parse(text).method);
    assert.ok(calls.includes("node.event"), `it sends node events: ${calls}`);
    const refused = connection.fromServer.map((text) => JSON.parse(text)).filter((frame) => frame.ok === false);
    assert.deepEqual(refused, [], "no request is refused");
  });

  test("2026.2.12", async (t) => {
    await nodeStays(await scene(t, "2026_2"), STAY_MS);
  });
});
