// The gateway accepts recorded frames of real clients.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { createDevice, proveV2 } from "./lib/device.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { openRaw } from "./lib/raw-client.mjs";

const FOLDER = new URL("./recorded/", import.meta.url);
/** The shared secret of the recordings. */
const RECORDED_SECRET = "example-token";

for (const name of readdirSync(FOLDER).filter((file) => file.endsWith(".jsonl"))) {
  const lines = readFileSync(new URL(name, FOLDER), "utf8").trim().split("\n").map((line) => JSON.parse(line));
  const connections = Map.groupBy(lines, ({ conn }) => conn);
  for (const [conn, recorded] of connections) {
    test(`${name}, connection ${conn}`, async (t) => {
      const gateway = await startGateway(t, { token: RECORDED_SECRET });
      const raw = await openRaw(gateway);
      const [connect, ...rest] = recorded.map(({ frame }) => frame);
      assert.equal(connect.method, "connect");
      const { device, ...params } = connect.params;
      if (device) params.device = proveV2(createDevice(), params, raw.challenge);

      const hello = await raw.exchange({ ...connect, params });
      if (params.auth.token !== RECORDED_SECRET) return refusesForeignDeviceToken(raw, hello);
      assert.equal(hello.ok, true, JSON.stringify(hello));
      assert.equal(hello.payload.protocol, params.maxProtocol);
      for (const frame of rest) check(frame, await raw.exchange(frame));
      return undefined;
    });
  }
}

test("every recording is replayed", () => {
  assert.equal(readdirSync(FOLDER).filter((file) => file.endsWith(".jsonl")).length, 4);
});

async function refusesForeignDeviceToken(raw, answer) {
  assert.equal(answer.ok, false);
  assert.equal(answer.error.code, "INVALID_REQUEST");
  assert.equal(answer.error.details.code, "AUTH_TOKEN_MISMATCH");
  assert.equal(answer.error.details.canRetryWithDeviceToken, false);
  assert.match(answer.error.message, /device token/iu, "the message says what the token probably is");
  assert.equal((await raw.closed()).code, 1008);
}

function check(frame, answer) {
  switch (frame.method) {
    case "system-presence":
      assert.equal(answer.ok, true, JSON.stringify(answer));
      assert.ok(answer.payload.some((entry) => entry.mode === "gateway" && entry.reason === "self"));
      break;
    case "system-event":
      assert.deepEqual(answer.payload, { ok: true }, JSON.stringify(answer));
      break;
    case "wake":
      // The gateway has no agent to wake, and says so.
      assert.equal(answer.error?.code, "UNAVAILABLE", JSON.stringify(answer));
      break;
    default:
      assert.fail(`no expectation for ${frame.method}`);
  }
}
