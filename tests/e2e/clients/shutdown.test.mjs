// A gateway announces its shutdown before it closes connections.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connectClient } from "./lib/client.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { openRaw } from "./lib/raw-client.mjs";

for (const signal of ["SIGTERM", "SIGINT"]) {
  test(`${signal}: a shutdown event, then close code 1012 for every connection, then the process exits`, async (t) => {
    const gateway = await startGateway(t);
    const reader = await connectClient(gateway, { instanceId: "reader" });
    const host = { clientName: "node-host", mode: "node", role: "node", scopes: [], instanceId: "node" };
    const node = await connectClient(gateway, host);
    const stranger = await openRaw(gateway);
    const ended = gateway.stop(signal);
    for (const client of [reader, node]) {
      const { event } = await client.log.find("shutdown", (item) => item.event?.event === "shutdown");
      assert.ok(event.payload.reason.length > 0, "with a reason");
      const { close } = await client.log.find("close", (item) => item.close);
      assert.deepEqual(close, { code: 1012, reason: "service restart" });
    }
    assert.equal((await stranger.closed()).code, 1012, "also for a connection before its handshake");
    assert.deepEqual(await ended, { code: 0, signal: null });
  });
}
