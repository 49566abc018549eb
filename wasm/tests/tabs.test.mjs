// Ids and keys of tabs, with a browser's real storage and locks.

import { before, after, describe, test } from "node:test";

import * as assert from "./lib/assert.mjs";
import { openPage, startBrowser } from "./lib/browser.mjs";
import { serve } from "./lib/server.mjs";

const PAGE = "/tests/browser/page.html";

/** Takes an id in a page, which holds it while it is open. */
const take = (page) =>
  page.evaluate(async () => {
    const { browserInstanceId } = await import("openclaw-presence");
    globalThis.lease = await browserInstanceId().acquire();
    return globalThis.lease.id;
  });

describe("tabs", () => {
  const ends = [];
  let browser;
  let origin;
  let insecure;
  before(async () => {
    const t = { after: (end) => ends.unshift(end) };
    origin = await serve(t);
    insecure = origin.replace("127.0.0.1", "plain.test");
    browser = await startBrowser(t, ["--host-resolver-rules=MAP plain.test 127.0.0.1"]);
  });
  after(async () => {
    for (const end of ends) await end();
  });

  const visitor = async (t) => {
    const context = await browser.newContext();
    t.after(() => context.close());
    return { open: (base = origin) => openPage(context, `${base}${PAGE}`) };
  };

  test("each tab holds the lowest free slot, and a closed tab's slot is free again", async (t) => {
    const { open } = await visitor(t);
    const pages = [await open(), await open(), await open()];
    const ids = [];
    for (const page of pages) ids.push(await take(page));
    assert.match(ids[0], /^[0-9a-f-]{36}$/);
    assert.deepEqual(ids, [ids[0], `${ids[0]}.2`, `${ids[0]}.3`]);
    await pages[1].close();
    assert.equal(await take(await open()), ids[1]);
  });

  test("a reload keeps the slot", async (t) => {
    const { open } = await visitor(t);
    const [first, second] = [await open(), await open()];
    const ids = [await take(first), await take(second)];
    for (let time = 0; time < 5; time += 1) {
      await first.reload();
      assert.equal(await take(first), ids[0], `reload ${time}`);
      await second.reload();
      assert.equal(await take(second), ids[1], `reload ${time}`);
    }
  });

  test("a returning visitor has the same id", async (t) => {
    const { open } = await visitor(t);
    const page = await open();
    const id = await take(page);
    await page.close();
    assert.equal(await take(await open()), id);
  });

  test("tabs that open together never collide", async (t) => {
    const { open } = await visitor(t);
    const pages = await Promise.all(Array.from({ length: 6 }, () => open()));
    const ids = await Promise.all(pages.map(take));
    assert.equal(new Set(ids).size, 6);
  });

  test("on plain http a reload keeps the id and a duplicated tab gets another", async (t) => {
    const { open } = await visitor(t);
    const page = await open(insecure);
    assert.deepEqual(
      await page.evaluate(() => [isSecureContext, typeof navigator.locks, typeof crypto.subtle]),
      [false, "undefined", "undefined"],
    );
    const id = await take(page);
    await page.reload();
    assert.equal(await take(page), id);
    // A popup starts with a copy of its opener's sessionStorage, like a duplicated tab.
    const [twin] = await Promise.all([page.waitForEvent("popup"), page.evaluate(() => void window.open(location.href))]);
    await twin.waitForLoadState();
    const copied = await twin.evaluate(() => sessionStorage.getItem("openclaw-presence:tab-instance-id"));
    assert.equal(copied, id);
    assert.notEqual(await take(twin), id);
    assert.equal(await page.evaluate(() => globalThis.lease.id), id);
  });

  test("all tabs have one device key, which is stored and cannot be read", async (t) => {
    const { open } = await visitor(t);
    const load = (page) =>
      page.evaluate(async () => {
        const { browserDeviceKey } = await import("openclaw-presence");
        return (await browserDeviceKey().load()).deviceId;
      });
    const [first, second] = [await open(), await open()];
    const ids = await Promise.all([load(first), load(second)]);
    assert.equal(ids[0], ids[1]);
    await first.reload();
    assert.equal(await load(first), ids[0]);
    const extractable = await second.evaluate(
      () =>
        new Promise((resolve) => {
          indexedDB.open("openclaw-presence").onsuccess = ({ target }) => {
            const keys = target.result.transaction("keys").objectStore("keys").get("device");
            keys.onsuccess = () => resolve(keys.result.privateKey.extractable);
          };
        }),
    );
    assert.equal(extractable, false);
  });

  test("on plain http there is no device key", async (t) => {
    const { open } = await visitor(t);
    const page = await open(insecure);
    const key = await page.evaluate(async () => (await import("openclaw-presence")).browserDeviceKey().load());
    assert.equal(key, undefined);
  });
});
