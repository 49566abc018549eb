// The product's main job: unmodified clients are in the roster and see each other.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connectClient, rowOf } from "./lib/client.mjs";
import { startGateway } from "./lib/gateway.mjs";

test("two clients see each other connect and disconnect", async (t) => {
  const gateway = await startGateway(t);
  const mac = await connectClient(gateway, { instanceId: "mac-1", clientDisplayName: "Studio" });
  const inHello = rowOf((await mac.hello()).snapshot.presence, "mac-1");
  assert.equal(inHello?.host, "Studio", "the hello already contains the client itself");

  const page = await connectClient(gateway, { instanceId: "page-1", clientName: "webchat-ui", mode: "webchat" });
  const known = (await page.hello()).snapshot.presence.map((entry) => entry.instanceId);
  assert.ok(known.includes("mac-1") && known.includes("page-1"), `the second client sees both: ${known}`);
  const event = await mac.presence("page-1 joining", (rows) => rowOf(rows, "page-1"));
  assert.equal(rowOf(event.payload.presence, "page-1").mode, "webchat");

  const lists = await Promise.all([mac.roster(), page.roster()]);
  for (const rows of lists) {
    assert.deepEqual(rows.map((entry) => entry.instanceId).slice(1).sort(), ["mac-1", "page-1"], "after the gateway itself");
  }

  await page.stop();
  const left = await mac.presence("page-1 leaving", (rows) => rowOf(rows, "page-1")?.reason === "disconnect");
  assert.equal(left.payload.presence.length, 3, "a closed connection leaves its row until the TTL");
});

test("a beacon reaches the other client and changes one row", async (t) => {
  const gateway = await startGateway(t);
  const watcher = await connectClient(gateway, { instanceId: "watcher" });
  const mac = await connectClient(gateway, { instanceId: "mac-1", clientVersion: "2026.9.1", platform: "macos 26.1" });
  const answer = await mac.request("system-event", {
    text: "Node: studio (192.0.2.7) · app 2026.9.2 · last input 12s ago · mode local · reason periodic",
    instanceId: "MAC-1",
    deviceFamily: "Mac",
    modelIdentifier: "Mac16,6",
  });
  assert.deepEqual(answer, { ok: true });

  const { payload } = await watcher.presence("the beacon", (rows) => rows.some((entry) => entry.reason === "periodic"));
  assert.equal(payload.presence.length, 3, "ids that differ by case only are one instance");
  const row = payload.presence.find((entry) => entry.reason === "periodic");
  const { ts, onlineSince, lastActivityAt, ...fields } = row;
  assert.ok(Math.abs(Date.now() - ts) < 60_000, "ts is the gateway's clock, in milliseconds");
  assert.ok(ts - 60_000 < onlineSince && onlineSince <= ts, "the stay began with the connect");
  assert.equal(lastActivityAt, ts - 12_000, "the time of the last input");
  assert.deepEqual(fields, {
    host: "studio",
    ip: "192.0.2.7",
    version: "2026.9.2",
    platform: "macos 26.1",
    deviceFamily: "Mac",
    modelIdentifier: "Mac16,6",
    mode: "local",
    lastInputSeconds: 12,
    reason: "periodic",
    text: "Node: studio (192.0.2.7) · app 2026.9.2 · last input 12s ago · mode local · reason periodic",
    roles: ["operator"],
    scopes: ["operator.read"],
    instanceId: "MAC-1",
    clientId: "openclaw-macos",
  });
});

test("a beacon about another client's row needs a scope that allows writing", async (t) => {
  const gateway = await startGateway(t);
  const reader = await connectClient(gateway, { instanceId: "reader" });
  const params = { text: "other host", instanceId: "someone-else" };
  await assert.rejects(reader.request("system-event", params), (error) => {
    assert.equal(error.gatewayCode, "FORBIDDEN");
    assert.equal(error.details.code, "MISSING_SCOPE");
    return true;
  });
  const writer = await connectClient(gateway, { instanceId: "writer", scopes: ["operator.write"] });
  assert.deepEqual(await writer.request("system-event", params), { ok: true });
  await reader.presence("the writer's beacon", (rows) => rowOf(rows, "someone-else")?.text === "other host");
});

test("only empty strings that a beacon sent are kept", async (t) => {
  const gateway = await startGateway(t);
  const client = await connectClient(gateway, { instanceId: "es", scopes: ["operator.admin"] });
  await client.request("system-event", { text: "es", instanceId: "es", host: "", roles: ["a", "a", " b ", ""], scopes: [] });
  const { payload } = await client.presence("the beacon", (rows) => rowOf(rows, "es")?.text === "es");
  const row = rowOf(payload.presence, "es");
  assert.equal(row.host, "");
  assert.deepEqual(row.roles, ["operator", "a", "b"], "the live connection's role, then those of the beacon");
});

test("a command-line client that only reads the roster is not in it", async (t) => {
  const gateway = await startGateway(t);
  const cli = await connectClient(gateway, { instanceId: "cli-1", clientName: "cli", mode: "cli" });
  const rows = await cli.roster();
  assert.deepEqual(rows.map((entry) => entry.mode), ["gateway"]);
});
