// The client against the real gateway, in Node.

import "./lib/state-folder.mjs";

import { after, before, describe, test } from "node:test";

import ws from "ws";

import * as assert from "./lib/assert.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { until } from "./lib/until.mjs";
import * as presence from "../dist/node/index.js";
import realGateway from "./suites/real-gateway.mjs";

for (const [name, WebSocket] of [
  ["Node's own WebSocket", globalThis.WebSocket],
  ["the WebSocket of ws", ws],
]) {
  describe(`a real gateway, by ${name}`, () => {
    const ends = [];
    // Set before the first test runs.
    const gateway = {};
    before(async () => {
      const started = await startGateway({ after: (end) => ends.push(end) });
      Object.defineProperties(gateway, {
        url: { get: () => started.url },
        token: { value: started.token },
        start: { value: () => started.start() },
        stop: { value: () => started.stop() },
      });
    });
    after(() => Promise.all(ends.map((end) => end())));
    realGateway({ test, assert, presence, gateway, until, WebSocket });
  });
}

test("without a WebSocket, the error says what to install", async (t) => {
  const { WebSocket } = globalThis;
  t.after(() => (globalThis.WebSocket = WebSocket));
  delete globalThis.WebSocket;
  const client = new presence.PresenceClient();
  const error = await assert.failsWith("NO_WEBSOCKET", () => client.start());
  assert.match(error.message, /"ws"/);
  assert.equal(client.connection.phase, "stopped");
});

test("by default, a script keeps its id between runs", async (t) => {
  const gateway = await startGateway(t);
  const ids = [];
  for (let run = 0; run < 2; run += 1) {
    const client = new presence.PresenceClient({ url: gateway.url, token: gateway.token }).start();
    await client.connected();
    ids.push(client.instanceId);
    const roster = await until(client, "own row", ({ rows }) => rows.some(({ isOwn }) => isOwn));
    assert.equal(roster.rows.length, 2, "still one row after the second run");
    client.close();
  }
  assert.equal(ids[0], ids[1]);
});
