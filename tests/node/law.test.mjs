// The law that every other test leans on catches what it is there to catch.

import assert from "node:assert/strict";
import { test } from "node:test";

import { FrameLaw } from "./lib/frame-law.mjs";

const SELF = { host: "gw", mode: "gateway", reason: "self", text: "Gateway: gw", ts: 2_000 };
const ROW = { host: "a", instanceId: "a", reason: "connect", roles: ["operator"], text: "Node: a", ts: 1_000, clientId: "cli" };
const presence = (rows, seq = 1, version = 6) => ({
  type: "event", event: "presence", payload: { presence: rows }, seq, stateVersion: { presence: version, health: 1 },
});

/** What the law says about a good handshake followed by `frames` ("> " marks the client's). */
function violations(...frames) {
  const law = new FrameLaw();
  const connection = law.observe();
  const hello = {
    type: "hello-ok", protocol: 4, server: { version: "1", connId: "c" }, features: { methods: [], events: [] },
    snapshot: { presence: [SELF, ROW], health: {}, stateVersion: { presence: 5, health: 1 }, uptimeMs: 1 },
    auth: { role: "operator", scopes: ["operator.read"] },
    policy: { maxPayload: 1_048_576, maxBufferedBytes: 1_048_576, tickIntervalMs: 30_000 },
  };
  connection.server(JSON.stringify({ type: "event", event: "connect.challenge", payload: { nonce: "n", ts: 1 } }));
  connection.client(JSON.stringify({ type: "req", id: "1", method: "connect", params: {} }));
  connection.server(JSON.stringify({ type: "res", id: "1", ok: true, payload: hello }));
  assert.deepEqual(law.violations, [], "the handshake itself is lawful");
  for (const frame of frames) {
    if (frame.type === "req") connection.client(JSON.stringify(frame));
    else connection.server(JSON.stringify(frame));
  }
  return law.violations;
}

test("lawful frames pass", () => {
  const list = { type: "req", id: "2", method: "system-presence" };
  const answer = { type: "res", id: "2", ok: true, payload: [SELF, ROW] };
  const tick = { type: "event", event: "tick", payload: { ts: 1 }, seq: 2 };
  assert.deepEqual(violations(presence([SELF, ROW]), tick, list, answer), []);
});

const unlawful = {
  "a key the schema does not know": [{ ...presence([SELF]), extra: 1 }],
  "a row with a key the schema does not know": [presence([SELF, { ...ROW, colour: "red" }])],
  "a fraction": [presence([SELF, { ...ROW, lastInputSeconds: 1.5 }])],
  "an empty string that no beacon sent": [presence([SELF, { ...ROW, host: "" }])],
  "a row out of order": [presence([ROW, SELF])],
  "two rows of one instance": [presence([SELF, ROW, { ...ROW, instanceId: " A" }])],
  "a list without the gateway": [presence([ROW])],
  "a gap in seq": [presence([SELF], 1), presence([SELF], 3, 7)],
  "a version twice": [presence([SELF], 1), presence([SELF], 2)],
  "the version of the hello again": [presence([SELF], 1, 5)],
  "an answer nobody asked for": [{ type: "res", id: "9", ok: true, payload: {} }],
  "an error in an ok answer": [{ type: "req", id: "2", method: "x" }, { type: "res", id: "2", ok: true, error: { code: "A", message: "b" } }],
  "an unknown event": [{ type: "event", event: "presence.delta", payload: {}, seq: 1 }],
  "a second tick number": [{ type: "event", event: "tick", payload: { ts: 1.5 }, seq: 1 }],
};
for (const [what, frames] of Object.entries(unlawful)) {
  test(`caught: ${what}`, () => assert.equal(violations(...frames).length > 0, true));
}

test("an empty string is excused once a beacon has sent it, for that member only", () => {
  const beacon = { type: "req", id: "2", method: "system-event", params: { text: "t", host: "" } };
  const answer = { type: "res", id: "2", ok: true, payload: { ok: true } };
  assert.deepEqual(violations(beacon, answer, presence([SELF, { ...ROW, host: "" }])), []);
  assert.equal(violations(beacon, answer, presence([SELF, { ...ROW, ip: "" }])).length, 1);
});
