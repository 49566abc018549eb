// The entry `/testing`: a client on a gateway whose roster the test sets.

import { hosts } from "../lib/world.mjs";

/** A WebSocket class like `WebSocket` that reports the parameters of a method's requests. */
function recording(WebSocket, wanted, report) {
  return class extends WebSocket {
    send(text) {
      const { method, params } = JSON.parse(text);
      if (method === wanted) report(params);
      super.send(text);
    }
  };
}

const STUDIO = { host: "studio", instanceId: "mac-1", reason: "connect" };

export default function testing({ test, assert, presence }) {
  /** Starts a client at a new gateway. */
  const start = (t) => {
    const gateway = new presence.TestGateway();
    const client = new presence.PresenceClient(gateway.options).start();
    t.after(() => client.close());
    return { gateway, client, clock: gateway.clock };
  };

  test("the roster is what the test sets, and ages on the test's clock", async (t) => {
    const { gateway, client, clock } = start(t);
    gateway.entries = [{ host: "early", instanceId: "early" }];
    await client.connected();
    await clock.advance(0);
    assert.deepEqual(hosts(client.roster), ["early"]);
    gateway.entries = [STUDIO, { host: "old", instanceId: "old", ts: clock.wallMs() - 200_000 }];
    await clock.advance(0);
    const shown = () => client.roster.rows.map(({ host, status }) => `${host} ${status}`);
    assert.deepEqual(shown(), ["studio Active", "old Idle"]);
    assert.equal(gateway.entries[0].ts, clock.wallMs());
    // Longer than the time after which a client leaves a silent gateway.
    const phases = [];
    client.addEventListener("connection", ({ connection }) => phases.push(connection.phase));
    await clock.advance(120_001);
    assert.deepEqual(shown(), ["studio Idle", "old Stale"]);
    assert.deepEqual(phases, []);
    assert.deepEqual(await client.request("system-presence"), gateway.entries);
    gateway.entries = [];
    await clock.advance(0);
    assert.deepEqual([client.roster.hasList, client.roster.rows], [true, []]);
  });

  test("a client reconnects to a gateway that was unreachable", async (t) => {
    const { gateway, client, clock } = start(t);
    gateway.entries = [STUDIO];
    await client.connected();
    gateway.isReachable = false;
    await clock.advance(60_000);
    assert.deepEqual([client.connection.phase, client.roster.isOffline, hosts(client.roster)], ["waiting", true, ["studio"]]);
    gateway.entries = [STUDIO, { host: "kiosk", instanceId: "kiosk" }];
    gateway.isReachable = true;
    await clock.advance(60_000);
    assert.deepEqual([client.connection.phase, hosts(client.roster).sort()], ["live", ["kiosk", "studio"]]);
  });

  test("by default a client requests the read scope only; beacons, which need more, are opt-in", async (t) => {
    const asked = [];
    const refused = (code) => Object.assign(new Error("missing scope: operator.admin"), { code });
    // Gateways of protocol 3 send no code.
    for (const code of ["MISSING_SCOPE", undefined]) {
      const gateway = new presence.TestGateway();
      gateway.answer = (method) => {
        if (method === "system-event" && !asked.at(-1).includes("operator.admin")) throw refused(code);
        return {};
      };
      const WebSocket = recording(gateway.options.WebSocket, "connect", ({ scopes }) => asked.push(scopes));
      const client = new presence.PresenceClient({ ...gateway.options, WebSocket }).start();
      t.after(() => client.close());
      const notices = [];
      client.addEventListener("notice", ({ error }) => notices.push(error));
      await client.connected();
      await gateway.clock.advance(300_000);
      assert.deepEqual([asked.pop(), notices], [["operator.read"], []]);

      client.reconnect({ beacons: true });
      await client.connected();
      await gateway.clock.advance(300_000);
      assert.deepEqual([asked, notices.map(({ code }) => code)], [[["operator.read"]], ["BEACON_REFUSED"]]);
      assert.match(notices.pop().remedy, /operator\.admin, which this gateway requires for beacons, or send none/);
      assert.equal(client.connection.phase, "live");

      client.reconnect({ scopes: ["operator.read", "operator.admin"] });
      await client.connected();
      await gateway.clock.advance(300_000);
      assert.deepEqual([asked.pop(), notices], [["operator.read", "operator.admin"], []]);
      asked.length = 0;
    }
  });

  test("the test sets refusals and answers requests", async (t) => {
    const { gateway, client } = start(t);
    gateway.refusal = "AUTH_TOKEN_MISMATCH";
    await assert.failsWith("AUTH_TOKEN_MISMATCH", () => client.connected());
    gateway.refusal = undefined;
    client.start();
    await client.connected();
    assert.deepEqual(await client.request("chat.send"), {});
    gateway.answer = (method, params) => {
      if (method === "no.such.method") throw new Error("unknown method");
      return { method, params };
    };
    assert.deepEqual(await client.request("chat.send", { text: "hi" }), { method: "chat.send", params: { text: "hi" } });
    const error = await assert.failsWith("REFUSED", () => client.request("no.such.method"));
    assert.match(error.message, /unknown method/);
  });

  test("the clock advances while a test runner fakes the platform's timers", async (t) => {
    const { gateway, client, clock } = start(t);
    gateway.entries = [STUDIO];
    await client.connected();
    const { setTimeout } = globalThis;
    const faked = ["setTimeout", "setImmediate", "MessageChannel", "queueMicrotask"].filter((name) => name in globalThis);
    const originals = faked.map((name) => [name, globalThis[name]]);
    // Called with `new` too.
    for (const name of faked) globalThis[name] = function () { return { port1: {}, port2: { postMessage() {} } }; };
    try {
      client.reconnect({});
      const late = new Promise((resolve) => setTimeout(resolve, 5_000, "late"));
      assert.equal(await Promise.race([clock.advance(1_000).then(() => client.connection.phase), late]), "live");
    } finally {
      for (const [name, original] of originals) globalThis[name] = original;
    }
  });

  test("answers may be promises; a rejection refuses the request", async (t) => {
    const { gateway, client } = start(t);
    await client.connected();
    gateway.answer = async (method, params) => {
      await undefined;
      if (method === "no.such.method") throw Object.assign(new Error("unknown method"), { code: "UNKNOWN" });
      return { method, params };
    };
    assert.deepEqual(await client.request("chat.send", { text: "hi" }), { method: "chat.send", params: { text: "hi" } });
    const refused = await assert.failsWith("REFUSED", () => client.request("no.such.method"));
    assert.deepEqual([refused.message, refused.detail], ["unknown method", "UNKNOWN"]);
    gateway.answer = () => Promise.reject();
    await assert.failsWith("REFUSED", () => client.request("chat.send"));
  });
}
