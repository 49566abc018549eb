// The live roster: rows join, change and leave; details, search, filters and the keyboard.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { closeBrowser, twoFrames, visit } from "./lib/browser.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { bringPeople, sendBeacons } from "./lib/people.mjs";
import { live, row, rows, rowsWhen } from "./lib/roster.mjs";

after(closeBrowser);

/** Opens a page that is signed in at its own gateway. */
async function signedIn(t, args = [], options = {}) {
  const gateway = await startGateway(t, args);
  const visitor = await visit(t, options);
  const page = await visitor.open(gateway.link);
  await live(page);
  return { gateway, visitor, page };
}

test("an instance joins and beacons add to its row", async (t) => {
  const { gateway, page } = await signedIn(t);
  const [first, second] = await rowsWhen(page, "two rows", (rows) => rows.length === 2);
  assert.deepEqual([first.badges[0], second.badges[0]], ["gateway", "this tab"]);
  await gateway.run("beacon", "--instance-id", "mac-1", "--host", "studio", "--mode", "ui", "--reason", "launch");
  await row(page, "studio").filter({ hasText: "Launch" }).waitFor();
  await gateway.run("beacon", "--instance-id", "MAC-1", "--host", "studio", "--mode", "ui");
  await row(page, "studio").filter({ hasText: "Heartbeat" }).waitFor();
  assert.equal((await rows(page)).length, 3, "ids are compared case-insensitively");
});

test("the details say who wrote what, over which connection, and what the gateway found", async (t) => {
  const { gateway, page } = await signedIn(t);
  await gateway.run("beacon", "--instance-id", "mac-1", "--host", "studio", "--mode", "ui", "--reason", "launch");
  await row(page, "studio").click();
  const why = page.locator(".why");
  await why.getByText("From the gateway's memory.").waitFor();
  await why.getByText(/^The key is the instanceId/).waitFor();
  assert.equal(await why.getAttribute("aria-busy"), "false");
  assert.match(await why.locator("dl").textContent(), /beacon of cli.*host.*instanceId/s);
  // Opening the page's own row replaces the explanation.
  await row(page, "Chrome").first().click();
  await why.locator("li", { hasText: "webchat · operator" }).first().waitFor();
  assert.doesNotMatch(await why.textContent(), /beacon of cli/);
});

test("a row is Left when its connection closes, and disappears when it expires", async (t) => {
  const { gateway, page } = await signedIn(t, ["--ttl", "8s"]);
  const other = await visit(t);
  const guest = await other.open(gateway.link);
  await live(guest);
  await rowsWhen(page, "the guest", (rows) => rows.length === 3);
  await guest.close();
  await rowsWhen(page, "the guest as Left", (rows) => rows.some(({ status }) => status === "Left"));
  await rowsWhen(page, "only the connected rows", (rows) => rows.length === 2);
});

test("Left rows have their own counter and filter, and the details say when a row left", async (t) => {
  const { gateway, page } = await signedIn(t);
  const other = await visit(t);
  const guest = await other.open(gateway.link);
  await live(guest);
  await rowsWhen(page, "the guest", (rows) => rows.length === 3);
  const chips = () => page.locator(".chips .chip").allTextContents();
  assert.deepEqual(await chips(), ["3 Active", "0 Idle", "0 Stale", "0 Left"]);
  await guest.close();
  await rowsWhen(page, "the guest as Left", (rows) => rows.some(({ status }) => status === "Left"));
  assert.deepEqual(await chips(), ["2 Active", "0 Idle", "0 Stale", "1 Left"]);
  await page.getByRole("button", { name: /Left/ }).click();
  const [left, ...others] = await rowsWhen(page, "only the guest", (rows) => rows.length === 1);
  assert.deepEqual([left.status, left.seen, others], ["Left", "just now Disconnect", []]);
  await page.locator("tr.row:visible").click();
  const panel = page.getByRole("dialog", { name: "Details of an instance" });
  await panel.locator(".status").getByText("Left just now").waitFor();
  await panel.locator(".changes li", { hasText: "status" }).filter({ hasText: "Left" }).waitFor();
});

test("the details show a row's facts, its changes since the page was opened, and its entry", async (t) => {
  const { gateway, page } = await signedIn(t);
  await gateway.run("beacon", "--instance-id", "mac-1", "--host", "studio", "--mode", "ui", "--reason", "launch");
  await row(page, "studio").click();
  const panel = page.getByRole("dialog", { name: "Details of an instance" });
  await panel.waitFor();
  await gateway.run("beacon", "--instance-id", "mac-1", "--host", "studio", "--mode", "local");
  await panel.locator(".changes li", { hasText: "mode" }).waitFor();
  const change = await panel.locator(".changes li", { hasText: "mode" }).innerText();
  assert.match(change.replace(/\s+/g, " "), /mode ui → local/);
  assert.match(await panel.innerText(), /Joined/);
  const entry = JSON.parse(await panel.getByLabel("Entry as JSON").textContent());
  assert.equal(entry.instanceId, "mac-1");

  await panel.getByRole("button", { name: "Copy as JSON" }).click();
  await panel.getByRole("button", { name: "Copied" }).waitFor();
  assert.deepEqual(JSON.parse(await page.evaluate(() => navigator.clipboard.readText())), entry);
  await page.keyboard.press("Escape");
  await panel.waitFor({ state: "hidden" });
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "studio", "focus returns to the row");
});

test("rows are searched, filtered, sorted and grouped", async (t) => {
  const { gateway, page } = await signedIn(t);
  for (const [id, host, mode] of [["a", "zebra", "ui"], ["b", "apple", "node"], ["c", "zebra", "node"]]) {
    await gateway.run("beacon", "--instance-id", id, "--host", host, "--mode", mode, "--no-last-input");
  }
  await rowsWhen(page, "all of them", (rows) => rows.length === 5);
  const names = async () => (await rows(page)).map(({ name }) => name).slice(1);
  assert.deepEqual(await names(), ["Chrome", "apple", "zebra", "zebra"], "by name; the gateway and this tab first");

  await page.getByLabel("Sort by").selectOption("seen");
  assert.deepEqual(await names(), ["Chrome", "zebra", "apple", "zebra"], "the freshest first");
  await page.getByRole("button", { name: "Mode", exact: true }).click();
  assert.deepEqual(await names(), ["Chrome", "apple", "zebra", "zebra"], "two nodes, then a ui");

  await page.getByRole("combobox", { name: "Mode" }).selectOption("node");
  assert.deepEqual((await rows(page)).map(({ name }) => name).sort(), ["apple", "zebra"]);
  await page.getByLabel("Search").fill("APPLE");
  assert.deepEqual((await rows(page)).map(({ name }) => name), ["apple"]);
  await page.getByText("1 of 5 shown").waitFor();
  await page.getByLabel("Search").fill("nobody is called that");
  await page.getByText("The search and filters hide all 5 instances.").waitFor();
  await page.getByRole("button", { name: "Clear search and filters" }).click();
  assert.equal((await rows(page)).length, 5);

  await page.getByRole("button", { name: /Stale/ }).click();
  await page.getByText("The search and filters hide all 5 instances.").waitFor();
  await page.getByRole("button", { name: /Stale/ }).click();

  await page.getByText("View", { exact: true }).click();
  await page.getByLabel("Group by host").check();
  await page.locator("tr.group", { hasText: "zebra" }).filter({ hasText: "2 instances, 2 active" }).waitFor();
  await page.getByText("Export", { exact: true }).click();
  await page.getByRole("button", { name: "Copy JSON" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  assert.equal(copied.length, 5);
});

for (const width of [360, 1440]) {
  test(`a duplicate adds a badge and a finding without moving the list: ${width} px`, async (t) => {
    const { gateway, page } = await signedIn(t, [], { width });
    const top = async () => (await page.locator(".roster-box:visible").boundingBox()).y;
    const before = await top();
    await page.getByRole("button", { name: "0 findings" }).waitFor();
    await bringPeople(page, gateway, ["kitchen"]);
    const button = page.getByRole("button", { name: "1 finding" });
    await button.waitFor();
    await row(page, "kitchen").first().locator(".twin").waitFor();
    assert.equal(await top(), before);
    await button.click();
    await page.locator(".finding:visible").filter({ hasText: "Fix:" }).waitFor();
    assert.equal(await button.getAttribute("aria-expanded"), "true");
  });
}

test("a modal details panel keeps the focus, and returns it when closed", async (t) => {
  const { page } = await signedIn(t, [], { width: 768 });
  const own = row(page, "Chrome").getByRole("button");
  await own.focus();
  await page.keyboard.press("Enter");
  const panel = page.getByRole("dialog", { name: "Details of an instance" });
  await panel.waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.closest("dialog") !== null), true);
  await page.keyboard.press("Escape");
  await panel.waitFor({ state: "hidden" });
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Chrome");
});

for (const width of [768, 1440]) {
  test(`the details of a removed row close for good, and the focus stays in the list: ${width} px`, async (t) => {
    const { gateway, page } = await signedIn(t, ["--ttl", "8s"], { width });
    const beacon = () => gateway.run("beacon", "--instance-id", "mac-1", "--host", "studio", "--mode", "ui");
    await beacon();
    await row(page, "studio").getByRole("button").focus();
    await page.keyboard.press("Enter");
    const panel = page.getByRole("dialog", { name: "Details of an instance" });
    await panel.waitFor();
    await panel.waitFor({ state: "hidden" });
    await page.locator('.row-open:focus:text-is("Chrome")').waitFor();
    assert.equal(page.url(), `${gateway.page}#/instances`);
    await beacon();
    await row(page, "studio").waitFor();
    await twoFrames(page);
    assert.equal(await panel.isVisible(), false);
  });
}

test("a key opens a row even if text is selected elsewhere, and cleared filters pass the focus on", async (t) => {
  const { page } = await signedIn(t);
  await page.evaluate(() => getSelection().selectAllChildren(document.querySelector(".view:not([hidden]) .lead")));
  await row(page, "Chrome").getByRole("button").focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Details of an instance" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByLabel("Search").fill("nobody is called that");
  await page.getByRole("button", { name: "Clear search and filters" }).focus();
  await page.keyboard.press("Enter");
  await page.locator("h1:visible:focus").waitFor();
});

test("a menu closes when the focus leaves it", async (t) => {
  const { page } = await signedIn(t);
  await page.getByText("Export", { exact: true }).focus();
  await page.keyboard.press("Enter");
  const last = page.getByRole("button", { name: "Copy JSON" });
  await last.focus();
  assert.equal(await last.isVisible(), true);
  await page.keyboard.press("Tab");
  await last.waitFor({ state: "hidden" });
});

for (const reducedMotion of ["reduce", "no-preference"]) {
  test(`what moves when rows and the connection change: ${reducedMotion}`, async (t) => {
    const gateway = await startGateway(t);
    const visitor = await visit(t, { reducedMotion, expected: [/WebSocket connection/, /ERR_CONNECTION_REFUSED/] });
    await visitor.context.addInitScript(() => {
      window.longest = 0;
      const note = () => {
        const times = document.getAnimations().map(({ effect }) => effect.getComputedTiming().activeDuration);
        window.longest = Math.max(window.longest, ...times);
        requestAnimationFrame(note);
      };
      note();
    });
    const page = await visitor.open(gateway.link);
    await live(page);
    await bringPeople(page, gateway);
    await row(page, "studio").waitFor();
    await page.getByRole("button", { name: "Reverse order" }).click();
    await page.getByRole("button", { name: /finding/ }).click();
    await row(page, "studio").click();
    await gateway.stop();
    await page.locator('.view:visible .connection[data-phase="waiting"]').waitFor();
    const longest = await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => resolve(window.longest))));
    if (reducedMotion === "reduce") assert.ok(longest < 1, `an animation takes ${longest} ms`);
    else assert.equal(longest, Infinity, "the mark of a lost connection pulses");
  });
}

test("on paper the list is dark on white in every theme, without the controls", async (t) => {
  const { page } = await signedIn(t, [], { scheme: "light" });
  const ink = await page.evaluate(() => getComputedStyle(document.body).color);
  const theme = page.getByRole("button", { name: /^Colours/ });
  await theme.click();
  await theme.click();
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.body).color), ink, "the dark theme");
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).color), ink);
  assert.equal(await page.getByLabel("Search").isVisible(), false);
  assert.equal(await row(page, "Chrome").isVisible(), true);
});

test("at 400 % zoom the header scrolls away, and nothing is wider than the screen", async (t) => {
  const { page } = await signedIn(t, [], { width: 320, height: 256 });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
  await page.evaluate(() => scrollTo(0, 400));
  const { y, height } = await page.locator(".top").boundingBox();
  assert.ok(y + height <= 0, `the header ends at ${y + height} px`);
});

test("the page can be used by keyboard alone", async (t) => {
  const { page, gateway } = await signedIn(t);
  await gateway.run("beacon", "--instance-id", "mac-1", "--host", "studio", "--mode", "ui");
  await row(page, "studio").waitFor();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1");
  assert.equal(page.url(), `${gateway.page}#/instances`);

  const isAtRow = () => page.evaluate(() => document.activeElement.matches(".row-open"));
  for (let step = 0; step < 30 && !(await isAtRow()); step += 1) await page.keyboard.press("Tab");
  await page.keyboard.press("End");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "studio");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Details of an instance" }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-expanded")), "true");
});

test("200 rows are rendered once, and a beacon renders only its row again", async (t) => {
  const { gateway, page } = await signedIn(t);
  await page.evaluate(async (token) => {
    // One connection sends the beacons of all rows, as fast as it can.
    const socket = new WebSocket(location.href.replace(/^http/, "ws").replace(/#.*/, ""));
    const ask = (id, method, params) => socket.send(JSON.stringify({ type: "req", id: String(id), method, params }));
    await new Promise((resolve) => (socket.onmessage = resolve));
    const client = { id: "cli", version: "0", platform: "web", mode: "cli" };
    const operator = { role: "operator", scopes: ["operator.admin"] };
    ask(0, "connect", { minProtocol: 4, maxProtocol: 4, client, ...operator, auth: { token } });
    for (let index = 0; index < 198; index += 1) {
      const host = `node-${String(index).padStart(3, "0")}`;
      const params = { text: `beacon ${index}`, instanceId: `node-${index}`, host, mode: "node", reason: "launch" };
      ask(index + 1, "system-event", params);
    }
    window.sender = { ask };
  }, gateway.token);
  await rowsWhen(page, "a full list", (rows) => rows.length === 200);
  const touched = await page.evaluate(async () => {
    const changed = new Set();
    const body = document.querySelector(".view:not([hidden]) table.roster tbody");
    const observer = new MutationObserver((records) => {
      for (const { target, addedNodes } of records) {
        if (addedNodes.length > 0 && target === body) changed.add("moved");
        const row = (target.nodeType === 1 ? target : target.parentElement).closest("tr.row");
        if (row) changed.add(row.dataset.key);
      }
    });
    observer.observe(body, { subtree: true, childList: true, characterData: true });
    // All rows are rendered in one pass: when this row shows the beacon, other rows have been rendered too.
    const row = [...body.querySelectorAll("tr.row")].find(({ dataset }) => dataset.key.endsWith("node-7"));
    const changes = { subtree: true, childList: true, characterData: true };
    const drawn = new Promise((resolve) => {
      new MutationObserver(() => row.textContent.includes("Heartbeat") && resolve()).observe(row, changes);
    });
    window.sender.ask(500, "system-event", { text: "beacon 7", instanceId: "node-7", reason: "periodic" });
    await drawn;
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    observer.disconnect();
    return [...changed];
  });
  assert.equal(touched.length, 1, `rendered again: ${touched.join(", ")}`);
  assert.match(touched[0], /node-7$/);
});

test("a hidden view and a closed box render nothing, and are up to date when they are shown", async (t) => {
  const { gateway, page } = await signedIn(t);
  await page.getByText("Connection health", { exact: true }).click();
  await page.getByRole("link", { name: "Paste" }).click();
  await page.evaluate(() => {
    window.drawn = [];
    const view = document.querySelector("instances-view");
    const observer = new MutationObserver((records) => window.drawn.push(...records.map(({ target }) => target.nodeName)));
    observer.observe(view, { subtree: true, childList: true, characterData: true });
  });
  await gateway.run("beacon", "--instance-id", "mac-1", "--host", "studio", "--mode", "ui");
  await page.waitForFunction(() => Object.values(sessionStorage).some((text) => text.includes("studio joined")));
  await twoFrames(page);
  assert.deepEqual(await page.evaluate(() => window.drawn), []);
  await page.getByRole("link", { name: "Instances", exact: true }).click();
  await row(page, "studio").waitFor();
  assert.equal(await page.locator(".timeline summary").first().innerText(), "Events in this tab\n1 event");
  assert.equal(await page.locator(".timeline-events").count(), 0, "a closed timeline renders no events");
  await page.getByText("Events in this tab", { exact: true }).click();
  await page.locator(".timeline-events li").getByText("studio joined").waitFor();
});

test("on a phone, the first rows are visible without scrolling", async (t) => {
  const { page } = await signedIn(t, [], { width: 360, height: 740, hasTouch: true });
  await page.getByRole("button", { name: "Close the tour" }).click();
  const { y, height } = await page.locator("tr.row:visible").first().boundingBox();
  assert.ok(y + height <= 740, `the first row ends at ${y + height} px`);
});

test("with forced colours, the selected row, the pressed filter and the open tour stops are recognizable", async (t) => {
  const { page } = await signedIn(t, [], { forcedColors: "active" });
  await page.getByRole("button", { name: /Active/ }).click();
  await row(page, "Chrome").click();
  const style = (selector, name) => page.locator(selector).first().evaluate((element, name) => getComputedStyle(element)[name], name);
  assert.equal(await style("tr.row[data-selected]", "outlineStyle"), "solid");
  const ground = (selector) => style(selector, "backgroundColor");
  const highlight = await page.evaluate(() => {
    const sample = Object.assign(document.createElement("i"), { style: "background: Highlight" });
    document.body.append(sample);
    return getComputedStyle(sample).backgroundColor;
  });
  assert.equal(await ground('.chip[aria-pressed="true"]'), highlight);
  assert.equal(await ground("nav a[aria-current]"), highlight);
  assert.equal(await style(".tour li:not([data-seen]) .tick .icon", "visibility"), "hidden");
});
