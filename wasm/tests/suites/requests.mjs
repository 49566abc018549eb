// Requests and beacons: their answers and their errors.

import { hosts, record, world } from "../lib/world.mjs";

export default function requests({ test, assert, presence }) {
  test("requests are answered, refused or fail with the connection", async (t) => {
    const { clock, gateway, client } = world(t, presence);
    const dashboard = client();
    await assert.failsWith("CLOSED", () => dashboard.request("health"));
    dashboard.start();
    await dashboard.connected();
    assert.equal((await dashboard.request("health")).ok, true);
    assert.deepEqual((await dashboard.request("system-presence", {})).map(({ host }) => host).sort(), ["Dashboard", "gateway"]);
    const error = await assert.failsWith("REFUSED", () => dashboard.request("no.such.method"));
    assert.equal(error.detail, "INVALID_REQUEST");
    assert.match(error.message, /unknown method/);
    const lost = assert.failsWith("CLOSED", () => dashboard.request("health"));
    gateway.shutdown();
    dashboard.stop();
    await lost;
    await clock.advance(0);
  });

  test("a beacon states the age of the last input", async (t) => {
    const { clock, client } = world(t, presence);
    const dashboard = client({ client: { displayName: "Dashboard", version: "3.2" }, beacons: { everyMs: 60_000 } }).start();
    await dashboard.connected();
    await dashboard.beacon();
    await clock.advance(1_000);
    const own = dashboard.roster.rows.find(({ isOwn }) => isOwn);
    assert.deepEqual([own.reason, own.reasonLabel, own.version], ["periodic", "Heartbeat", "3.2"]);
    assert.match(own.text, /^Node: Dashboard/);
  });

  test("a refused beacon turns off beacons and nothing else", async (t) => {
    const { clock, gateway, client } = world(t, presence);
    // A gateway that refuses beacons, like those of protocol 3 for clients without operator.admin.
    const Refusing = function (url) {
      const socket = new gateway.WebSocket(url);
      const send = socket.send.bind(socket);
      socket.send = (text) => send(text.replace('"system-event"', '"no-such-event"'));
      return socket;
    };
    const dashboard = client({ WebSocket: Refusing, beacons: true });
    const events = record(dashboard);
    dashboard.start();
    await dashboard.connected();
    await clock.advance(300_000);
    const notices = events.filter(({ type }) => type === "notice");
    assert.equal(notices.length, 1);
    assert.equal(notices[0].error.code, "BEACON_REFUSED");
    assert.equal(dashboard.connection.phase, "live");
    assert.deepEqual(hosts(dashboard.roster), ["gateway", "Dashboard"]);
  });

  test("a requested beacon resolves when it is answered, or rejects with a reason", async (t) => {
    const { clock, gateway, client } = world(t, presence);
    let pass = (text) => text;
    const Filtering = function (url) {
      const socket = new gateway.WebSocket(url);
      const send = socket.send.bind(socket);
      socket.send = (text) => {
        const passed = pass(text);
        if (passed) send(passed);
      };
      return socket;
    };
    const dashboard = client({ WebSocket: Filtering, beacons: { everyMs: 10_000 } }).start();
    await assert.failsWith("CLOSED", () => dashboard.beacon());
    await dashboard.connected();
    await dashboard.beacon("instances-refresh");
    // The gateway never receives this beacon; its answers to periodic beacons must not resolve the call.
    pass = (text) => (text.includes("instances-refresh") ? undefined : text);
    const silent = assert.failsWith("TIMEOUT", () => dashboard.beacon("instances-refresh"));
    await clock.advance(31_000);
    await silent;
    const lost = assert.failsWith("CLOSED", () => dashboard.beacon("instances-refresh"));
    dashboard.stop();
    await lost;
    dashboard.start();
    await dashboard.connected();
    pass = (text) => text.replace('"system-event"', '"no-such-event"');
    assert.equal((await assert.failsWith("REFUSED", () => dashboard.beacon())).detail, "INVALID_REQUEST");
  });

  test("an explanation that arrives too late is replaced by that of the list", async (t) => {
    const { clock, gateway, client, peer } = world(t, presence, { ttlMs: 60_000 });
    let held;
    const Holding = function (url) {
      const socket = new gateway.WebSocket(url);
      const send = socket.send.bind(socket);
      socket.send = (text) => {
        if (text.includes('"presence.explain"')) held = () => send(text);
        else send(text);
      };
      return socket;
    };
    const dashboard = client({ WebSocket: Holding }).start();
    await dashboard.connected();
    const guest = peer();
    await clock.advance(100);
    const { key } = dashboard.roster.rows.find(({ host }) => host === "Peer");
    const ask = () => {
      const asked = dashboard.explain(key);
      const answer = held;
      held = undefined;
      assert.ok(answer, "the gateway gets a request");
      return [asked, answer];
    };
    const [inTime, answer] = ask();
    answer();
    assert.equal((await inTime).source, "gateway");

    // The connection is lost, and the answer would arrive over the next one.
    const [lost, late] = ask();
    dashboard.reconnect();
    assert.deepEqual([(await lost).source, (await lost).key], ["list", key]);
    await dashboard.connected();
    late();
    await clock.advance(0);
    assert.equal(dashboard.connection.phase, "live");

    // The row expires before the gateway reads the request.
    const [gone, refused] = ask();
    guest.socket.close();
    await clock.advance(70_000);
    assert.equal(dashboard.roster.rows.some((row) => row.key === key), false);
    refused();
    assert.deepEqual([(await gone).source, (await gone).key], ["list", key]);
    assert.equal(await dashboard.explain(key), undefined);

    // The caller aborts, or stops the client.
    peer();
    await clock.advance(100);
    const given = new AbortController();
    const ended = dashboard.explain(key, { signal: given.signal }).catch((error) => error.message);
    given.abort(new Error("closed"));
    assert.equal(await ended, "closed");
    held();
    const [stopped] = ask();
    dashboard.stop();
    assert.equal((await stopped).source, "list");
  });

  test("params that are not JSON are refused as an invalid argument", async (t) => {
    const { client } = world(t, presence);
    const dashboard = client().start();
    await dashboard.connected();
    const circular = {};
    circular.self = circular;
    await assert.failsWith("INVALID_ARGUMENT", () => dashboard.request("health", circular));
  });
}
