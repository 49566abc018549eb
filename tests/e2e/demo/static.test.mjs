// The page in a folder of a static host, without a gateway.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { closeBrowser, visit } from "./lib/browser.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { live, rowsWhen } from "./lib/roster.mjs";
import { startStaticHost } from "./lib/static-host.mjs";

after(closeBrowser);

test("the page offers the playground, Paste, and a form to connect", async (t) => {
  const host = await startStaticHost(t);
  const visitor = await visit(t);
  const page = await visitor.open(host);
  await page.getByRole("heading", { name: "Connect to a gateway" }).waitFor();
  await page.getByRole("link", { name: "Paste a list" }).click();
  await page.getByRole("heading", { name: "Paste" }).waitFor();
  await page.goBack();
  await page.getByRole("link", { name: "Open the playground" }).click();
  await rowsWhen(page, "a world", (rows) => rows.length > 1);
  await page.getByRole("link", { name: "This tab" }).click();
  await page.getByText("This tab is in no roster").waitFor();
  await page.getByRole("link", { name: "WebChat" }).click();
  await page.frameLocator("iframe").getByRole("heading", { name: "WebChat" }).waitFor();
});

test("the links to all views fit into the narrowest phones", async (t) => {
  const host = await startStaticHost(t);
  const visitor = await visit(t, { width: 360, height: 740 });
  const page = await visitor.open(host);
  await page.getByRole("heading", { name: "Connect to a gateway" }).waitFor();
  const widths = await page.locator(".top nav").evaluate(({ scrollWidth, clientWidth }) => ({ scrollWidth, clientWidth }));
  assert.ok(widths.scrollWidth <= widths.clientWidth, JSON.stringify(widths));
});

for (const hasTouch of [false, true]) {
  test(`the header has its final height before the scripts run: ${hasTouch ? "touch" : "mouse"}`, async (t) => {
    const host = await startStaticHost(t);
    const options = { width: 360, height: 740, hasTouch };
    const heights = [];
    for (const javaScriptEnabled of [false, true]) {
      const visitor = await visit(t, { ...options, javaScriptEnabled });
      const page = await visitor.open(host);
      if (javaScriptEnabled) await page.getByRole("heading", { name: "Connect to a gateway" }).waitFor();
      heights.push((await page.locator(".top").boundingBox()).height);
    }
    assert.equal(heights[0], heights[1]);
  });
}

test("the pages declare the content security policy that the gateway sends", async (t) => {
  const gateway = await startGateway(t);
  const host = await startStaticHost(t);
  const sent = (await fetch(gateway.page)).headers.get("content-security-policy");
  // A page cannot declare `frame-ancestors` in a meta element.
  const expected = sent.replace("; frame-ancestors 'self'", "");
  for (const name of ["index.html", "webchat.html"]) {
    const html = await (await fetch(host + name)).text();
    const [, stated] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html) ?? [];
    assert.equal(stated, expected, name);
  }
});

test("the form connects to a gateway on another origin, and the WebChat sample connects too", async (t) => {
  const gateway = await startGateway(t);
  const host = await startStaticHost(t);
  const visitor = await visit(t);
  visitor.allow(new URL(gateway.page).origin);
  const page = await visitor.open(host);
  await page.getByLabel("Address of the gateway").fill(gateway.link);
  await page.getByLabel("Secret", { exact: true }).fill(gateway.token);
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await live(page);
  // The sample declares its own policy.
  await page.getByRole("link", { name: "WebChat" }).click();
  const frame = page.frameLocator("iframe");
  await frame.locator("#strip li", { hasText: "You" }).waitFor();
  await frame.getByLabel("Message").fill("Hello");
  await frame.getByRole("button", { name: "Send" }).click();
  await frame.locator("#messages .me", { hasText: "Hello" }).waitFor();
});

test("the playground says that its simulator cannot be loaded", async (t) => {
  let isAway = true;
  const host = await startStaticHost(t, { lacks: (name) => isAway && name.endsWith(".wasm") });
  const visitor = await visit(t, { expected: [/404/] });
  const page = await visitor.open(`${host}#/playground`);
  await page.getByText("The simulated gateway could not be loaded").waitFor();
  isAway = false;
  await page.getByRole("button", { name: "Try again" }).click();
  await rowsWhen(page, "a world", (rows) => rows.length > 0);
  await page.getByText("could not be loaded").waitFor({ state: "hidden" });
});
