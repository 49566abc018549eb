// Rows of gateways that this gateway observes.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, test } from "node:test";

import { closeBrowser, picture, visit } from "./lib/browser.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { check } from "./lib/looks.mjs";
import { observe, observedRows } from "./lib/observing.mjs";
import { live, row, rows, rowsWhen } from "./lib/roster.mjs";

after(closeBrowser);

/** Opens a page at a gateway that observes others. */
async function observing(t, { observed = observedRows, ...options } = {}) {
  const gateway = await startGateway(t);
  const visitor = await visit(t, options);
  // The page compares rows, so create them once.
  const entries = observed();
  await observe(visitor.context, () => entries);
  const page = await visitor.open(gateway.link);
  await live(page);
  await rowsWhen(page, "all rows", (rows) => rows.length === entries.length + 2);
  return { gateway, page };
}

const cellOf = async (page, name) => (await row(page, name).locator("td.gateway").innerText()).trim();

test("a column states the gateway of each row, as soon as one row comes from another gateway", async (t) => {
  const { page } = await observing(t);
  const own = (await rows(page))[0].name;
  assert.deepEqual([await cellOf(page, own), await cellOf(page, "studio"), await cellOf(page, "desk")], [own, "home", "office"]);
  await page.getByRole("columnheader", { name: "Gateway" }).waitFor();
  await page.getByText("View", { exact: true }).click();
  await page.locator(".menu-box:visible").getByLabel("Gateway").uncheck();
  assert.equal(await page.getByRole("columnheader", { name: "Gateway" }).isVisible(), false);
});

test("a real gateway shows a reachable gateway and an unreachable one that it observes", async (t) => {
  const home = await startGateway(t);
  await home.run("beacon", "--instance-id", "pi", "--host", "attic-pi", "--mode", "node");
  // No gateway listens on port 1.
  const gateway = await startGateway(t, [
    "--observe", `home=${home.url}`, "--observe-token", `home=${home.token}`, "--observe", "office=ws://127.0.0.1:1",
  ]);
  const visitor = await visit(t);
  const page = await visitor.open(gateway.link);
  await live(page);
  await row(page, "attic-pi").waitFor();
  assert.deepEqual([await cellOf(page, "attic-pi"), await cellOf(page, "office")], ["home", "office"]);
  assert.deepEqual((await rows(page)).map(({ badges }) => badges), [["gateway"], ["this tab"], ["gateway"], ["gateway"], []]);
  assert.deepEqual(await page.locator(".notices.silent:visible .notice").allInnerTexts(), ["office: not reached so far."]);
  await page.getByRole("combobox", { name: "Gateway" }).selectOption("home");
  await rowsWhen(page, "rows of home", (rows) => rows.length === 2);
});

test("a recorded change to a time outside the calendar is shown as unknown", async (t) => {
  const observed = observedRows();
  const { gateway, page } = await observing(t, { observed: () => observed });
  await row(page, "studio").click();
  observed[1] = { ...observed[1], onlineSince: 1e17 };
  await gateway.run("beacon", "--instance-id", "pi", "--host", "attic-pi");
  const change = page.locator(".changes li", { hasText: "onlineSince" });
  assert.match(await change.innerText(), /nothing → unknown/);
});

test("without rows of other gateways there is no gateway column, filter or view option", async (t) => {
  const { page } = await observing(t, { observed: () => [] });
  assert.equal(await page.locator("th.gateway, td.gateway, #filter-gateway").count(), 0);
  await page.getByText("View", { exact: true }).click();
  const menu = page.locator(".menu-box:visible");
  await menu.getByLabel("Version").waitFor();
  assert.equal(await menu.getByLabel("Gateway").count(), 0);
});

test("an observed gateway is shown as a gateway, and a notice states how long it has been silent", async (t) => {
  const { page } = await observing(t);
  const found = await rows(page);
  const badges = Object.fromEntries(found.map(({ name, badges }) => [name, badges]));
  assert.deepEqual([badges["home.lan"], badges["office.example"], badges["studio"]], [["gateway"], ["gateway"], []]);
  assert.deepEqual(found.slice(2, 4).map(({ name }) => name), ["home.lan", "office.example"], "gateways stand before clients");
  assert.equal(await row(page, "home.lan").locator("td.input").innerText(), "–");
  const notices = await page.locator(".notices.silent:visible .notice").allInnerTexts();
  assert.deepEqual(notices, ["office: no sign of life for 6 minutes. Its rows are as last heard."]);
});

test("rows are filtered by their gateway, and the address keeps the filter", async (t) => {
  const { gateway, page } = await observing(t);
  const names = async () => (await rows(page)).map(({ name }) => name);
  const choice = page.getByRole("combobox", { name: "Gateway" });
  await choice.selectOption("home");
  assert.deepEqual(await names(), ["home.lan", "studio"]);
  assert.equal(page.url(), `${gateway.page}#/instances?gateway=home`);
  await page.reload();
  await live(page);
  assert.deepEqual(await names(), ["home.lan", "studio"]);
  await choice.selectOption({ index: 1 });
  assert.deepEqual((await rows(page)).map(({ badges }) => badges[0]), ["gateway", "this tab"]);
  assert.equal(page.url(), `${gateway.page}#/instances?gateway=`);
  await page.reload();
  await live(page);
  assert.equal((await names()).length, 2);
  await choice.selectOption("All");
  assert.equal((await names()).length, 6);
});

test("details, search and exported files name the gateway", async (t) => {
  const { page } = await observing(t);
  await page.getByLabel("Search").fill("home");
  assert.deepEqual((await rows(page)).map(({ name }) => name), ["home.lan", "studio"]);
  await page.getByText("Export", { exact: true }).click();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "As CSV" }).click()]);
  await page.keyboard.press("Escape");
  const [head, ...lines] = (await readFile(await download.path(), "utf8")).trim().split("\r\n");
  assert.deepEqual([head, ...lines].map((line) => line.split(",").at(-1)), ["gateway", "home", "home"]);
  const panel = page.getByRole("dialog", { name: "Details of an instance" });
  await row(page, "studio").click();
  await panel.getByText("via home", { exact: true }).waitFor();
  await row(page, "home.lan").click();
  await panel.getByText("home: this row is the gateway itself").waitFor();
});

for (const scheme of ["light", "dark"]) {
  for (const width of [360, 1440]) {
    test(`rows of several gateways: ${scheme}, ${width} px`, async (t) => {
      const { page } = await observing(t, { width, height: width === 360 ? 740 : 900, scheme, reducedMotion: "reduce" });
      const isNarrow = width === 360;
      const before = (name) =>
        row(page, name).locator("td.gateway").evaluate((cell) => getComputedStyle(cell, "::before").content);
      assert.deepEqual([await before("studio"), await before("home.lan")], isNarrow ? ['"via "', '"named "'] : ["none", "none"]);
      const isShown = await row(page, "Chrome").locator("td.gateway").isVisible();
      assert.equal(isShown, !isNarrow, "a card of the gateway's own rows has no line for the gateway");
      await check(page, `several gateways, ${scheme}, ${width} px`);
      await picture(page, `gateways-${scheme}-${width}`, { fullPage: true });
    });
  }
}
