// A third-party client of the protocol: `openclaw-node`.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { OpenClawClient } from "openclaw-node";

import { connectClient } from "./lib/client.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { Log } from "./lib/wait.mjs";

test("openclaw-node connects with its device, reads the roster, sends beacons and receives those of others", async (t) => {
  const gateway = await startGateway(t);
  const folder = await mkdtemp(join(tmpdir(), "presence-e2e-"));
  t.after(() => rm(folder, { recursive: true }));
  const events = new Log();
  const client = new OpenClawClient({
    url: gateway.url, token: gateway.token, autoReconnect: false, deviceIdentityPath: join(folder, "device.json"),
  });
  client.on("error", (error) => events.push({ error: String(error) }));
  client.on("event", (event) => events.push(event));
  const hello = await client.connect();
  gateway.defer(() => client.disconnect());
  assert.equal(hello.protocol, 4);
  assert.ok(client.hasMethod("system-presence"));

  const { payload } = await client.request("system-presence");
  const [own] = payload.filter((entry) => entry.clientId === "gateway-client");
  assert.match(own.deviceId, /^[0-9a-f]{64}$/u);
  const beacon = await client.request("system-event", { text: "third party", deviceId: own.deviceId });
  assert.deepEqual(beacon.payload, { ok: true });

  await connectClient(gateway, { instanceId: "official" });
  const event = await events.find("the other client", (item) => {
    return item.event === "presence" && item.payload.presence.some((entry) => entry.instanceId === "official");
  });
  assert.equal(event.payload.presence.filter((entry) => entry.deviceId === own.deviceId).length, 1);
  assert.deepEqual(events.items.filter((item) => item.error), []);
});
