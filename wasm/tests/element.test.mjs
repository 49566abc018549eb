// The custom element in Chromium, at a real gateway.

import { after, before, describe, test } from "node:test";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import * as assert from "./lib/assert.mjs";
import { openPage, startBrowser } from "./lib/browser.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { serve } from "./lib/server.mjs";

/** The strictest policy that allows WebAssembly and a WebSocket: no inline script, no inline style. */
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ws:; img-src data:; " +
  "require-trusted-types-for 'script'; trusted-types lit-html";
const BLOCKED = POLICY.replace(" 'wasm-unsafe-eval'", "");

const SCREENSHOTS = fileURLToPath(new URL("../../target/screenshots/", import.meta.url));

const body = (inner) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>Roster</title><link rel="icon" href="data:,">
   <script type="module" src="/dist/entry/element.js"></script><main><h1>Chat</h1>${inner}</main></html>`;

/** A page whose elements use Lit's development build, which logs more warnings. */
const LIT_PAGE = `<!doctype html><html lang="en"><title>Lit</title><link rel="icon" href="data:,">
  <script type="importmap">{ "imports": {
    "lit": "/npm/lit/index.js",
    "lit-html": "/npm/lit-html/development/lit-html.js",
    "lit-html/is-server.js": "/npm/lit-html/development/is-server.js",
    "lit-element/lit-element.js": "/npm/lit-element/development/lit-element.js",
    "@lit/reactive-element": "/npm/@lit/reactive-element/development/reactive-element.js"
  } }</script>
  <script type="module" src="/dist/entry/element.js"></script>
  <script type="module">
    import { html, LitElement } from "lit";
    import { PresenceClient } from "/dist/index.js";
    customElements.define("chat-page", class extends LitElement {
      static properties = { heading: {} };
      client = new PresenceClient();
      render() { return html\`<presence-roster .client=\${this.client} heading=\${this.heading}></presence-roster>\`; }
    });
  </script>
  <chat-page heading="Team"></chat-page></html>`;

describe("<presence-roster>", () => {
  const ends = [];
  const t = { after: (end) => ends.unshift(end) };
  const pages = {};
  let browser;
  let origin;
  let gateway;
  before(async () => {
    gateway = await startGateway(t);
    const element = `<presence-roster url="${gateway.url}" token="${gateway.token}"></presence-roster>`;
    pages["/"] = { body: body(element), headers: { "content-security-policy": POLICY } };
    pages["/blocked"] = { body: body(element), headers: { "content-security-policy": BLOCKED } };
    pages["/wrong"] = { body: body(element.replace(gateway.token, "wrong")) };
    pages["/empty"] = { body: body("<presence-roster></presence-roster>") };
    pages["/lit"] = { body: LIT_PAGE };
    pages["/dark"] = { body: body(element), headers: { "content-security-policy": POLICY } };
    origin = await serve(t, pages);
    browser = await startBrowser(t);
    mkdirSync(SCREENSHOTS, { recursive: true });
  });
  after(async () => {
    for (const end of ends) await end();
  });

  /** Opens a page for a new visitor; the test fails if the page logs errors, unless `mayComplain` is set. */
  const open = async (t, path = "/", { mayComplain = false, ...options } = {}) => {
    const context = await browser.newContext({ viewport: { width: 800, height: 600 }, ...options });
    const page = await openPage(context, origin + path);
    t.after(async () => {
      await context.close();
      if (!mayComplain) assert.deepEqual(page.complaints, []);
    });
    return page;
  };
  const rows = (page) => page.locator("presence-roster li");
  /** Connects another client from a page's script. */
  const join = (page, name) =>
    page.evaluate(
      async ([url, token, displayName]) => {
        const { PresenceClient } = await import("/dist/index.js");
        const options = { url, token, instanceId: displayName, client: { displayName }, deviceKey: false };
        globalThis[displayName] = new PresenceClient(options).start();
        await globalThis[displayName].connected();
      },
      [gateway.url, gateway.token, name],
    );

  test("it shows the live roster under a strict content security policy", async (t) => {
    const page = await open(t);
    await rows(page).filter({ hasText: "this client" }).waitFor();
    const scopes = await page.evaluate(() => {
      const { roster } = document.querySelector("presence-roster").client;
      return roster.rows.find(({ isOwn }) => isOwn).scopes;
    });
    assert.deepEqual(scopes, ["operator.read"], "it asks for no more than it needs");
    assert.match(await page.locator("presence-roster [part=heading]").innerText(), /Instances \(\d+\)/);
    assert.match(await page.locator("presence-roster [part=connection]").innerText(), /^Live$/);
    await join(page, "Zoe");
    const zoe = rows(page).filter({ hasText: "Zoe" });
    await zoe.waitFor();
    assert.equal(await zoe.locator("[part=status]").innerText(), "Active");
    await page.evaluate(() => globalThis.Zoe.close());
    await zoe.filter({ hasText: "Left just now" }).waitFor();
    assert.equal(await zoe.locator("[part=status]").innerText(), "Left just now");
    assert.match(await page.locator("presence-roster [part=heading]").innerText(), /Instances \(\d+, \d+ left\)/);
    await page.screenshot({ path: `${SCREENSHOTS}/element-light.png` });
  });

  test("input in the page resets the last input of its own row", async (t) => {
    const page = await open(t);
    await rows(page).filter({ hasText: "this client" }).waitFor();
    await page.mouse.move(100, 100);
    await page.mouse.move(120, 120);
    await rows(page).filter({ hasText: "this client" }).filter({ hasText: "input just now" }).waitFor();
  });

  test("rows are sorted by name, with the gateway on top, and keep their elements", async (t) => {
    const page = await open(t);
    await rows(page).filter({ hasText: "this client" }).waitFor();
    await join(page, "Ben");
    await rows(page).filter({ hasText: "Ben" }).waitFor();
    const names = () => page.locator("presence-roster [part=host]").allInnerTexts();
    const before = await names();
    await page.evaluate(() => {
      const list = document.querySelector("presence-roster").shadowRoot.querySelectorAll("li");
      for (const item of list) item.nameBefore = item.querySelector("[part=host]").textContent;
    });
    // A name that sorts before that of the gateway.
    await join(page, "0 Ada");
    await rows(page).filter({ hasText: "0 Ada" }).waitFor();
    const [gateway, first, ...others] = await names();
    assert.match(await rows(page).first().locator("[part=details]").innerText(), /\bgateway$/);
    assert.deepEqual([first, gateway, ...others], ["0 Ada", ...before]);
    assert.deepEqual(others, [...others].sort(new Intl.Collator().compare));
    const kept = await page.evaluate(() => {
      const { shadowRoot } = document.querySelector("presence-roster");
      return [...shadowRoot.querySelectorAll("li")].map((item) => item.nameBefore);
    });
    assert.deepEqual(kept, [gateway, undefined, ...others], "each row has the element that it had");
  });

  test("an accessibility checker finds nothing", async (t) => {
    for (const colorScheme of ["light", "dark"]) {
      const page = await open(t, "/", { colorScheme, bypassCSP: true, mayComplain: true });
      await page.evaluate((scheme) => (document.documentElement.style.colorScheme = scheme), colorScheme);
      await rows(page).filter({ hasText: "this client" }).waitFor();
      await page.addScriptTag({ url: `${origin}/npm/axe-core/axe.min.js` });
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), [], colorScheme);
      await page.screenshot({ path: `${SCREENSHOTS}/element-${colorScheme}.png` });
    }
  });

  test("screen readers hear joins and leaves in one announcement, not age changes", async (t) => {
    const page = await open(t, "/empty");
    await page.evaluate(
      async ([url, token]) => {
        const { PresenceClient } = await import("/dist/index.js");
        const element = document.querySelector("presence-roster");
        // With these thresholds, every row changes its status within a second.
        element.client = new PresenceClient({ url, token, deviceKey: false, thresholds: { activeMs: 300, idleMs: 600 } }).start();
        globalThis.announced = [];
        const region = element.shadowRoot.querySelector("[role=status]");
        const observer = new MutationObserver(() => announced.push(region.textContent));
        observer.observe(region, { childList: true, characterData: true, subtree: true });
      },
      [gateway.url, gateway.token],
    );
    const announced = async (count) => {
      await page.waitForFunction((count) => globalThis.announced.length >= count, count);
      return page.evaluate(() => globalThis.announced);
    };
    assert.equal(await page.locator("presence-roster [role=status]").getAttribute("aria-live"), "polite");
    await announced(1);
    await Promise.all([join(page, "Kim"), join(page, "Lou")]);
    await announced(2);
    for (const name of ["Kim", "Lou"]) await rows(page).filter({ hasText: name }).filter({ hasText: "Stale" }).waitFor();
    await page.evaluate(() => [globalThis.Kim, globalThis.Lou].map((client) => client.close()));
    const [first, ...others] = await announced(3);
    assert.match(first, /^\d+ instances?/);
    assert.match(others.join(" | "), /^(Kim, Lou|Lou, Kim) joined \| (Kim, Lou|Lou, Kim) left$/);
  });

  test("after a restart of the gateway, only clients that stay away are announced as left", async (t) => {
    const own = await startGateway(t);
    const page = await open(t, "/empty", { mayComplain: true });
    await page.evaluate(
      async ([url, token]) => {
        const { PresenceClient } = await import("/dist/index.js");
        for (const displayName of ["Kim", "Ned"]) {
          const options = { url, token, instanceId: displayName, client: { displayName }, deviceKey: false };
          globalThis[displayName] = new PresenceClient(options).start();
          await globalThis[displayName].connected();
        }
        const element = document.querySelector("presence-roster");
        element.client = new PresenceClient({ url, token, deviceKey: false }).start();
        globalThis.announcements = [];
        const region = element.shadowRoot.querySelector("[role=status]");
        const observer = new MutationObserver(() => announcements.push(region.textContent));
        observer.observe(region, { childList: true, characterData: true, subtree: true });
      },
      [own.url, own.token],
    );
    const heard = (pattern) => page.waitForFunction((pattern) => announcements.some((text) => new RegExp(pattern).test(text)), pattern);
    await heard("instances");
    await own.stop();
    await page.evaluate(() => globalThis.Ned.close());
    await own.start();
    await heard("Ned left");
    await rows(page).filter({ hasText: "Kim" }).filter({ hasText: "Active" }).waitFor();
    const announcements = await page.evaluate(() => globalThis.announcements);
    assert.ok(announcements.every((text) => !text.includes("Kim")), announcements.join(" | "));
  });

  test("it fits narrow phones", async (t) => {
    const page = await open(t, "/", { viewport: { width: 320, height: 600 } });
    await rows(page).filter({ hasText: "this client" }).waitFor();
    const [inner, scroll] = await page.evaluate(() => [innerWidth, document.documentElement.scrollWidth]);
    assert.ok(scroll <= inner, `${scroll} > ${inner}`);
    await page.screenshot({ path: `${SCREENSHOTS}/element-narrow.png` });
  });

  test("the layout does not move when a text in a row changes", async (t) => {
    const page = await open(t);
    const own = rows(page).filter({ hasText: "this client" });
    await own.waitFor();
    const height = () => own.evaluate((item) => item.getBoundingClientRect().height);
    const before = await height();
    await page.mouse.move(50, 50);
    await own.filter({ hasText: "input just now" }).waitFor();
    assert.equal(await height(), before);
  });

  test("after a wrong token, the element says what to do", async (t) => {
    const page = await open(t, "/wrong");
    const connection = page.locator("presence-roster [part=connection]");
    await connection.filter({ hasText: "token mismatch" }).waitFor();
    assert.match(await connection.innerText(), /Give the token/);
    assert.equal(await connection.getAttribute("data-phase"), "refused");
  });

  test("in a page that forbids WebAssembly, the element says how to allow it", async (t) => {
    const page = await open(t, "/blocked", { mayComplain: true });
    await page.locator("presence-roster [part=connection]").filter({ hasText: "wasm-unsafe-eval" }).waitFor();
  });

  test("without a url it asks for one, and it accepts the app's own client", async (t) => {
    const page = await open(t, "/empty");
    await page.locator("presence-roster [part=empty]").filter({ hasText: "No gateway is set" }).waitFor();
    await page.evaluate(
      async ([url, token]) => {
        const { PresenceClient } = await import("/dist/index.js");
        globalThis.mine = new PresenceClient({ url, token }).start();
        document.querySelector("presence-roster").client = globalThis.mine;
      },
      [gateway.url, gateway.token],
    );
    await rows(page).filter({ hasText: "this client" }).waitFor();
    const counts = await page.evaluate(async () => {
      const element = document.querySelector("presence-roster");
      let events = 0;
      element.addEventListener("roster", () => (events += 1));
      element.client = null;
      await new Promise((resolve) => setTimeout(resolve));
      return [element.client === undefined, element.roster === undefined, events, globalThis.mine.connection.phase];
    });
    assert.deepEqual(counts, [true, true, 1, "live"], "a given client goes on");
  });

  test("it is connected while it is in the page, and moving it keeps the connection", async (t) => {
    const page = await open(t);
    await rows(page).filter({ hasText: "this client" }).waitFor();
    const phases = await page.evaluate(async () => {
      const element = document.querySelector("presence-roster");
      const { client } = element;
      const settle = () => new Promise((resolve) => setTimeout(resolve));
      document.body.append(element);
      await settle();
      const moved = [element.client === client, client.connection.phase];
      element.remove();
      await settle();
      return [...moved, element.client === undefined, client.connection.phase];
    });
    assert.deepEqual(phases, [true, "live", true, "stopped"]);
  });

  test("it can be imported twice, and defined under another name", async (t) => {
    const page = await open(t);
    const result = await page.evaluate(async () => {
      const { definePresenceRoster, PresenceRosterElement } = await import("/dist/entry/element.js");
      definePresenceRoster();
      definePresenceRoster("other-roster");
      return [
        document.createElement("presence-roster") instanceof PresenceRosterElement,
        document.createElement("other-roster") instanceof PresenceRosterElement,
      ];
    });
    assert.deepEqual(result, [true, true]);
  });

  test("a page with another copy of Lit can render it", async (t) => {
    const page = await open(t, "/lit");
    const heading = page.locator("presence-roster [part=heading]");
    await heading.filter({ hasText: "Team" }).waitFor();
    await page.locator("presence-roster [part=empty]").filter({ hasText: "No roster yet" }).waitFor();
    await page.evaluate(() => (document.querySelector("chat-page").heading = "Crew"));
    await heading.filter({ hasText: "Crew" }).waitFor();
    assert.equal(await page.evaluate(() => globalThis.litHtmlVersions.length), 2);
  });
});

test("importing it on a server defines nothing and throws nothing", async () => {
  const { definePresenceRoster, PresenceRosterElement } = await import("../dist/entry/element.js");
  definePresenceRoster();
  assert.equal(typeof PresenceRosterElement, "function");
  assert.ok(!("customElements" in globalThis) && !("HTMLElement" in globalThis), "it adds no browser globals");
});

test("Lit is bundled: no module and no type of the package imports it", () => {
  const dist = new URL("../dist/", import.meta.url);
  const files = readdirSync(dist, { recursive: true }).filter((name) => /\.(js|cjs|ts|cts)$/.test(name));
  const lit = /(from |import |import\(|require\()"(@lit|lit)/;
  const imports = files.filter((name) => lit.test(readFileSync(new URL(name, dist), "utf8")));
  assert.deepEqual(imports, []);
  assert.match(readFileSync(new URL("vendor/lit-html/LICENSE", dist), "utf8"), /BSD 3-Clause/);
});
