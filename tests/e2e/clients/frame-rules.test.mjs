// The frame rules that every other test depends on detect violations.

import assert from "node:assert/strict";
import { test } from "node:test";

import { FrameRules } from "./lib/frame-rules.mjs";

const SELF = { host: "gw", mode: "gateway", reason: "self", text: "Gateway: gw", ts: 2_000 };
const ROW = { host: "a", instanceId: "a", reason: "connect", roles: ["operator"], text: "Node: a", ts: 1_000, clientId: "cli" };
const presence = (rows, seq = 1, version = 6) => ({
  type: "event", event: "presence", payload: { presence: rows }, seq, stateVersion: { presence: version, health: 1 },
});

/** Returns the violations in a valid handshake followed by `frames`; requests are the client's, the others the gateway's. */
function violations(...frames) {
  const rules = new FrameRules();
  const connection = rules.observe();
  const hello = {
    type: "hello-ok", protocol: 4, server: { version: "1", connId: "c" }, features: { methods: [], events: [] },
    snapshot: { presence: [SELF, ROW], health: {}, stateVersion: { presence: 5, health: 1 }, uptimeMs: 1 },
    auth: { role: "operator", scopes: ["operator.read"] },
    policy: { maxPayload: 1_048_576, maxBufferedBytes: 1_048_576, tickIntervalMs: 30_000 },
  };
  connection.server(JSON.stringify({ type: "event", event: "connect.challenge", payload: { nonce: "n", ts: 1 } }));
  connection.client(JSON.stringify({ type: "req", id: "1", method: "connect", params: {} }));
  connection.server(JSON.stringify({ type: "res", id: "1", ok: true, payload: hello }));
  assert.deepEqual(rules.violations, [], "the handshake itself keeps the rules");
  for (const frame of frames) {
    if (frame.type === "req") connection.client(JSON.stringify(frame));
    else connection.server(JSON.stringify(frame));
  }
  return rules.violations;
}

test("frames that keep the rules pass", () => {
  const list = { type: "req", id: "2", method: "system-presence" };
  const answer = { type: "res", id: "2", ok: true, payload: [SELF, ROW] };
  const tick = { type: "event", event: "tick", payload: { ts: 1 }, seq: 2 };
  assert.deepEqual(violations(presence([SELF, ROW]), tick, list, answer), []);
});

const violating = {
  "a key the schema does not know": [{ ...presence([SELF]), extra: 1 }],
  "a row with a key the schema does not know": [presence([SELF, { ...ROW, colour: "red" }])],
  "a fraction": [presence([SELF, { ...ROW, lastInputSeconds: 1.5 }])],
  "an empty string that no beacon sent": [presence([SELF, { ...ROW, host: "" }])],
  "a row out of order": [presence([ROW, SELF])],
  "two rows of one instance": [presence([SELF, ROW, { ...ROW, instanceId: " A" }])],
  "a list without the gateway": [presence([ROW])],
  "a gap in seq": [presence([SELF], 1), presence([SELF], 3, 7)],
  "a repeated version": [presence([SELF], 1), presence([SELF], 2)],
  "an event with the version of the hello": [presence([SELF], 1, 5)],
  "a response without a request": [{ type: "res", id: "9", ok: true, payload: {} }],
  "an error in an ok response": [
    { type: "req", id: "2", method: "x" },
    { type: "res", id: "2", ok: true, error: { code: "A", message: "b" } },
  ],
  "an unknown event": [{ type: "event", event: "presence.delta", payload: {}, seq: 1 }],
  "a tick with a fractional time": [{ type: "event", event: "tick", payload: { ts: 1.5 }, seq: 1 }],
};
for (const [what, frames] of Object.entries(violating)) {
  test(`violation found: ${what}`, () => assert.equal(violations(...frames).length > 0, true));
}

test("an empty string is allowed after a beacon has sent it, for that member only", () => {
  const beacon = { type: "req", id: "2", method: "system-event", params: { text: "t", host: "" } };
  const answer = { type: "res", id: "2", ok: true, payload: { ok: true } };
  assert.deepEqual(violations(beacon, answer, presence([SELF, { ...ROW, host: "" }])), []);
  assert.equal(violations(beacon, answer, presence([SELF, { ...ROW, ip: "" }])).length, 1);
});
