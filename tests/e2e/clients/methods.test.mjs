// The gateway answers every method that it advertises, and refuses all others.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connectClient, rowOf } from "./lib/client.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { problems } from "./lib/schema.mjs";

const ADMIN = { instanceId: "admin", scopes: ["operator.admin", "operator.read", "operator.write", "operator.pairing"] };
const NODE = { clientName: "node-host", mode: "node", role: "node", scopes: [], instanceId: "node" };

/** Valid params of the methods that need some. */
const PARAMS = {
  "system-event": { text: "hello", instanceId: "admin" },
  "set-heartbeats": { enabled: true },
  "node.event": { event: "node.host.stats", payload: {} },
  "node.describe": { nodeId: "node" },
};

test("every advertised method is answered, to an operator or to a node", async (t) => {
  const gateway = await startGateway(t);
  const admin = await connectClient(gateway, ADMIN);
  const node = await connectClient(gateway, NODE);
  const { methods } = (await admin.hello()).features;
  for (const must of ["system-presence", "system-event", "health", "status", "last-heartbeat"]) {
    assert.ok(methods.includes(must), `${must} is advertised`);
  }
  for (const method of methods.filter((name) => name !== "connect")) {
    const params = PARAMS[method] ?? {};
    // The node is called only when operators are refused: too many refused calls would close its connection.
    await admin.request(method, params).catch((error) => {
      assert.equal(error.message, "unauthorized role: operator", method);
      return node.request(method, params);
    });
  }
});

test("unknown methods and invalid params are refused and change nothing", async (t) => {
  const gateway = await startGateway(t);
  const admin = await connectClient(gateway, ADMIN);
  const before = await admin.roster();
  await assert.rejects(admin.request("chat.send", {}), /unknown method: chat\.send/u);
  await assert.rejects(admin.request("system-event", { text: "  " }), /text required/u);
  await assert.rejects(admin.request("system-event", { text: "t", lastInputSeconds: "5" }), /\/lastInputSeconds/u);
  await assert.rejects(admin.request("connect", {}), /connect is only valid as the first request/u);
  await assert.rejects(admin.request("wake", { mode: "now", text: "up" }), (error) => error.gatewayCode === "UNAVAILABLE");
  assert.deepEqual((await admin.roster()).length, before.length);
  assert.ok(!(await admin.hello()).features.methods.includes("wake"), "an unavailable method is not advertised");
});

test("the answers have the shapes that clients expect", async (t) => {
  const gateway = await startGateway(t);
  const admin = await connectClient(gateway, ADMIN);
  const health = await admin.request("health", {});
  assert.equal(health.ok, true);
  for (const list of [health.channelOrder, health.agents, health.sessions.recent]) assert.ok(Array.isArray(list));
  for (const number of [health.durationMs, health.heartbeatSeconds, health.sessions.count]) assert.equal(typeof number, "number");
  assert.equal(typeof (await admin.request("status", {})).runtimeVersion, "string");
  assert.ok(Array.isArray((await admin.request("node.list", {})).nodes));
  assert.deepEqual(await admin.request("device.pair.list", {}), { pending: [], paired: [] });
  assert.ok(Array.isArray((await admin.request("agents.list", {})).agents));
  assert.equal((await admin.request("config.get", {})).valid, true);
});

test("the three ways to list nodes show a connected node identically", async (t) => {
  const gateway = await startGateway(t);
  const admin = await connectClient(gateway, ADMIN);
  const node = await connectClient(gateway, { ...NODE, instanceId: "garage", clientDisplayName: "garage" });
  assert.ok(rowOf(await admin.roster(), "garage"), "in the roster");
  const { nodes } = await admin.request("node.list", {});
  assert.deepEqual(nodes.map(({ nodeId, displayName, connected }) => ({ nodeId, displayName, connected })), [
    { nodeId: "garage", displayName: "garage", connected: true },
  ]);
  assert.deepEqual((await admin.request("node.pair.list", {})).paired, nodes);
  const { ts, ...described } = await admin.request("node.describe", { nodeId: "garage" });
  assert.equal(typeof ts, "number");
  assert.deepEqual(described, nodes[0]);
  const answer = await node.request("node.event", { event: "node.presence.alive", payloadJSON: '{"trigger":"connect"}' });
  assert.deepEqual(problems("NodeEventResult", answer), [], "the answer matches the shipped schema");
  assert.equal(answer.reason, "missing_device_identity");
});

test("presence.explain names the source of each member, and findings", async (t) => {
  const gateway = await startGateway(t);
  const admin = await connectClient(gateway, ADMIN);
  const bare = await connectClient(gateway, { clientDisplayName: "bare" });
  await bare.hello();
  const { source, findings, checks } = await admin.request("presence.explain", {});
  assert.equal(source, "gateway");
  assert.deepEqual(findings.map(({ checkId, severity }) => ({ checkId, severity })), [
    { checkId: "presence/no-instance-id", severity: "warning" },
  ]);
  assert.ok(checks.includes("presence/flapping"));
  const { row } = await admin.request("presence.explain", { row: "admin" });
  const version = row.members.find(({ name }) => name === "version");
  assert.equal(version.from, "handshake");
  assert.equal(version.by, "openclaw-macos");
  assert.equal(row.connections.length, 1);
  await assert.rejects(admin.request("presence.explain", { row: "nobody" }), /at \/row: no row has the key "nobody"/u);
});
