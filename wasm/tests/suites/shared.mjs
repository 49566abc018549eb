// Simulated tabs that share a connection.

import { changingWebSocket } from "../lib/observing.mjs";
import { browser, sharing } from "../lib/tabs.mjs";
import { hosts, record } from "../lib/world.mjs";

export default function shared({ test, assert, presence }) {
  const { open, started } = sharing(presence);

  test("twenty tabs have one connection and one row", async (t) => {
    const all = open(t);
    const tabs = await started(all, 20);
    assert.equal(all.counts.sockets, 1);
    for (const { client } of tabs) {
      assert.equal(client.connection.phase, "live");
      assert.equal(client.instanceId, "dashboard");
      assert.deepEqual(hosts(client.roster), ["gateway", "Dashboard"]);
      assert.equal(client.roster.rows.filter(({ isOwn }) => isOwn).length, 1);
    }
    const before = tabs[7].client.roster.rows;
    all.peer({ instanceId: "ada", displayName: "Ada" });
    await all.clock.advance(1_000);
    const after = tabs[7].client.roster.rows;
    assert.equal(after.length, 3);
    const dashboard = (rows) => rows.find(({ host }) => host === "Dashboard");
    assert.equal(dashboard(after), dashboard(before), "an unchanged row is the same object");
    assert.ok(Object.isFrozen(after) && after.every((row) => Object.isFrozen(row) && Object.isFrozen(row.entry)));
  });

  /** Tabs at a gateway whose list the test sets, with a function that changes its frames. */
  const atTestGateway = async (t, count, change = (text) => text) => {
    const gateway = new presence.TestGateway();
    const { clock, options } = gateway;
    const client = (members) => {
      const one = new presence.PresenceClient({ ...options, ...members });
      t.after(() => one.close());
      return one;
    };
    const all = { clock, gateway: { WebSocket: changingWebSocket(options, change) }, client };
    return { gateway, tabs: await started({ ...all, ...browser(t, all) }, count) };
  };

  test("in each tab, a row is another object if only rows that it is merged from changed", async (t) => {
    const { gateway, tabs } = await atTestGateway(t, 2);
    // The age stays 0, so that the row is the same otherwise.
    const ts = gateway.clock.wallMs() + 10_000;
    const list = (version) => [
      { host: "studio", instanceId: "mac-1", version: "9", ts },
      { host: "studio", instanceId: "mac-1", version, ts: ts - 1_000 },
    ];
    const rows = () => tabs.map(({ client }) => client.roster.rows.find(({ host }) => host === "studio"));
    const versions = (row) => presence.rawRows(row).map(({ version }) => version);
    gateway.entries = list("1");
    await gateway.clock.advance(100);
    const before = rows();
    // Alone, this change is not announced.
    gateway.entries = [...list("2"), { host: "kiosk", instanceId: "kiosk", ts }];
    await gateway.clock.advance(100);
    for (const [at, row] of rows().entries()) {
      assert.ok(row !== before[at], `tab ${at}`);
      assert.deepEqual([versions(before[at]), versions(row)], [["9", "1"], ["9", "2"]]);
    }
  });

  test("a member that is nested too deeply to be copied is left out in the other tabs", async (t) => {
    const nested = (levels) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
    const withNested = (text) => text.replaceAll('"nested"', nested(20_000)).replaceAll('"less"', nested(64));
    const { gateway, tabs } = await atTestGateway(t, 2, withNested);
    const announced = tabs.map(() => 0);
    for (const [at, { client }] of tabs.entries()) client.subscribe(() => (announced[at] += 1));
    gateway.entries = [{ host: "studio", instanceId: "mac-1", tags: ["a"], deep: "nested", edge: "less" }];
    await gateway.clock.advance(100);
    assert.deepEqual(announced, [1, 1]);
    const members = tabs.map(({ client }) => Object.keys(client.roster.rows[0].entry).filter((name) => ["tags", "deep", "edge"].includes(name)));
    assert.deepEqual(members.map((names) => names.sort()), [["deep", "edge", "tags"], ["tags"]]);
    assert.deepEqual(presence.rawRows(tabs[1].client.roster.rows[0]).map(({ tags, deep }) => [tags, deep]), [[["a"], undefined]]);
    const studio = tabs[1].client.roster.rows[0];
    gateway.entries = [...gateway.entries, { host: "kiosk", instanceId: "kiosk" }];
    await gateway.clock.advance(100);
    assert.deepEqual(hosts(tabs[1].client.roster).sort(), ["kiosk", "studio"]);
    assert.ok(tabs[1].client.roster.rows.includes(studio), "the unchanged row");
  });

  test("requests, beacons and findings work in any tab, with the same errors as in one tab", async (t) => {
    const all = open(t);
    const tabs = await started(all, 3);
    for (const { client } of tabs) {
      const health = client.request("health");
      const refused = assert.failsWith("REFUSED", () => client.request("no.such.method"));
      const beacon = client.beacon("instances-refresh");
      await all.clock.advance(10);
      assert.equal((await health).ok, true);
      assert.equal((await refused).detail, "INVALID_REQUEST");
      await beacon;
      const circular = {};
      circular.self = circular;
      await assert.failsWith("INVALID_ARGUMENT", () => client.request("health", circular));
      assert.deepEqual(client.findings(), []);
    }
    await assert.failsWith("INVALID_ARGUMENT", () => tabs[1].client.request("health", { long: "x".repeat(2_000_000) }));
    all.peer({ instanceId: "one", displayName: "Same" });
    all.peer({ instanceId: "two", displayName: "Same" });
    await all.clock.advance(1_000);
    const codes = tabs.map(({ client }) => client.findings().map(({ code }) => code).sort());
    assert.ok(codes[0].length > 0);
    assert.deepEqual(codes[1], codes[0]);
    assert.equal(all.counts.sockets, 1);
  });

  test("explain answers from the list in any tab while the gateway is away", async (t) => {
    const all = open(t);
    const tabs = await started(all, 2);
    all.gateway.shutdown("update");
    await all.clock.advance(1_000);
    for (const { client } of tabs) {
      assert.equal(client.connection.phase, "waiting");
      const explained = client.explain(client.roster.rows.find(({ isOwn }) => isOwn).key).then(({ source }) => source, ({ code }) => code);
      const called = client.request("health").then(() => "answered", ({ code }) => code);
      await all.clock.advance(1_000);
      assert.deepEqual([await explained, await called], ["list", "CLOSED"]);
    }
    tabs[1].client.stop();
    await assert.failsWith("CLOSED", () => tabs[1].client.explain("dashboard"));
  });

  test("pending calls are limited", async (t) => {
    const all = open(t);
    const [leader, tab] = await started(all, 2);
    leader.freeze();
    const waiting = Array.from({ length: 64 }, () => tab.client.request("health").then(() => "answered", ({ code }) => code));
    await assert.failsWith("TOO_MANY_REQUESTS", () => tab.client.request("health"));
    await all.clock.advance(60_000);
    assert.equal(new Set(await Promise.all(waiting)).size, 1);
    assert.equal((await tab.client.request("health")).ok, true, "the tab leads now");
  });

  test("a stopped tab leaves the others connected, and a stopped leader is replaced", async (t) => {
    const all = open(t);
    const [leader, second, third] = await started(all, 3);
    all.peer();
    await all.clock.advance(1_000);
    const rows = [];
    third.client.subscribe(() => rows.push(third.client.roster.rows.length));
    const peer = third.client.roster.rows.find(({ host }) => host === "Peer");
    second.client.stop();
    assert.equal(second.client.connection.phase, "stopped");
    await all.clock.advance(1_000);
    assert.deepEqual([all.counts.sockets, third.client.connection.phase], [1, "live"]);
    const words = [];
    third.client.onLeave(({ host }) => words.push(host));
    leader.client.stop();
    await all.clock.advance(10_000);
    assert.deepEqual([all.counts.sockets, all.counts.open.size], [2, 1]);
    assert.equal(third.client.connection.phase, "live");
    assert.ok(rows.every((count) => count >= 3), `no rows disappear: ${rows}`);
    assert.deepEqual(words, []);
    assert.deepEqual(hosts(third.client.roster).sort(), ["Dashboard", "Peer", "gateway"]);
    assert.equal(third.client.roster.rows.find(({ host }) => host === "Peer").instanceId, peer.instanceId);
    second.client.start();
    await all.clock.advance(1_000);
    assert.deepEqual([all.counts.sockets, second.client.connection.phase], [2, "live"]);
  });

  test("a frozen leader is replaced by a visible tab, and follows after it thaws", async (t) => {
    const all = open(t);
    const [leader, hidden, visible] = await started(all, 3);
    hidden.hide();
    leader.hide();
    await all.clock.advance(60_000);
    leader.freeze();
    all.peer({ instanceId: "ada", displayName: "Ada" });
    await all.clock.advance(30_000);
    for (const { client } of [hidden, visible]) assert.ok(hosts(client.roster).includes("Ada"));
    assert.equal(all.counts.sockets, 2);
    leader.thaw();
    leader.show();
    await all.clock.advance(30_000);
    assert.deepEqual([all.counts.sockets, all.counts.open.size], [2, 1], "the old connection is closed");
    for (const { client } of [leader, hidden, visible]) {
      assert.equal(client.connection.phase, "live");
      assert.deepEqual(hosts(client.roster).sort(), ["Ada", "Dashboard", "gateway"]);
    }
  });

  test("statuses change on time in a visible tab, even if the leader is hidden", async (t) => {
    const all = open(t);
    const [leader, visible] = await started(all, 2);
    const other = all.peer();
    other.beacon({ instanceId: "cron", host: "cron" });
    await all.clock.advance(1_000);
    leader.hide();
    const { ts } = visible.client.roster.rows.find(({ host }) => host === "cron");
    const changed = [];
    visible.client.subscribe(() => {
      const status = visible.client.roster.rows.find(({ host }) => host === "cron")?.status;
      if (status === "Idle") changed.push(all.clock.wallMs() - ts);
    });
    await all.clock.advance(130_000);
    assert.ok(changed[0] <= 126_000, `after ${changed[0]} ms`);
  });

  test("beacons report the newest input of all tabs", async (t) => {
    const all = open(t);
    const tabs = await started(all, 3, { beacons: { everyMs: 60_000, onActivity: false, onVisibility: false } });
    await all.clock.advance(100_000);
    // Switching to a tab is input.
    tabs[2].hide();
    tabs[2].show();
    await all.clock.advance(20_000);
    const beacon = tabs[1].client.beacon();
    await all.clock.advance(1_000);
    await beacon;
    await all.clock.advance(1_000);
    const own = tabs[1].client.roster.rows.find(({ isOwn }) => isOwn);
    assert.ok(own.entry.lastInputSeconds <= 21, `${own.entry.lastInputSeconds} s`);
  });

  test("all tabs are refused together, and one with other credentials connects all", async (t) => {
    const all = open(t, { auth: { mode: "token", secret: "right" } });
    const tabs = [all.tab({ token: "wrong" }), all.tab({ token: "wrong" })];
    const events = tabs.map(({ client }) => record(client));
    await presence.ready();
    for (const { client } of tabs) client.start();
    await all.clock.advance(1_000);
    for (const [at, { client }] of tabs.entries()) {
      assert.equal(client.connection.error.code, "AUTH_TOKEN_MISMATCH");
      assert.ok(client.connection.error instanceof presence.PresenceError);
      assert.deepEqual(events[at].map(({ type }) => type), ["connection", "connection", "error"]);
      await assert.failsWith("AUTH_TOKEN_MISMATCH", () => client.connected());
    }
    assert.equal(all.counts.sockets, 1);
    tabs[1].client.start();
    await all.clock.advance(1_000);
    assert.equal(all.counts.sockets, 2, "another attempt");
    tabs[1].client.reconnect({ token: "right" });
    await all.clock.advance(1_000);
    for (const { client } of tabs) assert.equal(client.connection.phase, "live");
    assert.equal(all.counts.sockets, 3);
  });

  test("after start and reconnect in any tab, connected() waits for the new result", async (t) => {
    const all = open(t, { auth: { mode: "token", secret: "right" } });
    const tabs = [all.tab({ token: "wrong" }), all.tab({ token: "wrong" }), all.tab({ token: "wrong" })];
    await presence.ready();
    for (const { client } of tabs) client.start();
    await all.clock.advance(1_000);
    const [leader, first, second] = tabs.map(({ client }) => client);
    /** Awaits the result of the attempt that has just begun. */
    const outcome = async (client) => {
      assert.deepEqual([client.connection.phase, client.roster.connection.phase], ["connecting", "connecting"]);
      const result = client.connected().then(() => "live", ({ code }) => code);
      await all.clock.advance(1_000);
      return result;
    };
    first.start();
    assert.equal(await outcome(first), "AUTH_TOKEN_MISMATCH");
    assert.equal(all.counts.sockets, 2);
    tabs[2].setDeaf(true);
    first.reconnect({ token: "right" });
    assert.equal(await outcome(first), "live");
    tabs[2].setDeaf(false);
    assert.equal(second.connection.phase, "refused");
    second.start();
    assert.equal(await outcome(second), "live", "another tab connected meanwhile");
    assert.equal(all.counts.sockets, 3);
    leader.reconnect({});
    assert.equal(await outcome(leader), "live");
    leader.reconnect({ token: "right", scopes: ["operator.read", "operator.write"] });
    assert.equal(await outcome(leader), "live");
    assert.deepEqual(leader.connection.scopes, ["operator.read", "operator.write"]);
    assert.equal(all.counts.open.size, 1);
  });

  test("a call that failed because the leader was frozen is not sent after it thaws", async (t) => {
    const all = open(t);
    const [leader, other] = await started(all, 2);
    leader.freeze();
    const failed = assert.failsWith("CLOSED", () => other.client.beacon("instances-refresh"));
    await all.clock.advance(30_000);
    await failed;
    const isTheBeacon = (text) => text.includes("instances-refresh");
    assert.deepEqual(all.counts.sent.filter(isTheBeacon), []);
    leader.thaw();
    await all.clock.advance(30_000);
    assert.deepEqual(all.counts.sent.filter(isTheBeacon), []);
  });

  test("a reconnect by one tab does not stop the other tabs", async (t) => {
    const all = open(t);
    const [leader, other] = await started(all, 2);
    const phases = [];
    other.client.addEventListener("connection", ({ connection }) => phases.push(connection.phase));
    leader.client.reconnect({});
    await all.clock.advance(5_000);
    assert.equal(other.client.connection.phase, "live");
    assert.ok(phases.length > 0 && !phases.includes("stopped"), phases.join());
  });

  test("a tab that missed messages requests the list when it is shown", async (t) => {
    const all = open(t);
    const [, other] = await started(all, 2);
    other.setDeaf(true);
    all.peer({ instanceId: "ada", displayName: "Ada" });
    await all.clock.advance(1_000);
    other.setDeaf(false);
    other.hide();
    other.show();
    await all.clock.advance(1_000);
    assert.ok(hosts(other.client.roster).includes("Ada"));
  });

  test("a signal stops a client that another tab reconnected, and a stopped client has no rows", async (t) => {
    const all = open(t, { auth: { mode: "token", secret: "right" } });
    const tabs = [all.tab({ token: "wrong" }), all.tab({ token: "wrong" })];
    const stop = new AbortController();
    await presence.ready();
    tabs[0].client.start();
    tabs[1].client.start({ signal: stop.signal });
    await all.clock.advance(1_000);
    assert.equal(tabs[1].client.connection.phase, "refused");
    tabs[0].client.reconnect({ token: "right" });
    await all.clock.advance(1_000);
    assert.equal(tabs[1].client.connection.phase, "live");
    assert.ok(tabs[1].client.roster.rows.length > 0);
    stop.abort();
    assert.equal(tabs[1].client.connection.phase, "stopped");
    assert.deepEqual(tabs[1].client.roster.rows, []);
  });

  test("tabs with another address, without locks, or whose channels are blocked have their own connections", async (t) => {
    const all = open(t);
    await started(all, 2);
    const [other] = await started(all, 1, { url: "ws://127.0.0.1:18790", instanceId: "other" });
    assert.equal(all.counts.sockets, 2);
    const alone = all.tab({ shared: { locks: null }, instanceId: "alone" }).client.start();
    await alone.connected();
    assert.equal(all.counts.sockets, 3);
    const Blocked = function () {
      throw new DOMException("blocked", "SecurityError");
    };
    const blocked = all.tab({ instanceId: "blocked" }, { BroadcastChannel: Blocked }).client;
    await blocked.start().connected();
    assert.equal(all.counts.sockets, 4);
    other.client.close();
    other.client.close();
    await assert.failsWith("FREED", () => other.client.start());
    await assert.failsWith("FREED", () => other.client.request("health"));
  });
}
