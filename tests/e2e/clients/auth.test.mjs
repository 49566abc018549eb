// Authentication: accepted secrets, and refusals that the real client understands.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";

import { connectClient, startClient } from "./lib/client.mjs";
import { startGateway } from "./lib/gateway.mjs";

test("a wrong token is refused with AUTH_TOKEN_MISMATCH, and the client stops trying", async (t) => {
  const gateway = await startGateway(t);
  const client = startClient(gateway, { token: "wrong" });
  const { error } = await client.log.find("refusal", (item) => item.error);
  assert.equal(error.details.code, "AUTH_TOKEN_MISMATCH");
  assert.equal(error.details.canRetryWithDeviceToken, false);
  const { paused } = await client.log.find("stop", (item) => item.paused);
  assert.equal(paused.code, 1008);
  assert.equal(paused.detailCode, "AUTH_TOKEN_MISMATCH");
  // This client retries after one second at the earliest, so only waiting shows that it does not retry.
  await sleep(2_000);
  assert.equal(gateway.tap.connections.length, 1);
});

test("a client that is throttled reconnects by itself", async (t) => {
  const gateway = await startGateway(t);
  for (let n = 0; n < 11; n += 1) {
    const guesser = startClient(gateway, { token: `wrong-${n}` });
    await guesser.log.find("refusal", (item) => item.error);
    await guesser.stop();
  }
  const client = startClient(gateway);
  const { error } = await client.log.find("refusal", (item) => item.error);
  assert.equal(error.gatewayCode ?? error.code, "UNAVAILABLE");
  assert.equal(error.retryable, true);
  assert.equal((await client.hello()).type, "hello-ok");
  assert.equal(client.log.items.some((item) => item.paused), false);
});

test("a connect without a secret is refused with a code that stops the client", async (t) => {
  const gateway = await startGateway(t);
  const client = startClient(gateway, { token: undefined });
  const { error } = await client.log.find("refusal", (item) => item.error);
  assert.match(error.details.code, /^(AUTH_TOKEN_MISSING|DEVICE_IDENTITY_REQUIRED)$/u);
  await client.log.find("stop", (item) => item.paused);
});

test("the secret is accepted in either field, token or password", async (t) => {
  const gateway = await startGateway(t);
  const client = await connectClient(gateway, { token: undefined, password: gateway.token });
  assert.equal((await client.hello()).type, "hello-ok");
});

test("a refused client leaves no row", async (t) => {
  const gateway = await startGateway(t);
  const client = startClient(gateway, { token: "wrong", instanceId: "intruder" });
  await client.log.find("stop", (item) => item.paused);
  const reader = await connectClient(gateway, { instanceId: "reader" });
  const rows = await reader.roster();
  assert.deepEqual(rows.map((entry) => entry.instanceId).filter((id) => id === "intruder"), []);
});

test("an origin that is not the gateway's own is refused", async (t) => {
  const gateway = await startGateway(t);
  const page = startClient(gateway, { origin: "https://evil.example" });
  const { error } = await page.log.find("refusal", (item) => item.error);
  assert.equal(error.details.code, "CONTROL_UI_ORIGIN_NOT_ALLOWED");

  const listed = await startGateway(t, { args: ["--allowed-origin", "https://chat.example"] });
  await connectClient(listed, { origin: "https://chat.example" });
});
