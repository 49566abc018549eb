// Starting, stopping, reconnecting and closing a client, also from its listeners.

import { hosts, world } from "../lib/world.mjs";

export default function lifecycle({ test, assert, presence }) {
  test("start, stop and close can be called in any order, and twice", async (t) => {
    const { clock, client } = world(t, presence);
    const dashboard = client();
    dashboard.stop();
    dashboard.start().start();
    dashboard.stop();
    dashboard.start();
    await dashboard.connected();
    dashboard.stop();
    assert.deepEqual([dashboard.connection.phase, dashboard.instanceId], ["stopped", undefined]);
    await clock.advance(1_000);
    assert.deepEqual(hosts(dashboard.roster), ["gateway", "Dashboard"], "the roster stays");
    dashboard.start();
    await dashboard.connected();
    dashboard.close();
    dashboard.close();
    dashboard[Symbol.dispose ?? Symbol()]?.();
    assert.equal(dashboard.roster.rows.length, 2, "the last roster can still be read");
    await assert.failsWith("FREED", () => dashboard.start());
    await assert.failsWith("FREED", () => dashboard.connected());
    await assert.failsWith("FREED", () => dashboard.request("health"));
    dashboard.stop();
  });

  test("a client that is stopped during its start leaves nothing running", async (t) => {
    const { clock, client } = world(t, presence);
    let released = 0;
    let isAcquiring;
    const acquiring = new Promise((resolve) => (isAcquiring = resolve));
    const slow = {
      async acquire() {
        isAcquiring();
        return { id: "slow", release: () => (released += 1) };
      },
    };
    const dashboard = client({ instanceId: slow });
    const timers = clock.timers;
    dashboard.start();
    await acquiring;
    dashboard.stop();
    await clock.advance(60_000);
    assert.equal(released, 1);
    assert.equal(dashboard.connection.phase, "stopped");
    assert.equal(clock.timers, timers);
  });

  test("a client that is started, stopped and started at once holds one id, as in React's strict mode", async (t) => {
    const { client } = world(t, presence);
    const held = new Set();
    const slots = {
      async acquire() {
        let slot = 1;
        while (held.has(slot)) slot += 1;
        held.add(slot);
        return { id: `slot ${slot}`, release: () => held.delete(slot) };
      },
    };
    const dashboard = client({ instanceId: slots }).start();
    dashboard.stop();
    await dashboard.start().connected();
    assert.equal(dashboard.instanceId, "slot 1");
  });

  test("a closed client stays closed, whatever its listeners do", async (t) => {
    const { clock, gateway, client } = world(t, presence);
    const dashboard = client();
    const codes = [];
    dashboard.addEventListener("connection", ({ connection }) => {
      if (connection.phase !== "stopped") return;
      try {
        dashboard.start();
      } catch ({ code }) {
        codes.push(code);
      }
    });
    await dashboard.start().connected();
    dashboard.close();
    await clock.advance(1_000);
    assert.deepEqual([dashboard.connection.phase, gateway.connections, codes.join()], ["stopped", 0, "FREED"]);
  });

  test("a listener may stop, free or reconnect its client", async (t) => {
    const { clock, client } = world(t, presence);
    for (const end of ["stop", "close", "reconnect"]) {
      const dashboard = client({ instanceId: end });
      let reported = 0;
      dashboard.addEventListener("roster", () => {
        reported += 1;
        if (reported === 3) dashboard[end]();
      });
      dashboard.start();
      await clock.advance(120_000);
      assert.ok(reported >= 3, end);
      dashboard.stop();
    }
  });

  test("a listener may reconnect its client with another instanceId", async (t) => {
    const { clock, gateway, client } = world(t, presence);
    const dashboard = client();
    const answers = [];
    dashboard.addEventListener("connection", ({ connection }) => {
      if (connection.phase !== "live" || dashboard.instanceId === "other") return;
      answers.push(dashboard.request("health").then(() => "answered", ({ code }) => code));
      dashboard.reconnect({ instanceId: "other" });
    });
    dashboard.start();
    await clock.advance(1_000);
    await dashboard.connected();
    await clock.advance(1_000);
    assert.equal(gateway.connections, 1, "the first connection is closed");
    assert.equal(dashboard.instanceId, "other");
    assert.deepEqual(await Promise.all(answers), ["CLOSED"]);
  });

  test("a WebSocket constructor that throws is a refusal, until the app starts the client again", async (t) => {
    const { client, gateway } = world(t, presence);
    let isMixed = true;
    // Like a page from https that opens a ws: URL.
    const Socket = function (url) {
      if (isMixed) throw new Error("insecure");
      return new gateway.WebSocket(url);
    };
    const dashboard = client({ WebSocket: Socket }).start();
    const error = await assert.failsWith("REFUSED", () => dashboard.connected());
    assert.match(error.remedy, /wss:/);
    assert.equal(dashboard.connection.phase, "refused");
    isMixed = false;
    dashboard.start();
    await dashboard.connected();
  });

  test("a pending `connected()` rejects when the client is freed", async (t) => {
    const { client } = world(t, presence);
    const dashboard = client();
    const waiting = assert.failsWith("FREED", () => dashboard.connected());
    dashboard.close();
    await waiting;
  });

  test("a pending `connected()` waits for the result of a reconnect, and rejects when the client is stopped", async (t) => {
    const { clock, client, gateway } = world(t, presence, { auth: { mode: "token", secret: "right" } });
    let isReachable = false;
    const Socket = function (url) {
      return isReachable ? new gateway.WebSocket(url) : { send() {}, close() {} };
    };
    const dashboard = client({ WebSocket: Socket, token: "right" });
    const wait = () => dashboard.connected().then(() => "live", ({ code }) => code);
    dashboard.start();
    const early = wait();
    await clock.advance(1_000);
    dashboard.reconnect();
    const late = wait();
    isReachable = true;
    dashboard.reconnect({ scopes: ["operator.read"] });
    await clock.advance(1_000);
    assert.deepEqual(await Promise.all([early, late]), ["live", "live"]);
    isReachable = false;
    dashboard.reconnect();
    const refused = wait();
    isReachable = true;
    dashboard.reconnect({ token: "wrong" });
    await clock.advance(1_000);
    assert.equal(await refused, "AUTH_TOKEN_MISMATCH");
    isReachable = false;
    dashboard.reconnect({ token: "right" });
    const stopped = wait();
    dashboard.stop();
    assert.equal(await stopped, "CLOSED");
  });

  for (const end of ["stop", "close", "abort"]) {
    test(`a listener may end its client during a reconnect: ${end}`, async (t) => {
      const { clock, client, gateway } = world(t, presence);
      const dashboard = client();
      const controller = new AbortController();
      await dashboard.start({ signal: controller.signal }).connected();
      let outcome;
      const listener = () => {
        outcome = dashboard.connected().then(() => "live", ({ code }) => code);
        if (end === "abort") controller.abort();
        else dashboard[end]();
      };
      dashboard.addEventListener("connection", listener, { once: true });
      dashboard.reconnect({ scopes: ["operator.read"] });
      await clock.advance(1_000);
      assert.deepEqual([dashboard.connection.phase, gateway.connections], ["stopped", 0]);
      assert.equal(await outcome, "CLOSED");
    });
  }

  test("a client does nothing before start", async (t) => {
    const { clock, client } = world(t, presence);
    const timers = clock.timers;
    const dashboard = client();
    dashboard.addEventListener("roster", () => {});
    assert.equal(clock.timers, timers);
    assert.equal(dashboard.roster.hasList, false);
    assert.deepEqual(dashboard.connection, { phase: "stopped" });
  });
}
