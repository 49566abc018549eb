// Frames under load: numbered without gaps, and the last state always arrives.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connectClient, rowOf } from "./lib/client.mjs";
import { startGateway } from "./lib/gateway.mjs";

test("many beacons: no gap, far fewer frames than beacons, and the newest state reaches everyone", async (t) => {
  const gateway = await startGateway(t);
  const watchers = await Promise.all(
    [1, 2, 3, 4].map((n) => connectClient(gateway, { instanceId: `watcher-${n}` })),
  );
  const sender = await connectClient(gateway, { instanceId: "sender" });
  const BEACONS = 500;
  const started = performance.now();
  const answers = [];
  for (let n = 1; n <= BEACONS; n += 1) {
    answers.push(sender.request("system-event", { text: `beacon ${n}`, instanceId: "sender" }));
  }
  await Promise.all(answers);
  for (const watcher of watchers) {
    await watcher.presence("the last beacon", (rows) => rowOf(rows, "sender")?.text === `beacon ${BEACONS}`);
    assert.deepEqual(watcher.gaps, []);
  }
  const windows = (performance.now() - started) / 50;
  for (const watcher of watchers) {
    const frames = watcher.log.items.filter(({ event }) => event?.event === "presence").length;
    // Five clients connected before; each of those may have cost a frame too.
    assert.ok(frames <= windows + 2 + 5, `${frames} presence frames in ${windows.toFixed(1)} windows`);
  }
});

test("a client that joins in the storm gets a hello that its events continue", async (t) => {
  const gateway = await startGateway(t);
  const sender = await connectClient(gateway, { instanceId: "sender" });
  const storm = (async () => {
    for (let n = 1; n <= 100; n += 1) await sender.request("system-event", { text: `beacon ${n}`, instanceId: "sender" });
  })();
  const joined = [];
  for (let n = 1; n <= 10; n += 1) {
    const client = await connectClient(gateway, { instanceId: `late-${n}` });
    assert.ok(rowOf((await client.hello()).snapshot.presence, `late-${n}`), "its own row is in the hello");
    joined.push(client);
  }
  await storm;
  for (const client of joined) {
    await client.presence("the newest state", (rows) => rowOf(rows, "late-10") && rowOf(rows, "sender")?.text === "beacon 100");
    assert.deepEqual(client.gaps, []);
  }
});
