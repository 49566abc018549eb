// The WebChat sample.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { closeBrowser, visit } from "./lib/browser.mjs";
import { tokenServer } from "../../../web-demo/webchat/token-server.mjs";
import { atEnd } from "./lib/ends.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { live, rowsWhen } from "./lib/roster.mjs";
import { within } from "./lib/wait.mjs";

after(closeBrowser);

const SOURCES = ["webchat.html", "webchat/webchat.ts"];
const SERVER = "webchat/token-server.mjs";
const read = (name) => readFileSync(fileURLToPath(new URL(`../../../web-demo/${name}`, import.meta.url)), "utf8");

test("the sample is under 60 lines, and the page shows its source unchanged", async (t) => {
  const texts = SOURCES.map(read);
  const lines = texts.join("").trimEnd().split("\n").length;
  assert.ok(lines < 60, `${lines} lines`);
  const gateway = await startGateway(t);
  const visitor = await visit(t);
  const page = await visitor.open(`${gateway.page}#/webchat`);
  await page.getByText(`${lines} lines`).waitFor();
  const shown = await page.locator(".source code").allTextContents();
  assert.deepEqual(shown.sort(), [...texts, read(SERVER)].sort());
});

test("the sample has its own row, shows who is online, and sends messages between tabs", async (t) => {
  const gateway = await startGateway(t);
  const visitor = await visit(t);
  const page = await visitor.open(gateway.link);
  await live(page);
  await page.getByRole("link", { name: "WebChat" }).click();
  const frame = page.frameLocator("iframe");
  await frame.locator("#strip li", { hasText: "You" }).waitFor();
  await within("gateway, page and sample", async () => (await frame.locator("#strip li").count()) === 3);
  await gateway.run("beacon", "--instance-id", "bot", "--host", "🦞bot", "--reason", "disconnect");
  await frame.locator("#strip li").getByText("🦞", { exact: true }).waitFor();

  const opened = visitor.context.waitForEvent("page");
  await page.getByRole("link", { name: "Open in a tab of its own" }).click();
  const tab = await opened;
  await tab.locator("#strip li").nth(4).waitFor();
  await tab.getByLabel("Message").fill("Hello <b>there</b>");
  await tab.getByRole("button", { name: "Send" }).click();
  await frame.locator("#messages .them", { hasText: "Hello <b>there</b>" }).waitFor();
  await tab.getByRole("button", { name: "Who is here?" }).click();
  await tab.locator("presence-roster").getByText("this client").waitFor();
  await tab.keyboard.press("Tab");
  await tab.keyboard.press("Escape");
  await tab.locator("presence-roster").waitFor({ state: "hidden" });
  assert.equal(await tab.evaluate(() => document.activeElement.textContent), "Who is here?", "focus returns to the button");

  await tab.close();
  await page.getByRole("link", { name: "Instances", exact: true }).click();
  await rowsWhen(page, "both as Left", (rows) => rows.filter(({ name, status }) => name === "Chrome" && status === "Left").length === 2);
});

test("where the browser blocks storage, the sample is not connected, and its chat works", async (t) => {
  const gateway = await startGateway(t);
  const visitor = await visit(t);
  await visitor.context.addInitScript(() => {
    const get = () => { throw new DOMException("blocked", "SecurityError"); };
    for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, { get });
    // Firefox has the class, and its constructor throws.
    window.BroadcastChannel = function () { get(); };
  });
  const page = await visitor.open(new URL("webchat.html", gateway.page).href);
  await page.getByLabel("Message").fill("Hello");
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator("#messages .me", { hasText: "Hello" }).waitFor();
  await page.getByRole("button", { name: "Who is here?" }).click();
  await page.locator("presence-roster").getByText("Not connected").waitFor();
});

test("the token server answers signed-in users only, and no cache keeps the token", async (t) => {
  const gateway = { url: "wss://gateway.example", token: "secret" };
  const server = tokenServer(({ headers }) => headers.cookie === "session=1", gateway);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  atEnd(t, () => new Promise((resolve) => server.close(resolve).closeAllConnections()));
  const ask = (options, path = "/presence") => fetch(`http://127.0.0.1:${server.address().port}${path}`, options);
  const signedIn = { method: "POST", headers: { cookie: "session=1" } };
  const response = await ask(signedIn);
  assert.deepEqual([response.headers.get("cache-control"), await response.json()], ["no-store", gateway]);
  for (const [status, options, path] of [[401, { method: "POST" }], [404, { headers: signedIn.headers }], [404, signedIn, "/"]]) {
    const refused = await ask(options, path);
    assert.equal(refused.status, status);
    assert.ok(!(await refused.text()).includes(gateway.token));
  }
});
