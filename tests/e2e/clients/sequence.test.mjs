// Frames under load are numbered without gaps, and the newest state always arrives.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connectClient, rowOf } from "./lib/client.mjs";
import { startGateway } from "./lib/gateway.mjs";

test("many beacons cause no gap and few frames, and every client gets the newest state", async (t) => {
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
    // Five clients connected before; each connect may have caused a frame too.
    assert.ok(frames <= windows + 2 + 5, `${frames} presence frames in ${windows.toFixed(1)} windows`);
  }
});

test("a client that connects under load gets a hello, and events that continue from it", async (t) => {
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
