// Time: statuses under a controlled clock, and a restart of the gateway.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { closeBrowser, visit } from "./lib/browser.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { live, row, rows, rowsWhen } from "./lib/roster.mjs";
import { within } from "./lib/wait.mjs";

after(closeBrowser);

test("a row turns Idle and Stale at the right ages, and no cell moves", async (t) => {
  // A tick event would correct the page's clock.
  const gateway = await startGateway(t, ["--tick-interval-ms", "3600000", "--ttl", "1h"]);
  const visitor = await visit(t);
  await visitor.context.clock.install();
  const page = await visitor.open(gateway.link);
  await live(page);
  await gateway.run("beacon", "--instance-id", "mac-1", "--host", "studio", "--mode", "ui");
  const studio = row(page, "studio");
  await studio.filter({ hasText: "Active" }).filter({ hasText: "just now" }).waitFor();
  const places = () => page.locator("tr.row td, tr.row th").evaluateAll((cells) =>
    cells.map((cell) => cell.getBoundingClientRect().toJSON()));
  const before = await places();
  await page.clock.runFor(61_000);
  await studio.filter({ hasText: "Active" }).filter({ hasText: "1 minute ago" }).waitFor();
  assert.deepEqual(await places(), before, "no cell moves while ages tick");
  await page.clock.runFor(62_000);
  await studio.filter({ hasText: "Idle" }).filter({ hasText: "2m ago" }).waitFor();
  await page.clock.runFor(182_000);
  await studio.filter({ hasText: "Stale" }).filter({ hasText: "5m ago" }).waitFor();
});

test("the age limits of Active and Idle can be chosen, and are kept in the address over a reload", async (t) => {
  const gateway = await startGateway(t, ["--tick-interval-ms", "3600000", "--ttl", "1h"]);
  const visitor = await visit(t);
  await visitor.context.clock.install();
  const page = await visitor.open(gateway.link);
  await live(page);
  await page.getByText("View", { exact: true }).click();
  await page.getByLabel("Active up to").selectOption("1 min");
  await live(page);
  await page.getByLabel("Idle up to").selectOption("10 min");
  await page.keyboard.press("Escape");
  await live(page);
  assert.equal(page.url(), `${gateway.page}#/instances?active=60&idle=600`);
  const sockets = [];
  page.on("websocket", (socket) => sockets.push(socket.url()));
  await page.reload();
  await live(page);
  assert.equal(sockets.length, 1, "the first connection uses these ages already");
  await gateway.run("beacon", "--instance-id", "mac-1", "--host", "studio", "--mode", "ui");
  const studio = row(page, "studio");
  await studio.filter({ hasText: "Active" }).waitFor();
  await page.clock.runFor(62_000);
  await studio.filter({ hasText: "Idle" }).waitFor();
  await page.clock.runFor(300_000);
  await studio.filter({ hasText: "Idle" }).filter({ hasText: "6m ago" }).waitFor();
  await page.getByText("Connection health", { exact: true }).click();
  await page.getByText("Active up to 1 min, Idle up to 10 min, then Stale").waitFor();
});

test("changing the age limits keeps the rows and their recorded changes", async (t) => {
  const gateway = await startGateway(t);
  const visitor = await visit(t);
  const page = await visitor.open(gateway.link);
  await live(page);
  await gateway.run("beacon", "--instance-id", "mac-1", "--host", "studio", "--mode", "ui");
  await row(page, "studio").click();
  await gateway.run("beacon", "--instance-id", "mac-1", "--host", "studio", "--mode", "local");
  const panel = page.getByRole("dialog", { name: "Details of an instance" });
  await panel.locator(".changes li", { hasText: "mode" }).waitFor();
  const changes = () => panel.locator(".changes li div").allInnerTexts();
  const known = await changes();
  await page.getByText("Events in this tab", { exact: true }).click();
  await page.locator(".timeline-events li").getByText("studio joined").waitFor();

  const sockets = [];
  page.on("websocket", (socket) => sockets.push(socket));
  // Renders between the two connections count too.
  await page.evaluate(() => {
    window.counts = new Set();
    const body = document.querySelector(".view:not([hidden]) table.roster tbody");
    new MutationObserver(() => counts.add(body.querySelectorAll("tr.row").length)).observe(body, { childList: true });
  });
  await page.getByText("View", { exact: true }).click();
  await page.getByLabel("Active up to").selectOption("1 min");
  await within("another connection", () => sockets.length === 1);
  await live(page);
  await gateway.run("beacon", "--instance-id", "mac-1", "--host", "studio", "--mode", "remote");
  await panel.locator(".changes li", { hasText: "remote" }).waitFor();
  assert.deepEqual((await changes()).slice(1), known);
  const events = page.locator(".timeline-events li");
  assert.deepEqual(await events.evaluateAll((items) => items.map((item) => item.lastChild.textContent)), ["studio joined"]);
  assert.deepEqual((await rows(page)).map(({ badges }) => badges), [["gateway"], ["this tab"], []]);
  assert.deepEqual(await page.evaluate(() => [...counts]), []);
});

for (const width of [360, 1440]) {
  test(`when the gateway restarts, the page shows Offline, reconnects, and has one row again: ${width} px`, async (t) => {
    const gateway = await startGateway(t);
    const visitor = await visit(t, { width, expected: [/ERR_CONNECTION_REFUSED/, /WebSocket connection to/] });
    const page = await visitor.open(gateway.link);
    await live(page);
    const before = await rowsWhen(page, "two rows", (rows) => rows.length === 2);
    const box = () => page.locator(".roster-box:visible").boundingBox();
    const place = await box();
    await gateway.stop();
    const bar = page.locator('.view:visible .connection[data-phase="waiting"]');
    await bar.waitFor();
    assert.match(await bar.innerText(), /Offline[\s\S]*trying again (in \d+ s|now)[\s\S]*Rows are as last heard\./);
    assert.equal((await rowsWhen(page, "the rows as they were", (rows) => rows.length === 2)).length, 2);
    // Later attempts fail with another reason than the close.
    await bar.getByText("No connection to the gateway").waitFor();
    const isCut = await bar.locator(".connection-text").evaluate((text) => text.scrollHeight > text.clientHeight + 1);
    assert.equal(isCut, false, "the whole reason is visible");
    assert.deepEqual(await box(), place, "the list does not move");
    await gateway.start();
    await page.getByRole("button", { name: "Try now" }).click({ timeout: 5_000 }).catch(() => {});
    await live(page);
    const isBack = (rows) => rows.length === 2 && rows.every(({ isConnected }) => isConnected);
    const after = await rowsWhen(page, "one row of this tab", isBack);
    assert.equal(after[1].where, before[1].where, "with the same instanceId");
    assert.deepEqual(await box(), place);
  });
}
