// Unreferenced clients and rosters are collected and free their memory; clients in use are not collected.

import "./lib/state-folder.mjs";

import { test } from "node:test";

import * as assert from "./lib/assert.mjs";
import { collectAll, collectUntil } from "./lib/gc.mjs";
import { world } from "./lib/world.mjs";
import { initSync } from "../dist/glue.js";
import * as presence from "./lib/presence-node.mjs";

/** Size of the core's memory, in bytes. It never shrinks, but freed memory is reused. */
const coreBytes = () => initSync().memory.buffer.byteLength;

const LIST = JSON.stringify(
  Array.from({ length: 200 }, (_, n) => (
    { host: `host-${n}`, instanceId: `i-${n}`, text: "x".repeat(200), ts: 1_800_000_000_000 }
  )),
);

test("unreferenced rosters free their memory in the core", async () => {
  let finalised = 0;
  const registry = new FinalizationRegistry(() => (finalised += 1));
  // A separate function, so that no variable keeps the roster alive.
  const use = () => {
    const roster = new presence.Roster();
    roster.apply(LIST, 1_800_000_000_000);
    roster.list(1_800_000_000_000);
    registry.register(roster);
  };
  const forget = async (count) => {
    const target = finalised + count;
    for (let n = 0; n < count; n += 1) use();
    assert.ok(await collectUntil(() => finalised >= target), "they are collected");
    // The core's finalisers may run one turn later.
    await collectUntil(() => true);
  };
  await forget(40);
  const before = coreBytes();
  for (let round = 0; round < 5; round += 1) await forget(40);
  assert.ok(coreBytes() <= before * 1.25, `${before} bytes became ${coreBytes()}`);
});

test("`free` frees a roster's memory immediately", () => {
  const use = () => {
    const roster = new presence.Roster();
    roster.apply(LIST, 1_800_000_000_000);
    roster.free();
  };
  for (let n = 0; n < 50; n += 1) use();
  const before = coreBytes();
  for (let n = 0; n < 300; n += 1) use();
  assert.equal(coreBytes(), before);
});

test("a row that stays does not keep earlier lists alive", async () => {
  const now = 1_800_000_000_000;
  const id = (n) => `instance-number-${n}-of-a-thousand`;
  const entries = Array.from({ length: 1_000 }, (_, n) => ({ host: `host-${n}`, instanceId: id(n), ts: now }));
  const roster = new presence.Roster();
  // Each round changes another row; the rest stays the same.
  const round = (number) => {
    entries[number] = { ...entries[number], reason: "periodic" };
    roster.apply(JSON.stringify(entries), now);
    return roster.list(now).length;
  };
  for (let number = 0; number < 20; number += 1) round(number);
  await collectAll();
  const before = process.memoryUsage().heapUsed;
  for (let number = 20; number < 320; number += 1) round(number);
  await collectAll();
  const more = process.memoryUsage().heapUsed - before;
  roster.free();
  // The keys of one list take 35 kB; those of 300 lists would take 10 MB.
  assert.ok(more < 3_000_000, `${more} bytes more`);
});

test("long texts of a gateway are not kept in caches", async () => {
  const { normalizeKey, platformLabel, reasonLabel } = presence;
  await collectAll();
  const before = process.memoryUsage().heapUsed;
  for (let number = 0; number < 100; number += 1) {
    for (const label of [normalizeKey, platformLabel, reasonLabel]) label(`${"x".repeat(300_000)}${number}`);
  }
  await collectAll();
  const more = process.memoryUsage().heapUsed - before;
  // All of these texts take 90 MB.
  assert.ok(more < 9_000_000, `${more} bytes more`);
});

/** Makes and uses a client in a separate function, so that no variable keeps the client alive. */
async function forgetClient(make, use) {
  const client = make();
  await use(client);
  return new WeakRef(client);
}

test("a client that was never started is collected", async () => {
  const forgotten = await forgetClient(() => new presence.PresenceClient(), (one) => one.addEventListener("roster", () => {}));
  assert.ok(await collectUntil(() => !forgotten.deref()));
});

/** A world whose clients only the test references. */
function looseWorld(t) {
  const { clock, gateway } = world(t, presence);
  const make = () => {
    const options = { WebSocket: gateway.WebSocket, clock, deviceKey: false, instanceId: "one", beacons: false };
    return new presence.PresenceClient(options);
  };
  return { clock, gateway, make };
}

test("a stopped client is collected, with or without listeners", async (t) => {
  const { clock, make } = looseWorld(t);
  const forgotten = await forgetClient(make, async (one) => {
    one.addEventListener("roster", () => {});
    one.start();
    await one.connected();
    one.stop();
    await clock.advance(0);
  });
  assert.ok(await collectUntil(() => !forgotten.deref()));
});

test("a refused client is collected, with or without listeners", async (t) => {
  const { clock, gateway } = world(t, presence, { auth: { mode: "token", secret: "right" } });
  for (const hasListener of [true, false]) {
    const make = () => new presence.PresenceClient({ WebSocket: gateway.WebSocket, clock, deviceKey: false, token: "wrong" });
    const forgotten = await forgetClient(make, async (one) => {
      if (hasListener) one.addEventListener("error", () => {});
      await one.start().connected().catch(() => {});
      await clock.advance(0);
    });
    assert.ok(await collectUntil(() => !forgotten.deref()), `hasListener: ${hasListener}`);
  }
});

test("a running client without listeners is collected, and its connection is closed", async (t) => {
  const { clock, gateway, make } = looseWorld(t);
  const forgotten = await forgetClient(make, async (one) => {
    const unsubscribe = one.subscribe(() => {});
    one.start();
    await one.connected();
    await clock.advance(1_000);
    unsubscribe();
  });
  assert.equal(gateway.connections, 1);
  assert.ok(await collectUntil(() => !forgotten.deref()), "the client is collected");
  assert.ok(await collectUntil(() => gateway.connections === 0), "its connection is closed");
});

test("a running client with a listener is not collected", async (t) => {
  const { clock, gateway, make } = looseWorld(t);
  let calls = 0;
  const forgotten = await forgetClient(make, async (one) => {
    one.addEventListener("roster", () => (calls += 1));
    one.start();
    await one.connected();
    await clock.advance(1_000);
  });
  await collectAll();
  const before = calls;
  await clock.advance(120_000);
  assert.ok(calls > before, "its listener is still called");
  assert.equal(gateway.connections, 1);
  forgotten.deref().close();
});

test("a running client that never had a listener stays connected and listed", async (t) => {
  const { clock, gateway, make } = looseWorld(t);
  const forgotten = await forgetClient(make, async (one) => {
    one.start();
    await one.connected();
  });
  await collectAll();
  await clock.advance(60_000);
  assert.equal(gateway.connections, 1);
  forgotten.deref().close();
});

test("clients that are created and closed leave no timers and no memory", async (t) => {
  const { clock, gateway, make } = looseWorld(t);
  const use = async () => {
    const one = make();
    one.subscribe(() => {});
    one.start();
    await one.connected();
    one.close();
    await clock.advance(0);
  };
  for (let n = 0; n < 20; n += 1) await use();
  await clock.advance(400_000);
  const [timers, bytes] = [clock.timers, coreBytes()];
  for (let n = 0; n < 300; n += 1) await use();
  await clock.advance(400_000);
  assert.equal(gateway.connections, 0);
  assert.equal(clock.timers, timers);
  assert.equal(coreBytes(), bytes);
});

test("an unreferenced simulated gateway stops ticking", async () => {
  const clock = new presence.VirtualClock();
  const make = async () => {
    const gateway = new presence.SimulatedGateway({ clock });
    gateway.open();
    await clock.advance(1_000);
    return new WeakRef(gateway);
  };
  const forgotten = await make();
  assert.ok(await collectUntil(() => !forgotten.deref()));
  await clock.advance(60_000);
  assert.equal(clock.timers, 0);
});
