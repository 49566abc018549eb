// Device identities: the real client signs, the gateway verifies.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connectClient, rowOf, startClient } from "./lib/client.mjs";
import { createDevice, deviceHost, proveV2, signText } from "./lib/device.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { openRaw } from "./lib/raw-client.mjs";

test("the real client's proof is accepted and its device is in the row", async (t) => {
  const gateway = await startGateway(t);
  const device = createDevice();
  const about = { instanceId: "mac-1", platform: "macOS 26", deviceFamily: "Mac" };
  const client = await connectClient(gateway, { ...deviceHost(device), ...about });
  const row = rowOf(await client.roster(), "mac-1");
  assert.equal(row.deviceId, device.deviceId);
  assert.equal((await client.hello()).auth.deviceToken, undefined, "the gateway issues no device tokens");
});

test("a device without an instanceId has one row, however often it connects", async (t) => {
  const gateway = await startGateway(t);
  const device = createDevice();
  for (let visit = 0; visit < 2; visit += 1) {
    const client = await connectClient(gateway, deviceHost(device));
    const rows = await client.roster();
    assert.equal(rows.filter((entry) => entry.deviceId === device.deviceId).length, 1);
    await client.stop();
  }
});

test("a page with a new instanceId at every load leaves no old rows", async (t) => {
  const gateway = await startGateway(t);
  const watcher = await connectClient(gateway, { instanceId: "watcher" });
  const device = createDevice();
  for (const instanceId of ["load-1", "load-2", "load-3"]) {
    const page = await connectClient(gateway, { ...deviceHost(device), instanceId });
    assert.deepEqual((await page.roster()).filter((entry) => entry.deviceId).map((entry) => entry.instanceId), [instanceId]);
    await page.stop();
    await watcher.presence(`${instanceId} leaving`, (rows) => rowOf(rows, instanceId)?.reason === "disconnect");
  }
});

test("a beacon of the device without an instanceId joins its row", async (t) => {
  const gateway = await startGateway(t);
  const device = createDevice();
  const client = await connectClient(gateway, { ...deviceHost(device), instanceId: "mac-1" });
  await client.request("system-event", { text: "by device", deviceId: device.deviceId.toUpperCase() });
  const { payload } = await client.presence("the beacon", (rows) => rows.some((entry) => entry.text === "by device"));
  assert.equal(payload.presence.length, 2, "the gateway and one row");
});

const wrong = {
  "a signature over another text": [(device, params, challenge) => {
    return { ...proveV2(device, params, challenge), signature: signText(device, "something else") };
  }, "DEVICE_AUTH_SIGNATURE_INVALID"],
  "another challenge's nonce": [(device, params, challenge) => {
    return proveV2(device, params, { ...challenge, nonce: "8f0c3c0e-0000-4000-8000-000000000000" });
  }, "DEVICE_AUTH_NONCE_MISMATCH"],
  "an id that does not belong to the key": [(device, params, challenge) => {
    return { ...proveV2(device, params, challenge), id: createDevice().deviceId };
  }, "DEVICE_AUTH_DEVICE_ID_MISMATCH"],
  "an expired signature": [(device, params, challenge) => {
    return proveV2(device, params, { ...challenge, ts: challenge.ts - 11 * 60_000 });
  }, "DEVICE_AUTH_SIGNATURE_EXPIRED"],
};

for (const [what, [prove, code]] of Object.entries(wrong)) {
  test(`${what} is refused, not ignored`, async (t) => {
    const gateway = await startGateway(t);
    const raw = await openRaw(gateway);
    const params = {
      minProtocol: 4, maxProtocol: 4, role: "operator", scopes: ["operator.read"], caps: [], auth: { token: gateway.token },
      client: { id: "webchat-ui", version: "1", platform: "web", mode: "webchat" },
    };
    const answer = await raw.request("connect", { ...params, device: prove(createDevice(), params, raw.challenge) });
    assert.equal(answer.ok, false);
    assert.equal(answer.error.details?.code, code);
    assert.equal((await raw.closed()).code, 1008);
  });
}

test("a v2 proof is accepted like a v3 proof", async (t) => {
  const gateway = await startGateway(t);
  const raw = await openRaw(gateway);
  const device = createDevice();
  const params = {
    minProtocol: 3, maxProtocol: 3, role: "operator", scopes: ["operator.read"], caps: [], auth: { token: gateway.token },
    client: { id: "webchat-ui", version: "1", platform: "web", mode: "webchat" },
  };
  const answer = await raw.request("connect", { ...params, device: proveV2(device, params, raw.challenge) });
  assert.equal(answer.ok, true, JSON.stringify(answer.error));
  assert.equal(answer.payload.snapshot.presence.filter((entry) => entry.deviceId === device.deviceId).length, 1);
});

test("the client stops after a refused proof", async (t) => {
  const gateway = await startGateway(t);
  const host = deviceHost(createDevice());
  host.hostDeps.signDevicePayload = () => signText(createDevice(), "not this");
  const client = startClient(gateway, host);
  const { error } = await client.log.find("refusal", (item) => item.error);
  assert.equal(error.details.code, "DEVICE_AUTH_SIGNATURE_INVALID");
});
