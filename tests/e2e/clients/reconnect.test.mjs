// An instance returns after leaving, after a lost connection, and after a restart of the gateway.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connectClient, rowOf } from "./lib/client.mjs";
import { startGateway } from "./lib/gateway.mjs";

test("a client that reconnects with its instanceId keeps one row", async (t) => {
  const gateway = await startGateway(t);
  const watcher = await connectClient(gateway, { instanceId: "watcher" });
  for (let visit = 1; visit <= 3; visit += 1) {
    const client = await connectClient(gateway, { instanceId: visit === 2 ? " Phone " : "phone", clientVersion: `1.${visit}` });
    await client.stop();
    const gone = (rows) => rows.some((entry) => entry.version === `1.${visit}` && entry.reason === "disconnect");
    const { payload } = await watcher.presence(`visit ${visit} ending`, gone);
    assert.equal(payload.presence.length, 3, "the gateway, the watcher and one phone");
  }
});

test("a client without an instanceId makes a new row at each connect, as documented", async (t) => {
  const gateway = await startGateway(t);
  const watcher = await connectClient(gateway, { instanceId: "watcher" });
  for (let visit = 1; visit <= 2; visit += 1) {
    const client = await connectClient(gateway, { clientDisplayName: "anonymous" });
    await client.stop();
  }
  const two = (rows) => rows.filter((entry) => entry.host === "anonymous" && entry.reason === "disconnect").length === 2;
  await watcher.presence("two rows of one client", two);
});

test("a client that lost its connection reconnects by itself and keeps its row", async (t) => {
  const gateway = await startGateway(t);
  const client = await connectClient(gateway, { instanceId: "laptop" });
  gateway.tap.cutAll();
  const again = await client.hello(2);
  const rows = again.snapshot.presence.filter((entry) => entry.instanceId === "laptop");
  assert.deepEqual(rows.map((entry) => entry.reason), ["connect"]);
});

test("an old connection that closes late does not mark a connected client as Left", async (t) => {
  const gateway = await startGateway(t);
  const watcher = await connectClient(gateway, { instanceId: "watcher" });
  const old = await connectClient(gateway, { instanceId: "twice", clientVersion: "1.0" });
  const fresh = await connectClient(gateway, { instanceId: "twice", clientVersion: "1.1" });
  await old.stop();
  // When the gateway has answered the next beacon, it has handled the close too.
  await fresh.request("system-event", { text: "still here", instanceId: "twice" });
  const { payload } = await watcher.presence("the beacon", (rows) => rowOf(rows, "twice")?.text === "still here");
  assert.notEqual(rowOf(payload.presence, "twice").reason, "disconnect");
  await fresh.stop();
  await watcher.presence("the last close", (rows) => rowOf(rows, "twice")?.reason === "disconnect");
});

test("clients reconnect by themselves when the gateway restarts", async (t) => {
  const gateway = await startGateway(t);
  const client = await connectClient(gateway, { instanceId: "steady" });
  const before = (await client.hello()).server;
  await gateway.stop();
  await client.log.find("the close", (item) => item.close?.code === 1012);
  await gateway.start();
  const hello = await client.hello(2);
  assert.ok(rowOf(hello.snapshot.presence, "steady"), "in the new gateway's roster");
  assert.notEqual(hello.server.connId, before.connId);
});
