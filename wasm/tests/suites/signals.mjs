// Abort signals, and unknown options.

import { world } from "../lib/world.mjs";

/** A signal that counts its listeners. */
function counted() {
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = new Set();
  for (const [method, change] of [["addEventListener", "add"], ["removeEventListener", "delete"]]) {
    const own = signal[method].bind(signal);
    signal[method] = (...args) => {
      listeners[change](args[1]);
      own(...args);
    };
  }
  return { controller, signal, listeners };
}

/** A signal that is aborted as browsers do at a timeout: promises continue after each of its listeners. */
function timed() {
  const listeners = new Set();
  const addEventListener = (_, listener) => listeners.add(listener);
  const removeEventListener = (_, listener) => listeners.delete(listener);
  const signal = { aborted: false, reason: undefined, addEventListener, removeEventListener };
  const abort = async (reason) => {
    Object.assign(signal, { aborted: true, reason });
    for (const listener of listeners) {
      listener();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  };
  return { signal, abort };
}

/** Hides a global; the returned function restores it. */
function hide(name) {
  const before = Object.getOwnPropertyDescriptor(globalThis, name);
  delete globalThis[name];
  return () => before && Object.defineProperty(globalThis, name, before);
}

export default function signals({ test, assert, presence, internal }) {
  test("a signal aborts a wait, and its listener is removed", async (t) => {
    const { client } = world(t, presence);
    const dashboard = client().start();
    await dashboard.connected();
    const stopped = client({ instanceId: "stopped" });
    for (const wait of [
      (signal) => stopped.connected({ signal }),
      (signal) => dashboard.request("health", undefined, { signal }),
      (signal) => dashboard.beacon("periodic", { signal }),
    ]) {
      const { controller, signal, listeners } = counted();
      const given = wait(signal).catch((error) => error);
      const reason = new Error("enough");
      controller.abort(reason);
      assert.equal(await given, reason);
      assert.equal(await wait(signal).catch((error) => error), reason, "an aborted signal starts nothing");
      assert.equal(listeners.size, 0, "even if the call never completes");
    }
  });

  test("a call rejects with the reason of its signal, also if the client was started with the same signal", async (t) => {
    for (const isReachable of [false, true]) {
      const gateway = new presence.TestGateway();
      gateway.isReachable = isReachable;
      gateway.answer = () => new Promise(() => {});
      const client = new presence.PresenceClient(gateway.options);
      t.after(() => client.close());
      const { signal, abort } = timed();
      client.start({ signal });
      if (isReachable) await client.connected();
      const call = isReachable ? client.request("health", undefined, { signal }) : client.connected({ signal });
      const given = call.then(() => "no error", (error) => error);
      const reason = new DOMException("too late", "TimeoutError");
      await abort(reason);
      assert.equal(client.connection.phase, "stopped");
      assert.equal(await given, reason);
    }
  });

  test("a signal's listener is removed when the call completes", async (t) => {
    const { client } = world(t, presence);
    const dashboard = client();
    const { signal, listeners } = counted();
    dashboard.start({ signal });
    await dashboard.connected({ signal });
    await dashboard.request("health", undefined, { signal });
    assert.equal(listeners.size, 1, "only that of `start`");
    dashboard.stop();
    assert.equal(listeners.size, 0);
  });

  test("a signal stops a client that was started with it, and an aborted signal starts none", async (t) => {
    const { client } = world(t, presence);
    const dashboard = client();
    const { controller, signal } = counted();
    dashboard.start({ signal });
    await dashboard.connected();
    controller.abort();
    assert.equal(dashboard.connection.phase, "stopped");
    dashboard.start({ signal });
    assert.equal(dashboard.connection.phase, "stopped");
    dashboard.start();
    await dashboard.connected();
  });

  test("a signal that is aborted during the start stops the client", async (t) => {
    const { client } = world(t, presence);
    const dashboard = client();
    const { controller, signal, listeners } = counted();
    dashboard.addEventListener("connection", () => controller.abort(), { once: true });
    dashboard.start({ signal });
    assert.equal(dashboard.connection.phase, "stopped");
    assert.equal(listeners.size, 0);
  });

  test("a signal also stops a client that was refused and connected later", async (t) => {
    const { client } = world(t, presence, { auth: { mode: "token", secret: "right" } });
    const dashboard = client({ token: "wrong" });
    const { controller, signal, listeners } = counted();
    dashboard.start({ signal });
    await assert.failsWith("AUTH_TOKEN_MISMATCH", () => dashboard.connected());
    dashboard.reconnect({ token: "right" });
    await dashboard.connected();
    controller.abort();
    assert.deepEqual([dashboard.connection.phase, listeners.size], ["stopped", 0]);
  });

  test("a failed start keeps no listener on its signal", async (t) => {
    const { client } = world(t, presence);
    const { signal, listeners } = counted();
    const without = client({ WebSocket: undefined });
    t.after(hide("WebSocket"));
    await assert.failsWith("NO_WEBSOCKET", () => without.start({ signal }));
    assert.equal(listeners.size, 0);
  });

  test("an aborted wait for the connection leaves nothing behind", async (t) => {
    const { client } = world(t, presence);
    const all = new Set();
    const { wait } = internal.Waiters.prototype;
    internal.Waiters.prototype.wait = function (key) {
      all.add(this);
      return wait.call(this, key);
    };
    t.after(() => (internal.Waiters.prototype.wait = wait));
    const stopped = client();
    const { controller, signal } = counted();
    const given = stopped.connected({ signal }).catch(() => "given up");
    controller.abort();
    assert.equal(await given, "given up");
    assert.deepEqual([...all].map(({ size }) => size), [0]);
  });

  test("options that are not an object, and invalid times, are refused", async (t) => {
    const { client } = world(t, presence);
    const dashboard = client();
    for (const options of [null, 5, "ws://127.0.0.1:18789"]) {
      for (const act of [
        () => new presence.PresenceClient(options),
        () => new presence.Roster(options),
        () => dashboard.reconnect(options),
        () => dashboard.onJoin(() => {}, options),
      ]) {
        const { message } = await assert.failsWith("INVALID_ARGUMENT", act);
        assert.equal(message, "invalid options: use an object");
      }
    }
    for (const act of ["onJoin", "onLeave"]) {
      const wrong = (options) => assert.failsWith("INVALID_ARGUMENT", () => dashboard[act](() => {}, options));
      for (const graceMs of [-1, Number.NaN, Number.POSITIVE_INFINITY, "5"]) {
        assert.match((await wrong({ graceMs })).message, /^invalid options\.graceMs/);
      }
      assert.match((await wrong({ grace: 5 })).message, /^invalid options\.grace:/);
    }
    dashboard.onJoin(() => {}, { graceMs: 0 })();
  });

  test("an unknown option is refused with its name", async (t) => {
    const { client } = world(t, presence);
    for (const [options, name] of [
      [{ tokn: "secret" }, "tokn"],
      [{ client: { name: "x" } }, "client.name"],
      [{ beacons: { every: 5 } }, "beacons.every"],
      [{ backoff: { first: 5 } }, "backoff.first"],
      [{ thresholds: { staleMs: 5 } }, "thresholds.staleMs"],
    ]) {
      for (const act of [() => client(options), () => client().reconnect(options)]) {
        const { message } = await assert.failsWith("INVALID_ARGUMENT", act);
        assert.equal(message, `invalid options.${name}: there is no such option`);
      }
    }
    await assert.failsWith("INVALID_ARGUMENT", () => new presence.Roster({ ttl: 5 }));
    client({ beacons: true, thresholds: undefined, client: undefined });
  });
}
