// Failures, and what the client reports about them.

import { record, world } from "../lib/world.mjs";

export default function failures({ test, assert, presence, internal }) {
  const { PresenceClient } = presence;

  test("a trap in the core stops the client with a code and a remedy", async (t) => {
    const { clock, gateway, client, peer } = world(t, presence);
    const { prototype } = internal.glue.Client;
    for (const method of ["text", "advance", "poll", "timeout", "serverMs"]) {
      const dashboard = client({ instanceId: method });
      const events = record(dashboard);
      dashboard.subscribe(() => {});
      dashboard.start();
      await dashboard.connected();
      await clock.advance(0);
      const waiting = method === "text" ? assert.failsWith("CLOSED", () => dashboard.request("health")) : undefined;
      const sound = prototype[method];
      prototype[method] = () => {
        throw new WebAssembly.RuntimeError("unreachable");
      };
      try {
        peer({ instanceId: `peer of ${method}` });
        await clock.advance(400_000);
      } finally {
        prototype[method] = sound;
      }
      await waiting;
      assert.equal(dashboard.connection.phase, "refused", method);
      assert.equal(dashboard.connection.error.code, "INTERNAL");
      assert.match(dashboard.connection.error.remedy, /start/);
      assert.equal(events.filter(({ type }) => type === "error").length, 1);
      assert.equal(dashboard.roster.rows.length > 0, true, "the last roster can still be read");
      dashboard.start();
      await dashboard.connected();
      dashboard.close();
    }
    assert.ok(gateway.connections > 0);
  });

  test("a trap in a list without a connection is INTERNAL too", async (t) => {
    const { prototype } = internal.glue.Roster;
    const { apply } = prototype;
    t.after(() => (prototype.apply = apply));
    prototype.apply = () => {
      throw new WebAssembly.RuntimeError("unreachable");
    };
    await assert.failsWith("INTERNAL", () => new presence.Roster().apply("[]"));
  });

  test("members nested too deeply for the stack harm nothing", () => {
    const roster = new presence.Roster();
    const nested = (depth, inner) => `${'{"a":['.repeat(depth)}${inner}${"]}".repeat(depth)}`;
    for (const inner of [1, 2, 2]) {
      const members = `"deep":${nested(100_000, inner)},"flat":${nested(20, inner)}`;
      roster.apply(`[{"instanceId":"a","ts":1,"host":"h",${members}}]`, 2);
      const [row] = roster.list(2);
      assert.equal(roster.diff(2).removed.length, 0);
      assert.equal(roster.entries().length, 1);
      assert.deepEqual(roster.findings(), []);
      assert.equal(roster.explain(row.key, 2).key, row.key);
      assert.equal(row.host, "h");
      let { flat } = row.entry;
      while (flat.a) {
        assert.ok(Object.isFrozen(flat) && Object.isFrozen(flat.a));
        [flat] = flat.a;
        if (typeof flat !== "object") break;
      }
      assert.equal(flat, inner);
    }
  });

  test("labels that fail for a value of another client are replaced by the English ones", async (t) => {
    const { clock, client, peer } = world(t, presence);
    const complaints = [];
    const { error } = console;
    console.error = (thrown) => complaints.push(thrown.message);
    t.after(() => (console.error = error));
    const reasons = { connect: "verbunden" };
    const labels = {
      reasonLabel: (reason) => reasons[reason],
      platformLabel(platform) {
        throw new Error(`no label for ${platform}`);
      },
    };
    const dashboard = client({ labels }).start();
    dashboard.subscribe(() => {});
    await dashboard.connected();
    const other = peer();
    const row = () => dashboard.roster.rows.find(({ host }) => host === "Peer");
    await clock.advance(1_000);
    assert.deepEqual([row().reasonLabel, row().platformLabel], ["verbunden", "Linux"]);
    // The first is a function, the second is `undefined`.
    for (const reason of ["constructor", "periodic"]) {
      other.beacon({ reason });
      await clock.advance(1_000);
      assert.equal(row().reasonLabel, presence.reasonLabel(reason));
    }
    assert.equal(dashboard.connection.phase, "live");
    assert.ok(complaints.includes("no label for linux"), complaints.join());
  });

  test("a store that cannot release an id does not keep the client from stopping", async (t) => {
    const { client } = world(t, presence);
    const release = () => {
      throw new Error("EBUSY");
    };
    const dashboard = client({ instanceId: { acquire: () => ({ id: "busy", release }) } }).start();
    await dashboard.connected();
    dashboard.stop();
    assert.equal(dashboard.connection.phase, "stopped");
  });

  test("a device key that throws connects like one that cannot sign", async (t) => {
    const { client } = world(t, presence);
    const { deviceId, publicKey } = await presence.deviceKey(await presence.generateKeyPair());
    const sign = () => {
      throw new Error("the key is locked");
    };
    const ends = [];
    for (const signing of [() => Promise.reject(new Error("locked")), sign]) {
      const dashboard = client({ deviceKey: { deviceId, publicKey, sign: signing } }).start();
      ends.push(await dashboard.connected().then(() => "connected", ({ code }) => code));
      dashboard.close();
    }
    assert.equal(ends[1], ends[0]);
  });

  test("an unknown error code of a gateway becomes REFUSED, with the code as its detail", async (t) => {
    const names = ["constructor", "__proto__", "toString"];
    for (const code of [...names, "AUTH_", "AUTH_NEW\nLINE", "DEVICE_ANYTHING", "NOT_READY", "FREED"]) {
      const { gateway, client } = world(t, presence);
      const Inventing = function (url) {
        const socket = new gateway.WebSocket(url);
        let handler = null;
        Object.defineProperty(socket, "onmessage", {
          set: (given) => (handler = given),
          get: () => (event) => handler?.(event.data.includes('"hello-ok"') ? { data: refusal(event.data, code) } : event),
        });
        return socket;
      };
      const dashboard = client({ WebSocket: Inventing }).start();
      const error = await assert.failsWith("REFUSED", () => dashboard.connected());
      assert.equal(error.detail, code);
    }
  });

  test("errors contain no secret from the url", async (t) => {
    const { client } = world(t, presence);
    for (const url of ["ftp://gate/?token=s3cret", "http://gate:x/#token=s3cret", "ws://user:s3cret@gate", "s3cret"]) {
      const error = await assert.failsWith("INVALID_ARGUMENT", () => new PresenceClient({ url }));
      assert.ok(!`${error.message} ${error.remedy} ${error.stack}`.includes("s3cret"), error.message);
    }
    const Refusing = function () {
      throw new Error("insecure");
    };
    const dashboard = client({ url: "ws://gate/path?token=s3cret", WebSocket: Refusing }).start();
    const error = await assert.failsWith("REFUSED", () => dashboard.connected());
    assert.match(error.message, /ws:\/\/gate\/path/);
    assert.ok(!error.message.includes("s3cret"), error.message);
  });

  test("the link that a gateway prints is accepted as the url", async (t) => {
    const { client } = world(t, presence, { auth: { mode: "token", secret: "right +%" } });
    const link = `http://127.0.0.1:18789/#token=${encodeURIComponent("right +%")}`;
    await client({ url: link }).start().connected();
    const other = client({ url: link, token: "wrong" }).start();
    await assert.failsWith("AUTH_TOKEN_MISMATCH", () => other.connected());
    other.reconnect({ token: undefined });
    await other.connected();
  });

  test("a plus sign in the link of a gateway is a plus sign, and a percent sign may stand alone", async (t) => {
    for (const secret of ["a+b", "a%b"]) {
      const { client } = world(t, presence, { auth: { mode: "token", secret } });
      await client({ url: `http://127.0.0.1:18789/#token=${secret}` }).start().connected();
    }
  });

  test("a frame that is too large ends the connection, and is not copied to the core as a whole", async (t) => {
    const { clock, gateway, client } = world(t, presence);
    const { prototype } = internal.glue.Client;
    const { text } = prototype;
    let longest = 0;
    prototype.text = function (socket, frame, ...times) {
      longest = Math.max(longest, frame.length);
      return text.call(this, socket, frame, ...times);
    };
    t.after(() => (prototype.text = text));
    let socket;
    const Socket = function (url) {
      return (socket = new gateway.WebSocket(url));
    };
    const dashboard = client({ WebSocket: Socket }).start();
    await dashboard.connected();
    socket.onmessage({ data: "x".repeat(64 * 1024 * 1024) });
    await clock.advance(0);
    assert.deepEqual([dashboard.connection.phase, dashboard.connection.error.detail], ["waiting", "FRAME_TOO_LARGE"]);
    assert.ok(longest <= 32 * 1024 * 1024 + 1, `${longest} characters`);
  });

  test("the error of a failing store names the store and its error code", async (t) => {
    const { client } = world(t, presence);
    const denied = () => Promise.reject(Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" }));
    for (const options of [{ instanceId: { acquire: denied } }, { deviceKey: { load: denied } }]) {
      const error = await assert.failsWith("STORE_FAILED", () => client(options).start().connected());
      assert.equal(error.detail, "EACCES");
      assert.match(error.message, /permission denied/);
      assert.match(error.remedy, /store/);
    }
  });

  test("without the read scope there is no list", async (t) => {
    const { clock, client } = world(t, presence);
    const dashboard = client({ scopes: ["operator.pairing"] });
    const events = record(dashboard);
    dashboard.start();
    await dashboard.connected();
    await clock.advance(0);
    assert.equal(dashboard.roster.hasList, false);
    const notice = events.find(({ type }) => type === "notice");
    assert.equal(notice.error.code, "NO_READ_SCOPE");
    assert.match(notice.error.remedy, /operator\.read/);
    dashboard.reconnect({ scopes: ["operator.read"] });
    await dashboard.connected();
    assert.equal(dashboard.roster.hasList, true);
    dashboard.reconnect({ scopes: ["operator.pairing"] });
    await dashboard.connected();
    assert.equal(dashboard.roster.hasList, false);
    assert.deepEqual(dashboard.roster.rows, []);
  });
}

function refusal(hello, code) {
  const { id } = JSON.parse(hello);
  const error = { code: "INVALID_REQUEST", message: "no", details: { code }, retryable: false };
  return JSON.stringify({ type: "res", id, ok: false, error });
}
