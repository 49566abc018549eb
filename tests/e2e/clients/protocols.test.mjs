// Both generations of clients at one gateway, at the same time.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connectClient, rowOf, startClient } from "./lib/client.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { openRaw } from "./lib/raw-client.mjs";

/** The connect request of a client of February 2026: protocol 3, without newer members. */
const february = (gateway, instanceId) => ({
  minProtocol: 3,
  maxProtocol: 3,
  client: { id: "openclaw-control-ui", version: "dev", platform: "linux", mode: "webchat", instanceId },
  role: "operator",
  scopes: ["operator.admin"],
  caps: [],
  auth: { token: gateway.token },
});

test("a v3-only and a v4-only client see each other", async (t) => {
  const gateway = await startGateway(t);
  const old = await openRaw(gateway);
  const hello = await old.request("connect", february(gateway, "from-february"));
  assert.equal(hello.payload?.protocol, 3, JSON.stringify(hello));
  const current = await connectClient(gateway, { instanceId: "from-september", minProtocol: 4, maxProtocol: 4 });
  assert.equal((await current.hello()).protocol, 4);

  assert.ok(rowOf((await current.hello()).snapshot.presence, "from-february"), "v4 sees v3");
  const seen = await old.frames.find("v3 sees v4 come", ({ event, payload }) => {
    return event === "presence" && rowOf(payload.presence, "from-september");
  });
  const members = Object.keys(seen).sort();
  assert.deepEqual(members, ["event", "payload", "seq", "stateVersion", "type"], "no member that a v3 client refuses");

  await old.request("system-event", { text: "hello from v3", instanceId: "from-february" });
  await current.presence("the v3 client's beacon", (rows) => rowOf(rows, "from-february")?.text === "hello from v3");
});

for (const [range, expected] of [[[3, 4], 4], [[3, 3], 3], [[1, 3], 3], [[4, 9], 4]]) {
  test(`a client that speaks ${range.join(" to ")} is served ${expected}`, async (t) => {
    const gateway = await startGateway(t);
    const [minProtocol, maxProtocol] = range;
    const client = await connectClient(gateway, { instanceId: "any", minProtocol, maxProtocol });
    assert.equal((await client.hello()).protocol, expected);
    assert.ok(rowOf(await client.roster(), "any"));
  });
}

test("a client with another protocol version is refused with the expected version, and stops", async (t) => {
  const gateway = await startGateway(t);
  const client = startClient(gateway, { minProtocol: 5, maxProtocol: 6 });
  const { error } = await client.log.find("refusal", (item) => item.error);
  assert.equal(error.details.code, "PROTOCOL_MISMATCH");
  assert.equal(error.details.expectedProtocol, 4);
  const { paused } = await client.log.find("stop", (item) => item.paused);
  assert.deepEqual(paused, { code: 1002, reason: "protocol mismatch", detailCode: "PROTOCOL_MISMATCH" });
});

test("each generation gets its own error for a missing scope", async (t) => {
  const gateway = await startGateway(t);
  const params = { ...february(gateway, "poor"), scopes: [] };
  const old = await openRaw(gateway);
  const { payload } = await old.request("connect", params);
  assert.deepEqual(payload.snapshot.presence, [], "a client without read access gets no roster");
  const three = await old.request("system-presence");
  assert.equal(three.error.code, "INVALID_REQUEST");
  assert.equal(three.error.message, "missing scope: operator.read");

  const current = await openRaw(gateway);
  await current.request("connect", { ...params, minProtocol: 4, maxProtocol: 4 });
  const four = await current.request("system-presence");
  assert.equal(four.error.code, "FORBIDDEN");
  assert.equal(four.error.details.missingScope, "operator.read");
});

test("a node gets ticks but no roster, and may not call operators' methods", async (t) => {
  const gateway = await startGateway(t);
  const watcher = await connectClient(gateway, { instanceId: "watcher" });
  const node = await connectClient(gateway, {
    clientName: "node-host", mode: "node", role: "node", scopes: [], instanceId: "node-1", clientDisplayName: "garage",
  });
  const { payload } = await watcher.presence("the node", (rows) => rowOf(rows, "node-1"));
  const row = rowOf(payload.presence, "node-1");
  assert.equal(row.reason, "node-connected");
  assert.deepEqual(row.roles, ["node"]);
  assert.deepEqual((await node.hello()).snapshot.presence, []);
  for (const method of ["system-presence", "system-event"]) {
    await assert.rejects(node.request(method, { text: "x" }), /unauthorized role: node/u);
  }
  assert.deepEqual(node.log.items.filter((item) => item.event?.event === "presence"), []);
});
