// When an app is notified, and of what.

import { hosts, world } from "../lib/world.mjs";

export default function notifications({ test, assert, presence, internal }) {
  test("a change that was read before its notification is still notified", async (t) => {
    const { clock, client, peer } = world(t, presence);
    const dashboard = client();
    // A "connection" listener reads the roster before the subscribers are called.
    dashboard.addEventListener("connection", () => void dashboard.roster);
    const heard = [];
    dashboard.subscribe(() => heard.push(dashboard.roster.connection.phase));
    dashboard.addEventListener("roster", ({ roster }) => heard.push(`event ${roster.connection.phase}`));
    dashboard.start();
    await dashboard.connected();
    await clock.advance(0);
    assert.equal(heard.at(-1), "live");
    assert.ok(heard.includes("event live"));
    peer();
    await clock.advance(1_000);
    dashboard.stop();
    assert.equal(heard.at(-1), "stopped");
  });

  test("an age that was read before its timer fired is still notified", async (t) => {
    const { clock, client, peer } = world(t, presence);
    const dashboard = client().start();
    await dashboard.connected();
    const other = peer();
    other.beacon({ instanceId: "studio", host: "studio" });
    await clock.advance(1_000);
    const heard = [];
    const ageOf = (roster) => roster.rows.find(({ host }) => host === "studio")?.ageText;
    dashboard.addEventListener("roster", ({ roster }) => heard.push(ageOf(roster)));
    // Time passes without timers, as in a suspended page, and the app reads the roster first.
    const ahead = clock.ageMs.bind(clock);
    clock.ageMs = () => ahead() + 150_000;
    assert.equal(ageOf(dashboard.roster), "2m ago");
    clock.ageMs = ahead;
    await clock.advance(150_000);
    assert.ok(heard.includes("2m ago"), heard.join());
  });

  test("a stopped client is offline when its listeners are called", async (t) => {
    const { clock, client } = world(t, presence);
    const dashboard = client();
    const heard = [];
    dashboard.addEventListener("connection", ({ connection }) => heard.push(`${connection.phase} ${dashboard.roster.isOffline}`));
    dashboard.start();
    await dashboard.connected();
    await clock.advance(0);
    dashboard.stop();
    assert.equal(heard.at(-1), "stopped true");
  });

  test("a connection listener never reads old rows as current ones", async (t) => {
    const { clock, gateway, client, peer } = world(t, presence);
    const after = new presence.SimulatedGateway({ clock, self: { host: "after", mode: "gateway", reason: "self" } });
    t.after(() => after.free());
    let current = gateway;
    const Switching = function (url) {
      return new current.WebSocket(url);
    };
    const dashboard = client({ WebSocket: Switching });
    const shown = [];
    dashboard.addEventListener("connection", ({ connection }) => {
      const { isOffline } = dashboard.roster;
      if (connection.phase === "live" && !isOffline) shown.push(hosts(dashboard.roster));
    });
    dashboard.start();
    await dashboard.connected();
    peer();
    await clock.advance(1_000);
    gateway.shutdown("update");
    current = after;
    await clock.advance(60_000);
    await dashboard.connected();
    for (const names of shown) assert.equal(names.includes("Peer"), false);
    assert.equal(dashboard.roster.isOffline, false);
    assert.deepEqual(hosts(dashboard.roster), ["after", "Dashboard"]);
  });

  test("rows stay the same objects when the client reconnects with other options", async (t) => {
    const { clock, client, peer } = world(t, presence);
    const dashboard = client().start();
    await dashboard.connected();
    peer();
    await clock.advance(1_000);
    const row = () => dashboard.roster.rows.find(({ host }) => host === "Peer");
    const before = row();
    assert.ok(before);
    dashboard.reconnect({ scopes: ["operator.read"] });
    await dashboard.connected();
    await clock.advance(0);
    assert.equal(row(), before);
  });

  test("a change that a listener makes is notified after the current one, to all listeners in order", async (t) => {
    const { clock, client } = world(t, presence);
    const dashboard = client();
    dashboard.addEventListener("connection", ({ connection }) => connection.phase === "live" && dashboard.stop());
    dashboard.addEventListener("roster", ({ roster }) => {
      if (roster.connection.phase === "stopped" && states.length === 3) dashboard.start();
    });
    const states = [];
    const rosters = [];
    let last;
    dashboard.addEventListener("connection", ({ connection }) => states.push(connection.phase));
    dashboard.addEventListener("roster", ({ before, roster }) => {
      if (last) assert.equal(before, last, "each change follows the one before");
      last = roster;
      rosters.push(roster.connection.phase);
    });
    dashboard.start();
    await clock.advance(1_000);
    assert.deepEqual(states, ["connecting", "live", "stopped", "connecting", "live", "stopped"]);
    assert.equal(rosters.at(-1), "stopped");
    assert.equal(new Set(rosters.map((phase, at) => phase === rosters[at - 1])).has(true), false, rosters.join());
  });

  test("a listener that starts a refused client again does not precede its error", async (t) => {
    const { clock, client } = world(t, presence);
    const dashboard = client({ instanceId: { acquire: () => Promise.reject(new Error("disk full")) } });
    let isAgain = false;
    dashboard.addEventListener("connection", ({ connection }) => {
      if (connection.phase !== "refused" || isAgain) return;
      isAgain = true;
      dashboard.start();
    });
    const heard = [];
    dashboard.addEventListener("connection", ({ connection }) => heard.push(connection.phase));
    dashboard.addEventListener("error", () => heard.push("error"));
    dashboard.start();
    await clock.advance(1_000);
    assert.deepEqual(heard, ["connecting", "refused", "error", "connecting", "refused", "error"]);
  });

  test("subscribing does not call the subscriber", async (t) => {
    const { clock, client, peer } = world(t, presence);
    const dashboard = client().start();
    await dashboard.connected();
    let calls = 0;
    dashboard.subscribe(() => (calls += 1));
    assert.equal(calls, 0);
    assert.deepEqual(hosts(dashboard.roster), ["gateway", "Dashboard"]);
    peer();
    await clock.advance(1_000);
    assert.equal(calls, 1);
  });

  test("only roster listeners and subscribers make the client watch the roster", async (t) => {
    const { client } = world(t, presence);
    const { prototype } = internal.glue.Client;
    const sound = prototype.setWatched;
    const watched = [];
    prototype.setWatched = function (isWatched, ...times) {
      watched.push(isWatched);
      return sound.call(this, isWatched, ...times);
    };
    t.after(() => (prototype.setWatched = sound));
    const dashboard = client();
    dashboard.addEventListener("notice", () => {});
    dashboard.addEventListener("connection", () => {});
    dashboard.start();
    await dashboard.connected();
    const listener = () => {};
    dashboard.addEventListener("roster", listener);
    const unsubscribe = dashboard.subscribe(() => {});
    dashboard.removeEventListener("roster", listener);
    unsubscribe();
    assert.deepEqual(watched, [false, true, false]);
  });

  test("for await yields the current roster, then the newest after each change", async (t) => {
    const { clock, client, peer } = world(t, presence);
    const dashboard = client().start();
    await dashboard.connected();
    const seen = [];
    const reading = (async () => {
      for await (const roster of dashboard) seen.push(roster.rows.length);
    })();
    await clock.advance(1_000);
    peer();
    await clock.advance(1_000);
    dashboard.stop();
    await reading;
    assert.deepEqual(seen.filter((size, index) => size !== seen[index - 1]), [2, 3]);
  });

  test("for await throws the error of a refusal", async (t) => {
    const { client } = world(t, presence, { auth: { mode: "password", secret: "right" } });
    const dashboard = client({ password: "wrong" }).start();
    await assert.failsWith("AUTH_PASSWORD_MISMATCH", async () => {
      for await (const roster of dashboard) void roster;
    });
  });

  test("`return` ends an iterator at once, including its pending read", async (t) => {
    const { clock, client } = world(t, presence);
    const dashboard = client().start();
    await dashboard.connected();
    const iterator = dashboard[Symbol.asyncIterator]();
    await clock.advance(0);
    const { value } = await iterator.next();
    assert.equal(value, dashboard.roster);
    const waiting = iterator.next();
    // The roster does not change any more: without `return`, this would wait forever.
    assert.deepEqual(await iterator.return(), { done: true, value: undefined });
    assert.deepEqual(await waiting, { done: true, value: undefined });
    assert.deepEqual(await iterator.next(), { done: true, value: undefined });
  });

  test("methods that return promises reject instead of throwing", async (t) => {
    const { client } = world(t, presence);
    const dashboard = client();
    dashboard.close();
    const circular = {};
    circular.self = circular;
    for (const call of [
      () => dashboard.connected(),
      () => dashboard.request("health"),
      () => dashboard.beacon(),
      () => dashboard.explain("peer"),
    ]) {
      const promise = call();
      await assert.failsWith("FREED", () => promise);
    }
    const other = client().start();
    await other.connected();
    const promise = other.request("health", circular);
    await assert.failsWith("INVALID_ARGUMENT", () => promise);
  });

  test("a list that only reorders rows causes no notification", async (t) => {
    const { clock, gateway, client, peer } = world(t, presence);
    let edit = (text) => text;
    const Editing = function (url) {
      const socket = new gateway.WebSocket(url);
      const editing = { send: (text) => socket.send(text), close: (...args) => socket.close(...args) };
      socket.onopen = () => editing.onopen?.();
      socket.onclose = (event) => editing.onclose?.(event);
      socket.onmessage = ({ data }) => {
        const text = edit(data);
        if (text) editing.onmessage?.({ data: text });
      };
      editing.again = (text) => editing.onmessage?.({ data: text });
      Editing.last = editing;
      return editing;
    };
    const dashboard = client({ WebSocket: Editing, deltas: false });
    let list;
    edit = (text) => {
      const frame = JSON.parse(text);
      if (frame.event === "presence") list = frame;
      return text;
    };
    dashboard.start();
    await dashboard.connected();
    for (const instanceId of ["a", "b", "c"]) peer({ instanceId, displayName: instanceId });
    await clock.advance(1_000);
    const heard = [];
    dashboard.subscribe(() => heard.push(dashboard.roster));
    const before = dashboard.roster;
    assert.equal(before.rows.length, 5);
    // Rows with equal `ts` would keep the order of the list, so give each row its own `ts`.
    const listed = list.payload.presence.map((entry, at) => ({ ...entry, ts: entry.ts - at }));
    const again = (entries, seq) => {
      const payload = { ...list.payload, presence: entries };
      Editing.last.again(JSON.stringify({ ...list, seq, payload }));
    };
    again(listed, list.seq + 1);
    const rows = dashboard.roster.rows;
    heard.length = 0;
    again([...listed].reverse(), list.seq + 2);
    assert.equal(dashboard.roster.rows, rows);
    assert.deepEqual(heard, []);
  });
}
