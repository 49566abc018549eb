// The client at a simulated gateway, in virtual time.

import { hosts, record, world } from "../lib/world.mjs";

export default function clients({ test, assert, presence }) {
  const { PresenceClient } = presence;

  test("a client shows the live roster, and statuses change on time", async (t) => {
    const { clock, client, peer } = world(t, presence);
    const dashboard = client().start();
    const statuses = [];
    dashboard.subscribe(() => {
      const row = dashboard.roster.rows.find(({ host }) => host === "studio");
      if (row && row.status !== statuses.at(-1)?.[0]) statuses.push([row.status, clock.ageMs()]);
    });
    await dashboard.connected();
    await clock.advance(0);
    assert.deepEqual(hosts(dashboard.roster), ["gateway", "Dashboard"]);

    const other = peer();
    await clock.advance(1_000);
    assert.ok(hosts(dashboard.roster).includes("Peer"));

    // Not connected: only its beacon keeps the row.
    other.beacon({ instanceId: "studio", host: "studio", text: "Node: studio" });
    const toldAt = clock.ageMs();
    await clock.advance(400_000);
    assert.deepEqual(statuses.slice(0, 2), [["Active", toldAt], ["Idle", toldAt + 120_001]]);
    assert.ok(!hosts(dashboard.roster).includes("studio"));
  });

  test("without a gateway, rows age to Stale and are removed after twice the TTL", async (t) => {
    const { clock, gateway, client } = world(t, presence);
    const dashboard = client().start();
    const seen = [];
    dashboard.subscribe(() => {
      const { rows, isOffline } = dashboard.roster;
      const line = `${rows.map(({ status }) => status).join()}${isOffline ? " offline" : ""}`;
      if (line !== seen.at(-1)) seen.push(line);
    });
    await dashboard.connected();
    await clock.advance(0);
    gateway.free();
    await clock.advance(1_000);
    assert.equal(dashboard.roster.isOffline, true);
    await clock.advance(700_000);
    assert.deepEqual(seen.filter((line) => line !== "" && line !== " offline"), [
      "Active,Active",
      "Active,Active offline",
      "Idle,Idle offline",
      "Stale,Stale offline",
    ]);
    assert.deepEqual(hosts(dashboard.roster), []);
    assert.equal(dashboard.roster.hasList, true);
  });

  test("a wrong token stops with a clear error", async (t) => {
    const { clock, gateway, client } = world(t, presence, { auth: { mode: "token", secret: "right" } });
    let sockets = 0;
    class Counted extends gateway.WebSocket {
      constructor(url) {
        super(url);
        sockets += 1;
      }
    }
    const wrong = client({ token: "wrong", WebSocket: Counted });
    const events = record(wrong);
    wrong.start();
    const error = await assert.failsWith("AUTH_TOKEN_MISMATCH", () => wrong.connected());
    assert.ok(error instanceof presence.PresenceError);
    assert.match(error.message, /token mismatch/);
    assert.match(error.remedy, /token/);
    assert.equal(wrong.connection.phase, "refused");
    assert.deepEqual(events.map(({ type }) => type), ["connection", "connection", "error"]);
    await clock.advance(3_600_000);
    assert.equal(sockets, 1, "it does not retry by itself");
    wrong.reconnect({ token: "right" });
    await wrong.connected();
  });

  test("it reconnects after a restart of the gateway and keeps its row", async (t) => {
    const { clock, gateway, client } = world(t, presence);
    const after = new presence.SimulatedGateway({ clock, self: { host: "after", mode: "gateway", reason: "self" } });
    t.after(() => after.free());
    let current = gateway;
    const Switching = function (url) {
      return new current.WebSocket(url);
    };
    const dashboard = client({ WebSocket: Switching });
    const events = record(dashboard);
    dashboard.start();
    await dashboard.connected();
    gateway.shutdown("update");
    await clock.advance(0);
    assert.equal(dashboard.connection.phase, "waiting");
    assert.equal(dashboard.connection.error.code, "CLOSED");
    assert.equal(dashboard.connection.error.detail, "CLOSED_1012");
    const { retryInMs } = dashboard.connection;
    assert.ok(retryInMs > 0 && retryInMs <= 30_000, `retries in ${retryInMs} ms`);
    assert.deepEqual(hosts(dashboard.roster), ["gateway", "Dashboard"], "the roster stays");
    current = after;
    await clock.advance(60_000);
    await dashboard.connected();
    assert.deepEqual(hosts(dashboard.roster), ["after", "Dashboard"]);
    assert.equal(events.find(({ type }) => type === "shutdown").reason, "update");
  });

  test("after a missed event, the client requests the list", async (t) => {
    const { clock, gateway, client, peer } = world(t, presence);
    let lose = 0;
    const Socket = function (url) {
      const socket = new gateway.WebSocket(url);
      let handler = null;
      Object.defineProperty(socket, "onmessage", {
        set: (given) => (handler = given),
        get: () => (event) => {
          if (lose > 0 && event.data.includes('"presence')) lose -= 1;
          else handler?.(event);
        },
      });
      return socket;
    };
    const dashboard = client({ WebSocket: Socket }).start();
    await dashboard.connected();
    lose = 1;
    peer({ instanceId: "lost", displayName: "Lost" });
    await clock.advance(1_000);
    assert.ok(!hosts(dashboard.roster).includes("Lost"), "the event was lost");
    peer({ instanceId: "next", displayName: "Next" });
    await clock.advance(1_000);
    assert.deepEqual(hosts(dashboard.roster).sort(), ["Dashboard", "Lost", "Next", "gateway"]);
  });

  test("one instance has one row, whichever ids it connects with", async (t) => {
    const { clock, client } = world(t, presence);
    const dashboard = client().start();
    await dashboard.connected();
    dashboard.reconnect();
    await dashboard.connected();
    await clock.advance(1_000);
    const own = dashboard.roster.rows.filter(({ isOwn }) => isOwn);
    assert.equal(own.length, 1);
    assert.equal(own[0].instanceId, "dashboard");
    assert.equal(dashboard.instanceId, "dashboard");
  });

  test("without an instanceId each connection has a row, and a finding explains it", async (t) => {
    const { clock, client } = world(t, presence);
    const dashboard = client().start();
    await dashboard.connected();
    dashboard.reconnect({ instanceId: false });
    await dashboard.connected();
    dashboard.reconnect();
    await dashboard.connected();
    await clock.advance(1_000);
    assert.equal(dashboard.roster.rows.filter(({ host }) => host === "Dashboard").length, 3);
    const finding = dashboard.findings().find(({ code }) => code === "NO_INSTANCE_ID");
    assert.match(finding.fix, /instanceId/);
    assert.ok(finding.evidence.length > 0 && finding.entries.every(({ host }) => host === "Dashboard"));
  });

  test("a client clock that is off by hours does not affect ages", async (t) => {
    const { clock, client } = world(t, presence);
    const wrong = {
      ageMs: () => clock.ageMs() + 5_000_000,
      wallMs: () => clock.wallMs() - 7_200_000,
      setTimer: (callback, delayMs) => clock.setTimer(callback, delayMs),
    };
    const dashboard = client({ clock: wrong }).start();
    await dashboard.connected();
    await clock.advance(30_000);
    for (const row of dashboard.roster.rows) assert.equal(row.status, "Active");
    assert.ok(dashboard.roster.rows.every(({ ageMs }) => ageMs <= 60_000));
  });

  test("the snapshot and each unchanged row stay the same objects", async (t) => {
    const { clock, client, peer } = world(t, presence);
    const dashboard = client().start();
    let calls = 0;
    dashboard.subscribe(() => (calls += 1));
    await dashboard.connected();
    await clock.advance(1_000);
    const before = dashboard.getSnapshot();
    assert.equal(dashboard.getSnapshot(), before);
    assert.ok(Object.isFrozen(before) && Object.isFrozen(before.rows) && before.rows.every(Object.isFrozen));
    const callsBefore = calls;
    peer();
    await clock.advance(1_000);
    const after = dashboard.getSnapshot();
    assert.notEqual(after, before);
    assert.equal(calls, callsBefore + 1, "one call for one change");
    const own = ({ rows }) => rows.find(({ isOwn }) => isOwn);
    assert.equal(own(after), own(before), "the row that did not change");
  });

  test("roster events report added, changed and removed rows", async (t) => {
    const { clock, client, peer } = world(t, presence);
    const dashboard = client();
    const reported = [];
    dashboard.addEventListener("roster", ({ diff }) => {
      reported.push(...diff.added.map(({ host }) => `+${host}`));
      reported.push(...diff.removed.map(({ host }) => `-${host}`));
      reported.push(...diff.changed.map(({ row, fields }) => `${row.host}:${fields.join()}`));
    });
    dashboard.start();
    await dashboard.connected();
    const other = peer();
    await clock.advance(1_000);
    other.beacon({ mode: "away" });
    await clock.advance(1_000);
    other.socket.close();
    await clock.advance(302_000);
    assert.deepEqual(reported, ["+gateway", "+Dashboard", "+Peer", "Peer:mode,text", "Peer:status,reason,onlineSince", "-Peer"]);
  });

  test("without the read scope, a notice states the remedy", async (t) => {
    const { clock, client } = world(t, presence);
    const dashboard = client({ scopes: [] });
    const events = record(dashboard);
    dashboard.start();
    await dashboard.connected();
    await clock.advance(0);
    const notice = events.find(({ type }) => type === "notice");
    assert.equal(notice.error.code, "NO_READ_SCOPE");
    assert.match(notice.error.remedy, /Request operator\.read/);
    assert.deepEqual(hosts(dashboard.roster), []);
  });

  test("a device key is verified, and its id is in the row", async (t) => {
    const { clock, client } = world(t, presence);
    const deviceKey = await presence.deviceKey(await presence.generateKeyPair());
    const dashboard = client({ deviceKey }).start();
    await dashboard.connected();
    await clock.advance(1_000);
    assert.equal(dashboard.roster.rows.find(({ isOwn }) => isOwn).deviceId, deviceKey.deviceId);
  });

  test("errors name the invalid option", async (t) => {
    const { client } = world(t, presence);
    for (const url of ["", "gateway:18789/x y", "ftp://gateway"]) {
      await assert.failsWith("INVALID_ARGUMENT", () => new PresenceClient({ url }));
    }
    const dashboard = client({ scopes: "operator.read" }).start();
    const error = await assert.failsWith("INVALID_ARGUMENT", () => dashboard.connected());
    assert.match(error.message, /scopes/);
  });

  test("http and WebSocket addresses are accepted", async (t) => {
    const { client, gateway } = world(t, presence);
    for (const [url, opened] of [
      ["http://127.0.0.1:18789/#token=x", "ws://127.0.0.1:18789/"],
      ["https://gateway.example/path", "wss://gateway.example/path"],
      ["ws://[::1]:18789", "ws://[::1]:18789/"],
    ]) {
      let seen;
      const Socket = function (given) {
        seen = given;
        return new gateway.WebSocket(given);
      };
      const dashboard = client({ url, WebSocket: Socket }).start();
      await dashboard.connected();
      assert.equal(seen, opened);
      dashboard.close();
    }
  });
}
