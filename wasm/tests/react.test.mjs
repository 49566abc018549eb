// The React hooks: in Chromium at a real gateway, and on a server.

import "./lib/state-folder.mjs";

import { test } from "node:test";

import * as assert from "./lib/assert.mjs";
import { openPage, startBrowser } from "./lib/browser.mjs";
import { bundle } from "./lib/bundle.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { serve } from "./lib/server.mjs";

const file = (path) => new URL(path, import.meta.url).pathname;

/** Bundles a component of `browser/` with the hooks of this entry. */
const bundled = (name, entry) =>
  bundle(`export * from "./${name}"`, file("browser"), {
    external: ["node:*"],
    alias: { "openclaw-presence/react": file(`../dist/${entry}`) },
  });

/** Opens a page with `react-app.jsx`, at a gateway. */
async function openApp(t, main = "") {
  const gateway = await startGateway(t);
  const script = { body: await bundled("react-app.jsx", "entry/react.js"), headers: { "content-type": "text/javascript" } };
  const origin = await serve(t, { "/app.js": script });
  const browser = await startBrowser(t);
  const page = await openPage(await browser.newContext(), `${origin}/tests/browser/page.html`);
  await page.evaluate(async (html) => {
    document.querySelector("main").innerHTML = html;
    await import("/app.js");
  }, main);
  return { page, given: [gateway.url, gateway.token] };
}

test("components render when their selection has changed", async (t) => {
  const { page, given } = await openApp(t);
  await page.evaluate(([url, token]) => app.start({ url, token }), given);
  await page.locator("li", { hasText: "React" }).waitFor();
  assert.equal(await page.locator("output").innerText(), "2");
  const clients = () => page.evaluate(() => [...app.clients].map(({ connection }) => connection.phase));
  assert.deepEqual((await clients()).filter((phase) => phase !== "stopped"), ["live"], "strict mode leaves one running");
  assert.equal(await page.locator("#connection").innerText(), "live");
  assert.equal(await page.locator("#self").innerText(), "React true undefined");

  await page.locator("b", { hasText: "waiting" }).waitFor();
  assert.equal(await page.evaluate(() => app.renders.late), 0);
  await page.evaluate(() => app.finish());
  await page.locator("#late", { hasText: "finished true" }).waitFor();

  const renders = () => page.evaluate(() => ({ ...app.renders }));
  // Wait for the first beacon and the input after it.
  await page.mouse.move(10, 10);
  await page.waitForFunction(() => [...app.clients].at(-1).roster.rows.some(({ lastInputText }) => lastInputText !== ""));
  const before = await renders();
  await page.evaluate(() => [...app.clients].at(-1).beacon("periodic"));
  await page.waitForFunction((list) => app.renders.list > list, before.list);
  const after = await renders();
  assert.equal(after.count, before.count, "the number is the same");
  assert.equal(after.names, before.names, "the names are the same");
  assert.equal(after.connection, before.connection, "the connection is the same");

  await page.evaluate(async ([url, token]) => {
    const { PresenceClient } = await import("openclaw-presence");
    new PresenceClient({ url, token, instanceId: "visitor", client: { displayName: "Visitor" }, deviceKey: false }).start();
  }, given);
  await page.locator("#names", { hasText: "Visitor" }).waitFor();
  assert.equal(await page.locator("output").innerText(), "3");

  await page.evaluate(() => app.setShown(false));
  await page.locator("em").waitFor();
  assert.ok((await clients()).every((phase) => phase === "stopped"), "unmounting disconnects");
  await page.evaluate(() => app.setShown(true));
  await page.locator("li", { hasText: "React" }).waitFor();
  assert.deepEqual(page.complaints, []);
});

test("a page hydrates the server's markup, then shows the roster", async (t) => {
  const { page, given } = await openApp(t, '<p id="connection">stopped</p>');
  await page.evaluate(async ([url, token]) => {
    const { PresenceClient } = await import("openclaw-presence");
    const client = new PresenceClient({ url, token, deviceKey: false }).start();
    await client.connected();
    globalThis.rendered = document.querySelector("#connection");
    app.hydrate(client);
  }, given);
  await page.locator("#connection", { hasText: "live" }).waitFor();
  assert.ok(await page.evaluate(() => rendered === document.querySelector("#connection")), "the element was kept");
  assert.deepEqual(page.complaints, []);
});

test("a server renders the empty roster and opens no connection", async () => {
  const script = await bundled("react-server.jsx", "node/react.js");
  const { client, html, renderWithoutProvider } = await import(`data:text/javascript,${encodeURIComponent(script)}`);
  assert.equal(html, "<p>0 stopped</p>");
  assert.equal(client.connection.phase, "stopped");
  const { error } = renderWithoutProvider();
  assert.match(error.message, /wrap the component in <PresenceProvider>/);
});
