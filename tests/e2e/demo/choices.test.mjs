// A visitor's filters, order and columns are kept in the address and in exported files, and survive a reload.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, test } from "node:test";

import { closeBrowser, visit } from "./lib/browser.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { sendBeacons } from "./lib/people.mjs";
import { live, row, rowsWhen } from "./lib/roster.mjs";

after(closeBrowser);

/** Opens a page at a gateway that lists these instances: `[id, host, mode]`. */
async function withInstances(t, instances) {
  const gateway = await startGateway(t);
  for (const [id, host, mode] of instances) {
    await gateway.run("beacon", "--instance-id", id, "--host", host, "--mode", mode, "--no-last-input");
  }
  const visitor = await visit(t);
  const page = await visitor.open(gateway.link);
  await live(page);
  await rowsWhen(page, "all rows", (rows) => rows.length === instances.length + 2);
  return { gateway, page };
}

test("filters, order, columns and the open row are in the address, and a reload shows the same", async (t) => {
  const { gateway, page } = await withInstances(t, [["a", "apple", "node"], ["b", "berry", "node"], ["c", "cherry", "ui"]]);
  await page.getByRole("combobox", { name: "Mode" }).selectOption("node");
  await page.getByRole("button", { name: "Reverse order" }).click();
  await page.getByText("View", { exact: true }).click();
  await page.getByLabel("Version").uncheck();
  await page.getByLabel("Times instead of ages").check();
  await page.keyboard.press("Escape");
  await row(page, "apple").click();

  const isChosen = async () => {
    const [first, second, ...others] = await rowsWhen(page, "the nodes", (rows) => rows.length === 2);
    assert.deepEqual([first.name, second.name, others], ["berry", "apple", []]);
    assert.match(second.seen, /^\d\d:\d\d:\d\d /);
    assert.equal(await page.getByRole("columnheader", { name: "Version" }).isVisible(), false);
    assert.equal(await page.getByRole("columnheader", { name: "Instance" }).getAttribute("aria-sort"), "descending");
    await page.getByRole("dialog", { name: "Details of an instance" }).getByRole("heading", { name: "apple" }).waitFor();
  };
  await isChosen();
  assert.equal(page.url(), `${gateway.page}#/instances?mode=node&sort=-name&hide=version&time=absolute&row=instance%3Aa`);
  await page.reload();
  await live(page);
  await isChosen();
});

test("invalid values in the address are ignored, and all rows are shown", async (t) => {
  const { gateway, page } = await withInstances(t, [["a", "apple", "node"]]);
  await page.goto(`${gateway.page}#/instances?sort=-__proto__&hide=constructor+who&status=gone&row=nobody&active=-1&idle=1e9`);
  assert.equal((await rowsWhen(page, "all rows", (rows) => rows.length === 3)).length, 3);
  assert.equal(await page.getByRole("columnheader", { name: "Version" }).isVisible(), true);
});

test("a link is followed even if a filter changes before the hashchange event", async (t) => {
  const { page } = await withInstances(t, [["a", "apple", "node"]]);
  // The address changes immediately; its event comes in a later task. A render in between must not undo the link.
  await page.getByRole("combobox", { name: "Mode" }).evaluate((mode) => {
    location.hash = "#/this-tab";
    mode.value = "node";
    mode.dispatchEvent(new Event("change", { bubbles: true }));
  });
  await page.getByRole("heading", { name: "This tab", exact: true }).waitFor();
  await page.getByRole("link", { name: "Instances", exact: true }).click();
  await rowsWhen(page, "the rows of the chosen mode", (rows) => rows.length === 1 && rows[0].name === "apple");
});

test("the rows shown can be saved as CSV and JSON, and no CSV cell is a formula", async (t) => {
  const { page } = await withInstances(t, [["a", '=HYPERLINK("x")', "node"], ["b", "berry, the second", "ui"], ["c", "Küche;=1+1", "node"]]);
  await page.getByRole("combobox", { name: "Mode" }).selectOption("node");
  const saved = async (name) => {
    await page.getByText("Export", { exact: true }).click();
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name }).click()]);
    await page.keyboard.press("Escape");
    return { name: download.suggestedFilename(), text: await readFile(await download.path(), "utf8") };
  };
  const csv = await saved("As CSV");
  assert.equal(csv.name, "instances.csv");
  const [head, first, second, ...others] = csv.text.split("\r\n");
  // With the mark, spreadsheets read the file as UTF-8.
  assert.match(head, /^\ufeffname,status,ip,version,device,mode,/);
  assert.match(first, /^"'=HYPERLINK\(""x""\)",Active,/);
  assert.match(second, /^"Küche;'=1\+1",Active,/, "some languages separate cells by semicolons");
  assert.deepEqual(others, [""]);
  const json = await saved("As JSON");
  assert.equal(json.name, "instances.json");
  assert.deepEqual(JSON.parse(json.text).map(({ instanceId }) => instanceId), ["a", "c"]);
});

test("many events at once are stored at once, with names that cannot reverse the text after them", async (t) => {
  const { gateway, page } = await withInstances(t, []);
  await page.evaluate(() => {
    window.writes = [];
    const setItem = Storage.prototype.setItem;
    Storage.prototype.setItem = function (name, value) {
      if (name.includes("timeline")) window.writes.push(value);
      return setItem.call(this, name, value);
    };
  });
  const beacons = Array.from({ length: 40 }, (_, index) => ({ instanceId: `mac-${index}`, host: `\u202ehost-${index}`, reason: "launch" }));
  await sendBeacons(page, gateway, beacons);
  await page.waitForFunction(() => window.writes.at(-1)?.split(" joined").length === 41);
  const writes = await page.evaluate(() => window.writes);
  assert.ok(writes.length < 20, `${writes.length} writes`);
  assert.doesNotMatch(writes.at(-1), /\u202e/);
});

test("a restart of the gateway is not shown as a departure, and the timeline survives a reload", async (t) => {
  const gateway = await startGateway(t);
  const visitor = await visit(t, { expected: [/WebSocket connection/] });
  const page = await visitor.open(gateway.link);
  await live(page);
  const guest = await visitor.open(gateway.link);
  await live(guest);
  await rowsWhen(page, "the guest", (rows) => rows.length === 3);
  await page.getByText("Events in this tab", { exact: true }).click();
  const events = () =>
    page.locator(".timeline-events li").evaluateAll((items) => items.map((item) => item.lastChild.textContent));
  await page.locator(".timeline-events li").getByText("Chrome joined").waitFor();

  await gateway.stop();
  await gateway.start();
  await page.locator(".timeline-events li").getByText("Connected again").waitFor();
  const areActive = (rows) => rows.length === 3 && rows.every(({ status }) => status === "Active");
  await rowsWhen(page, "all rows connected again", areActive);
  assert.deepEqual(await events(), ["Connected again", "Connection lost, trying again", "Chrome joined"]);
  await guest.close();
  await page.locator(".timeline-events li").getByText("Chrome left").waitFor();

  await page.reload();
  await live(page);
  await page.getByText("Events in this tab", { exact: true }).click();
  assert.deepEqual(await events(), ["Chrome left", "Connected again", "Connection lost, trying again", "Chrome joined"]);
});

test("a last input outside the calendar is shown as unknown, and the list still updates", async (t) => {
  const { gateway, page } = await withInstances(t, [["a", "apple", "node"]]);
  await sendBeacons(page, gateway, [{ instanceId: "a", host: "apple", lastInputSeconds: 1e13, reason: "launch" }]);
  await row(page, "apple").filter({ hasText: "Launch" }).waitFor();
  await gateway.run("beacon", "--instance-id", "b", "--host", "berry");
  await row(page, "berry").waitFor();
});
