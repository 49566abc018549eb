// Joins and leaves, as a client reports them to its app.

import { world } from "../lib/world.mjs";

/** Records what a client reports, in short form. */
function record(client, options) {
  const words = [];
  const ends = [
    client.onJoin(({ host }) => words.push(`${host} joins`), options),
    client.onLeave(({ host, status }, reason) => words.push(`${host} leaves: ${reason}, ${status}`), options),
  ];
  return { words, end: () => ends.forEach((end) => end()) };
}

export default function arrivals({ test, assert, presence }) {
  test("a listener that unsubscribes in its call is not called again", async (t) => {
    const { clock, client, peer } = world(t, presence);
    const dashboard = client().start();
    await dashboard.connected();
    await clock.advance(0);
    const joined = [];
    const end = dashboard.onJoin(({ host }) => {
      joined.push(host);
      end();
    });
    for (const displayName of ["Ada", "Ben", "Cleo"]) peer({ instanceId: displayName, displayName });
    await clock.advance(1_000);
    assert.equal(joined.length, 1, joined.join());
  });

  test("joins are reported at once, leaves after the grace period, and rows of the first list never", async (t) => {
    const { clock, client, peer } = world(t, presence);
    peer({ instanceId: "early", displayName: "Early" });
    const dashboard = client();
    const { words, end } = record(dashboard);
    dashboard.start();
    await dashboard.connected();
    await clock.advance(1_000);
    assert.deepEqual(words, []);
    const late = peer({ instanceId: "late", displayName: "Late" });
    await clock.advance(1_000);
    assert.deepEqual(words.splice(0), ["Late joins"]);
    late.socket.close();
    await clock.advance(4_900);
    assert.deepEqual(words, []);
    await clock.advance(1_000);
    assert.deepEqual(words.splice(0), ["Late leaves: disconnect, Left"]);
    peer({ instanceId: "late", displayName: "Late" });
    await clock.advance(1_000);
    assert.deepEqual(words.splice(0), ["Late joins"]);
    end();
    peer({ instanceId: "other", displayName: "Other" });
    await clock.advance(1_000);
    assert.deepEqual(words, []);
  });

  test("a client that returns within the grace period has not left", async (t) => {
    const { clock, client, peer } = world(t, presence);
    const dashboard = client().start();
    await dashboard.connected();
    await clock.advance(0);
    const { words } = record(dashboard, { graceMs: 20_000 });
    const first = peer();
    await clock.advance(1_000);
    first.socket.close();
    await clock.advance(15_000);
    peer();
    await clock.advance(60_000);
    assert.deepEqual(words, ["Peer joins"]);
  });

  test("a row that the gateway no longer lists is reported as left too", async (t) => {
    const { clock, client, peer } = world(t, presence, { ttlMs: 60_000 });
    const dashboard = client().start();
    await dashboard.connected();
    const other = peer();
    other.beacon({ instanceId: "cron", host: "cron" });
    await clock.advance(1_000);
    const { words } = record(dashboard);
    await clock.advance(70_000);
    assert.deepEqual(words, ["cron leaves: removed, Active"]);
  });

  test("after a restart of the gateway, only clients that stay away are reported as left", async (t) => {
    const { clock, gateway, client, peer } = world(t, presence);
    const after = new presence.SimulatedGateway({ clock, self: { host: "gateway", mode: "gateway", reason: "self" } });
    t.after(() => after.free());
    let current = gateway;
    const Switching = function (url) {
      return new current.WebSocket(url);
    };
    const dashboard = client({ WebSocket: Switching }).start();
    const faithful = client({ WebSocket: Switching, instanceId: "faithful", client: { displayName: "Faithful" } }).start();
    await dashboard.connected();
    await faithful.connected();
    peer();
    await clock.advance(1_000);
    const { words } = record(dashboard, { graceMs: 40_000 });
    gateway.shutdown("update");
    await clock.advance(60_000);
    assert.deepEqual(words, [], "no leaves are reported while the gateway is away");
    current = after;
    await clock.advance(35_000);
    await dashboard.connected();
    await faithful.connected();
    assert.deepEqual(words, []);
    await clock.advance(60_000);
    assert.deepEqual(words, ["Peer leaves: disconnect, Left"]);
  });

  test("the first list of another gateway reports no joins or leaves", async (t) => {
    const { clock, gateway, client, peer } = world(t, presence);
    const other = new presence.SimulatedGateway({ clock, self: { host: "other", mode: "gateway", reason: "self" } });
    t.after(() => other.free());
    let current = gateway;
    const Switching = function (url) {
      return new current.WebSocket(url);
    };
    const dashboard = client({ WebSocket: Switching, url: "ws://one" }).start();
    await dashboard.connected();
    peer();
    await clock.advance(1_000);
    const { words } = record(dashboard);
    current = other;
    dashboard.reconnect({ url: "ws://two" });
    await dashboard.connected();
    await clock.advance(60_000);
    assert.deepEqual(words, []);
  });

  test("a listener that throws does not affect other listeners", async (t) => {
    const { clock, client, peer } = world(t, presence);
    const dashboard = client().start();
    await dashboard.connected();
    await clock.advance(0);
    const seen = [];
    const fail = (what) => ({ host }) => {
      seen.push(`${host} ${what}`);
      throw new Error(host);
    };
    dashboard.onJoin(fail("joins"));
    dashboard.onLeave(fail("leaves"));
    const reported = [];
    const before = Object.getOwnPropertyDescriptor(globalThis, "reportError");
    Object.defineProperty(globalThis, "reportError", { value: ({ message }) => reported.push(message), configurable: true });
    t.after(() => (before ? Object.defineProperty(globalThis, "reportError", before) : delete globalThis.reportError));
    const peers = ["Ada", "Ben"].map((displayName) => peer({ instanceId: displayName, displayName }));
    await clock.advance(1_000);
    for (const { socket } of peers) socket.close();
    await clock.advance(10_000);
    assert.deepEqual(seen.sort(), ["Ada joins", "Ada leaves", "Ben joins", "Ben leaves"]);
    assert.deepEqual(reported.sort(), ["Ada", "Ada", "Ben", "Ben"]);
  });
}
