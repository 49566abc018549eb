// Tabs of Chromium that share one connection to the real gateway.

import { after, before, describe, test } from "node:test";

import * as assert from "./lib/assert.mjs";
import { openPage, startBrowser } from "./lib/browser.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { serve } from "./lib/server.mjs";
import { LIMIT_MS } from "./lib/until.mjs";

describe("shared tabs", () => {
  const ends = [];
  let origin;
  let browser;
  before(async () => {
    const t = { after: (end) => ends.unshift(end) };
    origin = await serve(t);
    browser = await startBrowser(t);
  });
  after(async () => {
    for (const end of ends) await end();
  });

  /** Opens tabs of one visitor; each has its client in `client`. */
  const visit = async (t, count, options = {}) => {
    const { url, token } = await startGateway(t);
    const context = await browser.newContext();
    t.after(() => context.close());
    const pages = [];
    for (let opened = 0; opened < count; opened += 1) {
      const sockets = [];
      const page = await openPage(context, "about:blank");
      page.on("websocket", (socket) => sockets.push(socket));
      await page.goto(`${origin}/tests/browser/page.html`);
      await page.evaluate(
        async (given) => {
          const { PresenceClient } = await import("openclaw-presence");
          await import("openclaw-presence/shared");
          globalThis.counts = [];
          globalThis.client = new PresenceClient({ ...given, deviceKey: false, shared: true });
          client.subscribe(() => client.roster.hasList && counts.push(client.roster.rows.length));
          await client.start().connected();
        },
        { url, token, ...options },
      );
      pages.push(Object.assign(page, { sockets }));
    }
    return pages;
  };
  const socketsOf = (pages) => pages.map(({ sockets }) => sockets.length);
  /** Waits in a page until its client is live with this number of rows. */
  const live = (page, rows) =>
    page.waitForFunction((rows) => {
      const { connection, roster } = client;
      return connection.phase === "live" && !roster.isOffline && roster.rows.length === rows;
    }, rows, { timeout: LIMIT_MS });

  test("five tabs have one connection and one row, and another tab leads when the leader is closed", async (t) => {
    const [leader, ...others] = await visit(t, 5);
    assert.deepEqual(socketsOf([leader, ...others]), [1, 0, 0, 0, 0]);
    const ids = new Set();
    for (const page of [leader, ...others]) {
      await live(page, 2);
      ids.add(await page.evaluate(() => client.instanceId));
      assert.equal((await page.evaluate(() => client.request("health"))).ok, true);
    }
    assert.equal(ids.size, 1);
    // Until another tab leads, the others may show the list without a connection.
    const opened = Promise.any(others.map((page) => page.waitForEvent("websocket", { timeout: LIMIT_MS })));
    await leader.close();
    await opened;
    for (const page of others) {
      await page.waitForFunction(() => client.connection.phase === "live", undefined, { timeout: LIMIT_MS });
      await live(page, 2);
      ids.add(await page.evaluate(() => client.instanceId));
      const counts = await page.evaluate(() => counts);
      assert.ok(counts.every((count) => count === 2), `rows stay: ${counts}`);
      assert.deepEqual(page.complaints, []);
    }
    assert.equal(ids.size, 1, "the row is the same");
    assert.equal(socketsOf(others).reduce((sum, count) => sum + count, 0), 1);
  });

  test("beacons report the input of any tab", async (t) => {
    const [leader, other] = await visit(t, 2);
    await other.mouse.move(5, 5);
    await other.mouse.move(9, 9);
    await leader.evaluate(() => client.beacon());
    const hasInput = () => client.roster.rows.find(({ isOwn }) => isOwn)?.lastInputMs < 60_000;
    await leader.waitForFunction(hasInput, undefined, { timeout: LIMIT_MS });
  });

  test("a suspended leader is replaced, and follows after it resumes", async (t) => {
    const pages = await visit(t, 2);
    const [leader, other] = pages;
    const session = await leader.context().newCDPSession(leader);
    // Headless Chromium freezes no page, because each is visible; a page paused by the debugger does not run either.
    await session.send("Debugger.enable");
    await session.send("Debugger.pause");
    await other.waitForEvent("websocket", { timeout: LIMIT_MS });
    await live(other, 2);
    await session.send("Debugger.disable");
    await live(leader, 2);
    assert.deepEqual(socketsOf(pages), [1, 1]);
    assert.equal((await leader.evaluate(() => client.request("health"))).ok, true);
    assert.ok(leader.sockets[0].isClosed(), "the old connection is closed");
  });
});
