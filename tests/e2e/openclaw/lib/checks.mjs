// Checks for both generations of the command line.

import assert from "node:assert/strict";

import { connectClient } from "../../clients/lib/client.mjs";
import { startGateway } from "../../clients/lib/gateway.mjs";
import { LIMIT_MS, openclaw } from "./openclaw.mjs";

/** Starts a gateway with one connected client, and prepares a command line that connects to it. */
export async function scene(t, release) {
  const gateway = await startGateway(t, { token: "a-long-enough-test-secret" });
  const cli = openclaw(release, gateway);
  const client = await connectClient(gateway, { instanceId: "mac-1", clientDisplayName: "Studio" });
  return { gateway, cli, client };
}

/** Asserts that the printed roster equals the gateway's in every member. */
export async function isTheRoster(printed, client) {
  const shown = JSON.parse(printed);
  const listed = await client.roster();
  const lasting = ({ ts, ...fields }) => fields;
  // Each list renews the `ts` of the gateway's own row, so it differs between two lists; nothing else may differ.
  assert.deepEqual(shown.map(lasting), listed.map(lasting));
  assert.deepEqual(shown.slice(1), listed.slice(1));
  assert.deepEqual(shown.map((entry) => entry.instanceId).slice(1), ["mac-1"], "the command line itself is not a row");
}

/** Starts a node host and checks that it connects, is listed as a node, and stays connected for `stayMs`. */
export async function nodeStays({ gateway, cli, client }, stayMs) {
  const { port } = new URL(gateway.url);
  const node = cli.start("node", "run", "--host", "127.0.0.1", "--port", port, "--display-name", "garage");
  const isNode = (entry) => entry.host === "garage";
  const { payload } = await client.presence("the node", (rows) => rows.some(isNode), LIMIT_MS);
  const row = payload.presence.find(isNode);
  assert.equal(row.reason, "node-connected");
  assert.equal(row.mode, "node");
  assert.deepEqual(row.roles, ["node"]);

  const ended = await Promise.race([node.ended, new Promise((resolve) => setTimeout(resolve, stayMs))]);
  assert.equal(ended, undefined, `the node ended: ${JSON.stringify(ended)}`);
  const connections = gateway.tap.connections.filter(({ fromClient }) => fromClient[0]?.includes('"node-host"'));
  assert.equal(connections.length, 1, `it never had to reconnect\n${node.output()}`);
  assert.deepEqual([connections[0].clientClose, connections[0].serverClose], [null, null]);
  assert.equal((await client.roster()).find(isNode).reason, "node-connected");

  node.kill("SIGTERM");
  const gone = (entry) => isNode(entry) && entry.reason === "disconnect";
  await client.presence("the node leaving", (rows) => rows.some(gone), LIMIT_MS);
  await node.ended;
  return { output: node.output(), connection: connections[0] };
}
