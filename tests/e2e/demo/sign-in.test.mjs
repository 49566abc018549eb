// Signing in by the printed link and by the form, and refusals.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { closeBrowser, picture, twoFrames, visit } from "./lib/browser.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { check } from "./lib/looks.mjs";
import { live, rowsWhen } from "./lib/roster.mjs";

after(closeBrowser);

test("the printed link signs in, and the token is visible nowhere", async (t) => {
  const gateway = await startGateway(t);
  const visitor = await visit(t);
  const page = await visitor.open(gateway.link);
  await live(page);
  assert.equal(page.url(), `${gateway.page}#/instances`);
  const html = await page.content();
  assert.ok(!html.includes(gateway.token), "not in the document");
  const kept = await page.evaluate(() => ({ local: JSON.stringify(localStorage), cookie: document.cookie }));
  assert.ok(!kept.local.includes(gateway.token) && kept.cookie === "", "only this tab has the token");
  assert.ok(!gateway.stderr.includes(gateway.token), "not in the gateway's log");

  await page.reload();
  await live(page);
  const isOwn = ({ badges }) => badges.includes("this tab");
  await rowsWhen(page, "one row of this tab after a reload", (rows) => rows.length === 2 && rows.filter(isOwn).length === 1);
});

test("a later link with another token replaces the token, which is removed from the address bar too", async (t) => {
  const gateway = await startGateway(t);
  const visitor = await visit(t);
  const page = await visitor.open(`${gateway.page}#/paste`);
  assert.equal(await page.locator("h1:visible").textContent(), "Paste");
  await page.evaluate((link) => (location.href = link), gateway.link);
  await live(page);
  assert.equal(page.url(), `${gateway.page}#/instances`);
});

test("a second tab, opened from the first, is signed in and has its own row", async (t) => {
  const gateway = await startGateway(t);
  const visitor = await visit(t);
  const page = await visitor.open(gateway.link);
  await live(page);
  const opened = visitor.context.waitForEvent("page");
  await page.getByRole("link", { name: "Open a second tab" }).click();
  const second = await opened;
  await live(second);
  const rows = await rowsWhen(page, "both tabs", (rows) => rows.length === 3);
  const ids = rows.filter(({ name }) => name === "Chrome").map(({ where }) => where);
  assert.equal(new Set(ids).size, 2, ids.join());
  await page.locator(".tour li[data-seen]", { hasText: "second tab" }).waitFor();
  await second.close();
  await rowsWhen(page, "the second tab as Left", (rows) => rows.some(({ isConnected }) => !isConnected));
});

test("without a link the page shows the form, and says that a gateway serves it", async (t) => {
  const gateway = await startGateway(t);
  const visitor = await visit(t);
  const page = await visitor.open(gateway.page);
  await page.getByText("that requires its token").waitFor();
  assert.equal(await page.getByLabel("Address of the gateway").inputValue(), gateway.url);
  await page.getByLabel("Secret", { exact: true }).fill(gateway.token);
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await live(page);
  await page.getByRole("button", { name: "Disconnect" }).click();
  await page.getByLabel("Address of the gateway").waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0, "the token is forgotten");
  await page.locator("h1:visible:focus").waitFor();
  await page.getByLabel("Address of the gateway").fill("not an address");
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await page.getByRole("alert").filter({ hasText: "An address looks like" }).waitFor();
});

test("after a disconnect the form has the address of the gateway", async (t) => {
  const gateway = await startGateway(t);
  const visitor = await visit(t);
  const page = await visitor.open(gateway.link);
  await live(page);
  await page.getByRole("button", { name: "Disconnect" }).click();
  await page.getByLabel("Address of the gateway").waitFor();
  assert.equal(await page.getByLabel("Address of the gateway").inputValue(), gateway.url);
});

test("a late answer about the page's own gateway does not replace an address that the user typed", async (t) => {
  const gateway = await startGateway(t, ["--auth", "none"]);
  const visitor = await visit(t);
  let answer;
  const asked = new Promise((resolve) => {
    visitor.context.route("**/gateway.json", (route) => {
      answer = () => route.continue();
      resolve();
    });
  });
  const page = await visitor.open(gateway.page);
  const address = page.getByLabel("Address of the gateway");
  await address.fill("wss://elsewhere.example");
  await asked;
  await Promise.all([page.waitForResponse("**/gateway.json"), answer()]);
  await twoFrames(page);
  assert.equal(await address.inputValue(), "wss://elsewhere.example");
  assert.equal(await page.locator(".pill").getAttribute("data-phase"), "stopped");
});

test("the page connects at once to a gateway without authentication", async (t) => {
  const gateway = await startGateway(t, ["--auth", "none"]);
  const visitor = await visit(t);
  await live(await visitor.open(gateway.page));
});

test("a wrong token is refused, and the page says why and what to do", async (t) => {
  const gateway = await startGateway(t);
  const visitor = await visit(t);
  const page = await visitor.open(`${gateway.page}#token=wrong`);
  const bar = page.locator('.view:visible .connection[data-phase="refused"]');
  await bar.waitFor();
  assert.match(await bar.innerText(), /refuses this page[\s\S]*token mismatch[\s\S]*token/i);
  assert.equal(page.url(), `${gateway.page}#/instances`);
  assert.equal(await bar.getByRole("button", { name: "Try now" }).isVisible(), false, "only another token helps");
  await page.getByRole("link", { name: "Timeline" }).click();
  await page.getByText(/The gateway refuses this page: .*token mismatch/).waitFor();
  await page.getByRole("link", { name: "Connect", exact: true }).click();
  // The page stops retrying, and shows the form with the address that it tried.
  assert.equal(await page.getByLabel("Address of the gateway").inputValue(), gateway.url);
  await page.getByLabel("Secret", { exact: true }).fill(gateway.token);
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await live(page);
});

test("if a secret is refused later, the form appears above the last known rows", async (t) => {
  const gateway = await startGateway(t);
  const visitor = await visit(t, { expected: [/WebSocket connection/, /ERR_CONNECTION_REFUSED/] });
  const { token } = gateway;
  let isChanged = false;
  await visitor.context.routeWebSocket(/./, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((text) => server.send(isChanged ? text.replace(token, "old") : text));
  });
  const page = await visitor.open(gateway.link);
  await live(page);
  isChanged = true;
  await gateway.stop();
  await gateway.start();
  await page.locator('.view:visible .connection[data-phase="refused"]').waitFor();
  assert.equal(await page.getByLabel("Address of the gateway").inputValue(), gateway.url);
  await page.getByLabel("Secret", { exact: true }).fill(token);
  await check(page, "a secret that is refused later");
  await picture(page, "refused-later");
  isChanged = false;
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await live(page);
});

test("without a secure context (another machine, plain HTTP), the page works with reduced features", async (t) => {
  const gateway = await startGateway(t, ["--allowed-origin", "*"]);
  const visitor = await visit(t, { permissions: [] });
  const page = await visitor.open(gateway.link.replace("127.0.0.1", "gateway.test"));
  await live(page);
  assert.equal(await page.evaluate(() => isSecureContext), false);
  const [own] = (await rowsWhen(page, "two rows", (rows) => rows.length === 2)).slice(1);
  await page.getByText("Export", { exact: true }).click();
  await page.getByRole("button", { name: "Copy JSON" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  await page.reload();
  await live(page);
  const [again] = (await rowsWhen(page, "two rows", (rows) => rows.length === 2)).slice(1);
  assert.equal(again.where, own.where, "the same instance after a reload");
});
