// The React hooks: in Chromium against a real gateway, and on a server.

import "./lib/state-folder.mjs";

import { test } from "node:test";

import { build } from "esbuild";

import * as assert from "./lib/assert.mjs";
import { openPage, startBrowser } from "./lib/browser.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { serve } from "./lib/server.mjs";

const file = (path) => new URL(path, import.meta.url).pathname;

/** One file out of a component of `browser/`, with the hooks of that entry. */
async function bundle(name, entry) {
  const { outputFiles } = await build({
    entryPoints: [file(`browser/${name}`)],
    bundle: true,
    format: "esm",
    write: false,
    jsx: "automatic",
    nodePaths: [file("node_modules")],
    external: ["node:*"],
    alias: { "openclaw-presence/react": file(`../dist/${entry}`) },
    define: { "process.env.NODE_ENV": '"development"' },
  });
  return outputFiles[0].text;
}

test("components are drawn when what they selected changed", async (t) => {
  const gateway = await startGateway(t);
  const script = { body: await bundle("react-app.jsx", "entry/react.js"), headers: { "content-type": "text/javascript" } };
  const origin = await serve(t, { "/app.js": script });
  const browser = await startBrowser(t);
  const page = await openPage(await browser.newContext(), `${origin}/tests/browser/page.html`);
  await page.evaluate(async ([url, token]) => {
    await import("/app.js");
    app.start({ url, token });
  }, [gateway.url, gateway.token]);
  await page.locator("li", { hasText: "React" }).waitFor();
  assert.equal(await page.locator("output").innerText(), "2");
  const clients = () => page.evaluate(() => [...app.clients].map(({ state }) => state.phase));
  assert.deepEqual((await clients()).filter((phase) => phase !== "stopped"), ["live"], "strict mode leaves one running");

  const renders = () => page.evaluate(() => ({ ...app.renders }));
  // The first beacon and the input behind it come in their own time.
  await page.mouse.move(10, 10);
  await page.waitForFunction(() => [...app.clients].at(-1).roster.rows.some(({ lastInputText }) => lastInputText !== ""));
  const before = await renders();
  await page.evaluate(() => [...app.clients].at(-1).beacon("periodic"));
  await page.waitForFunction((list) => app.renders.list > list, before.list);
  const after = await renders();
  assert.equal(after.count, before.count, "the number is the same");
  assert.equal(after.names, before.names, "the names are the same");

  await page.evaluate(async ([url, token]) => {
    const { PresenceClient } = await import("openclaw-presence");
    new PresenceClient({ url, token, instanceId: "visitor", client: { displayName: "Visitor" }, deviceKey: false }).start();
  }, [gateway.url, gateway.token]);
  await page.locator("p", { hasText: "Visitor" }).waitFor();
  assert.equal(await page.locator("output").innerText(), "3");

  await page.evaluate(() => app.setShown(false));
  await page.locator("em").waitFor();
  assert.ok((await clients()).every((phase) => phase === "stopped"), "unmounting disconnects");
  await page.evaluate(() => app.setShown(true));
  await page.locator("li", { hasText: "React" }).waitFor();
  assert.deepEqual(page.complaints, []);
});

test("a server renders the empty roster and connects to nothing", async () => {
  const script = await bundle("react-server.jsx", "node/react.js");
  const { client, html } = await import(`data:text/javascript,${encodeURIComponent(script)}`);
  assert.equal(html, "<p>0 stopped</p>");
  assert.equal(client.state.phase, "stopped");
});
