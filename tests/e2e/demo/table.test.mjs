// The table: very long lists, and what is kept when rows are rendered again.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { closeBrowser, visit } from "./lib/browser.mjs";
import { startStaticHost } from "./lib/static-host.mjs";
import { within } from "./lib/wait.mjs";

after(closeBrowser);

const NOW = 1_800_000_000_000;
const ROWS = 10_000;
const name = (index) => `node-${String(index).padStart(5, "0")}`;

/** Opens the table of a pasted list with this number of rows. */
async function pasted(t, rows, options) {
  const host = await startStaticHost(t);
  const visitor = await visit(t, options);
  const page = await visitor.open(`${host}#/paste`);
  const list = Array.from({ length: rows }, (_, index) => ({
    host: name(index), instanceId: `i-${index}`, mode: "node", reason: "launch", text: `Node: ${index}`, ts: NOW - index * 7,
  }));
  // Set the value directly: typing a text of this length takes a minute.
  await page.getByLabel("A presence list").evaluate((area, text) => {
    area.value = text;
    area.dispatchEvent(new Event("input"));
  }, JSON.stringify(list));
  await page.locator("tr.row:visible").first().waitFor();
  return page;
}

/** Returns the rendered rows: name, index, position, and whether they are in the viewport. */
function drawn(page) {
  return page.locator("tr.row:visible").evaluateAll((all) =>
    all.map((row) => {
      const { top, bottom } = row.getBoundingClientRect();
      return {
        name: row.querySelector(".row-open").textContent,
        index: Number(row.ariaRowIndex),
        top: Math.round(top),
        bottom: Math.round(bottom),
        isInSight: bottom > 0 && top < innerHeight,
      };
    }),
  );
}

/** Waits until rows fill the visible part of the table without gaps and `isWanted` accepts them; returns them. */
function inSight(page, what, isWanted) {
  return within(what, async () => {
    const rows = (await drawn(page)).filter(({ isInSight }) => isInSight);
    const { top, bottom } = await visiblePart(page);
    const isWhole = rows.slice(1).every((row, index) => Math.abs(row.top - rows[index].bottom) <= 1);
    const isFull = rows.length > 0 && rows[0].top <= top + 1 && rows.at(-1).bottom >= bottom - 1;
    return isFull && isWhole && isWanted(rows) ? rows : undefined;
  });
}

/** Returns the top and bottom of the table body's visible part, from the height that the table claims. */
function visiblePart(page) {
  return page.locator("table.roster:visible tbody").evaluate((body) => {
    const { top, bottom } = body.getBoundingClientRect();
    return { top: Math.round(Math.max(top, 0)), bottom: Math.round(Math.min(bottom, innerHeight)) };
  });
}

const focused = (page) => page.evaluate(() => document.activeElement.textContent);

for (const width of [360, 1440]) {
  test(`of 10,000 rows only the visible ones are rendered, and the keyboard reaches every row: ${width} px`, async (t) => {
    const page = await pasted(t, ROWS, { width });
    assert.equal(await page.locator("table.roster:visible").getAttribute("aria-rowcount"), String(ROWS + 1));
    assert.ok((await drawn(page)).length < 100);

    await page.getByRole("button", { name: name(0) }).focus();
    await page.keyboard.press("End");
    await within("the last row", async () => (await focused(page)) === name(ROWS - 1));
    const last = await inSight(page, "the end of the list", (rows) => rows.at(-1).name === name(ROWS - 1));
    assert.equal(last.at(-1).index, ROWS + 1, "the index starts at one and counts the header rows");
    await page.keyboard.press("ArrowUp");
    await within("the row before", async () => (await focused(page)) === name(ROWS - 2));

    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight / 2));
    const isMiddle = ({ index }) => index > ROWS / 4 && index < (ROWS * 3) / 4;
    const middle = await inSight(page, "the middle of the list", (rows) => rows.every(isMiddle));
    assert.deepEqual(middle.map(({ name }) => name), middle.map(({ index }) => name(index - 2)));
    assert.equal(await focused(page), name(ROWS - 2), "the focused row stays rendered");
    assert.ok((await drawn(page)).length < 100);

    await page.keyboard.press("Home");
    await within("the first row", async () => (await focused(page)) === name(0));
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Details of an instance" }).getByRole("heading", { name: name(0) }).waitFor();
  });
}

test("200 rows are all rendered, without row indexes", async (t) => {
  const page = await pasted(t, 200);
  assert.equal((await drawn(page)).length, 200);
  assert.equal(await page.locator("table.roster:visible").getAttribute("aria-rowcount"), null);
});

test("a long list is printed as a whole, a very long one up to a bound", async (t) => {
  for (const [count, printed, rest] of [[300, 300, []], [2_500, 2_000, ["And 500 more lines"]]]) {
    const page = await pasted(t, count);
    const before = (await drawn(page)).length;
    assert.ok(before < 100);
    // Read in the handler's turn, as the browser prints.
    const onPaper = await page.evaluate(() => {
      dispatchEvent(new Event("beforeprint"));
      const texts = (query) => [...document.querySelectorAll(`.view:not([hidden]) ${query}`)].map(({ textContent }) => textContent);
      return { names: texts(".row-open"), rest: texts(".rest"), isPlaced: document.querySelector(".roster-box[data-virtual]") !== null };
    });
    assert.deepEqual(onPaper, { names: Array.from({ length: printed }, (_, index) => name(index)), rest, isPlaced: false });
    await page.evaluate(() => dispatchEvent(new Event("afterprint")));
    await inSight(page, "the visible rows", (rows) => rows[0].name === name(0));
    assert.ok((await drawn(page)).length < 100);
  }
});

test("a second click on a column reverses the order of a pasted list", async (t) => {
  const page = await pasted(t, 3);
  const names = async () => (await drawn(page)).map(({ name }) => name);
  await page.getByRole("button", { name: "Last seen" }).click();
  assert.deepEqual(await names(), [0, 1, 2].map(name));
  await page.getByRole("button", { name: "Last seen" }).click();
  await within("the reverse order", async () => (await names()).join() === [2, 1, 0].map(name).join());
  assert.equal(await page.getByRole("columnheader", { name: "Last seen" }).getAttribute("aria-sort"), "descending");
});

test("on a phone, a list whose page has no filters has a field for its order", async (t) => {
  const page = await pasted(t, 3, { width: 360 });
  const isOrder = (...indexes) => within("the order", async () =>
    (await drawn(page)).map(({ name }) => name).join() === indexes.map(name).join());
  await page.getByLabel("Sort by").filter({ visible: true }).selectOption("Last seen");
  await isOrder(0, 1, 2);
  await page.getByRole("button", { name: "Reverse order" }).click();
  await isOrder(2, 1, 0);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole("button", { name: "Reverse order" }).waitFor({ state: "hidden" });
  assert.equal(await page.getByRole("columnheader", { name: "Last seen" }).getAttribute("aria-sort"), "descending");
});

test("names from right to left begin at their own side", async (t) => {
  const host = await startStaticHost(t);
  const visitor = await visit(t);
  const page = await visitor.open(`${host}#/paste`);
  const hosts = ["studio", "המחשב של דנה"];
  await page.getByLabel("A presence list").fill(JSON.stringify(hosts.map((host) => ({ host, instanceId: host, mode: "ui", reason: "launch", ts: NOW }))));
  const direction = (name) => page.getByRole("button", { name, exact: true }).evaluate((button) => getComputedStyle(button).direction);
  assert.deepEqual(await Promise.all(hosts.map(direction)), ["ltr", "rtl"]);
});

const LONG = {
  host: "a-machine-with-a-long-name.datacenter.example.com", instanceId: "long", version: "2026.9.6-beta.12+build.20260913",
  deviceFamily: "Mac", modelIdentifier: "MacBookPro18,3 with a long identifier", platform: "macos 26.1.0",
  mode: "a-very-long-name-of-a-mode", roles: ["operator"], reason: "periodic", lastInputSeconds: 12, ts: NOW,
};

test("on a phone, long values of a row neither overlap nor crowd out its name", async (t) => {
  const host = await startStaticHost(t);
  const visitor = await visit(t, { width: 360, height: 740 });
  const page = await visitor.open(`${host}#/paste`);
  await page.getByLabel("A presence list").fill(JSON.stringify([LONG]));
  await page.locator("tr.row:visible").waitFor();
  const cells = await page.locator("tr.row:visible").evaluate((row) => {
    const of = (name) => {
      const cell = row.querySelector(name);
      const { left, right } = cell.getBoundingClientRect();
      return { left, right, isClipped: getComputedStyle(cell).overflowX === "hidden" || cell.scrollWidth <= cell.clientWidth };
    };
    return { who: of(".who"), version: of(".version"), device: of(".device"), mode: of(".mode"), box: row.getBoundingClientRect() };
  });
  const { who, version, device, mode, box } = cells;
  for (const [name, cell] of Object.entries({ version, device, mode })) assert.ok(cell.isClipped, `${name} does not spill`);
  assert.ok(who.right <= version.left && device.right <= mode.left, "cells do not overlap");
  assert.ok(who.right - who.left >= box.width * 0.4, `the name has room: ${who.right - who.left} px`);
  assert.ok(device.right - device.left >= box.width * 0.3, `the device has room: ${device.right - device.left} px`);
});
