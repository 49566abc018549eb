// Listeners and signals that end a client whose connection is shared.

import { sharing } from "../lib/tabs.mjs";

export default function sharedListeners({ test, assert, presence }) {
  const { open, started } = sharing(presence);

  test("a listener may stop the tab that leads, or is about to", async (t) => {
    const all = open(t);
    const [leader, next] = await started(all, 2);
    leader.client.subscribe(() => leader.client.stop());
    next.client.addEventListener("connection", ({ connection }) => connection.phase === "connecting" && next.client.stop());
    all.peer();
    await all.clock.advance(5_000);
    assert.deepEqual([leader, next].map(({ client }) => client.connection.phase), ["stopped", "stopped"]);
    assert.equal(all.counts.open.size, 0);
  });

  test("a closed tab stays closed, whatever its listeners do", async (t) => {
    const all = open(t);
    const [tab] = await started(all, 1);
    const codes = [];
    tab.client.addEventListener("connection", ({ connection }) => {
      if (connection.phase === "stopped") codes.push(assert.failsWith("FREED", () => tab.client.start()));
    });
    tab.client.close();
    await all.clock.advance(1_000);
    await Promise.all(codes);
    assert.deepEqual([tab.client.connection.phase, all.counts.open.size, codes.length], ["stopped", 0, 1]);
  });

  for (const end of ["stop", "close", "abort"]) {
    test(`a listener may end its client in the first event of the start: ${end}`, async (t) => {
      const all = open(t);
      await presence.ready();
      const { client } = all.tab();
      const controller = new AbortController();
      client.addEventListener("connection", () => (end === "abort" ? controller.abort() : client[end]()), { once: true });
      client.start({ signal: controller.signal });
      await all.clock.advance(5_000);
      assert.deepEqual([client.connection.phase, all.counts.sockets], ["stopped", 0]);
      if (end === "close") return;
      client.start();
      await all.clock.advance(5_000);
      assert.deepEqual([client.connection.phase, all.counts.open.size], ["live", 1]);
    });
  }

  test("a pending `connected()` waits for the result of a reconnect, also with another gateway", async (t) => {
    const all = open(t);
    const { client } = all.tab();
    const waiting = client.start().connected().then(() => client.connection.phase, ({ code }) => code);
    client.reconnect({ url: "ws://127.0.0.1:18790" });
    client.reconnect({ scopes: ["operator.read", "operator.write"] });
    await all.clock.advance(5_000);
    assert.deepEqual([await waiting, all.counts.open.size], ["live", 1]);
    for (const end of ["stop", "close"]) {
      client.addEventListener("connection", () => client[end](), { once: true });
      client.reconnect({ url: `ws://127.0.0.1:1878${end.length}` });
      await all.clock.advance(5_000);
      assert.deepEqual([client.connection.phase, all.counts.open.size], ["stopped", 0], end);
      if (end === "stop") await client.start().connected();
    }
  });

  for (const end of ["stop", "close"]) {
    test(`a listener may end the tab that leads while it reconnects: ${end}`, async (t) => {
      const all = open(t);
      const [leader, next] = await started(all, 2);
      leader.client.addEventListener("connection", () => leader.client[end](), { once: true });
      leader.client.reconnect({ scopes: ["operator.read", "operator.write"] });
      assert.equal(leader.client.connection.phase, "stopped");
      await all.clock.advance(5_000);
      assert.deepEqual([leader, next].map(({ client }) => client.connection.phase), ["stopped", "live"]);
      assert.equal(all.counts.open.size, 1);
    });
  }
}
