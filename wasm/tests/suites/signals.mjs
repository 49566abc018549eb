// What is given up by a signal, and options that do not exist.

import { world } from "../lib/world.mjs";

/** A signal that counts who listens to it. */
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

export default function signals({ test, assert, presence }) {
  test("a signal gives up waiting, and is let go of", async (t) => {
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
      assert.equal(await wait(signal).catch((error) => error), reason, "nothing begins");
      assert.equal(listeners.size, 0, "even if what began never ends");
    }
  });

  test("a signal that is not used is let go of when the answer is there", async (t) => {
    const { client } = world(t, presence);
    const dashboard = client();
    const { signal, listeners } = counted();
    dashboard.start({ signal });
    await dashboard.connected({ signal });
    await dashboard.request("health", undefined, { signal });
    assert.equal(listeners.size, 1, "the start's");
    dashboard.stop();
    assert.equal(listeners.size, 0);
  });

  test("a signal stops a client that was started with it, and starts none", async (t) => {
    const { client } = world(t, presence);
    const dashboard = client();
    const { controller, signal } = counted();
    dashboard.start({ signal });
    await dashboard.connected();
    controller.abort();
    assert.equal(dashboard.state.phase, "stopped");
    dashboard.start({ signal });
    assert.equal(dashboard.state.phase, "stopped");
    dashboard.start();
    await dashboard.connected();
  });

  test("an option that does not exist is refused by its name", async (t) => {
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
