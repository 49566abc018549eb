// The playground: each scenario shows what it describes, time moves both ways, and a link holds a whole world.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { closeBrowser, visit } from "./lib/browser.mjs";
import { row, rowsWhen } from "./lib/roster.mjs";
import { startStaticHost } from "./lib/static-host.mjs";
import { within } from "./lib/wait.mjs";

after(closeBrowser);

/** Opens the playground with reduced motion: scenarios jump to their end. */
async function playground(t, query = "") {
  const host = await startStaticHost(t);
  const visitor = await visit(t, { reducedMotion: "reduce" });
  const page = await visitor.open(`${host}#/playground${query}`);
  await rowsWhen(page, "a world", (rows) => rows.length > 0);
  return { visitor, page, host };
}

/** Moves the slider to this second of the world. */
async function moveTo(page, seconds) {
  const slider = page.getByLabel("Time in the playground");
  await slider.evaluate((input, value) => {
    input.value = String(value);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }, seconds);
  // The label follows the slider immediately; the world follows later.
  await within(`second ${seconds}`, async () => (await page.locator(".moment").textContent()) === clock(seconds));
}

const clock = (seconds) => [Math.floor(seconds / 60), seconds % 60].map((part) => String(part).padStart(2, "0")).join(":");
const choose = (page, scenario) => page.getByRole("button", { name: scenario, exact: true }).click();
const start = async (page) => {
  await page.getByRole("button", { name: "Start empty" }).click();
  await rowsWhen(page, "an empty world", (rows) => rows.length === 1);
};

test("duplicate row: a tab without an id adds a row at each connect, and a finding explains it", async (t) => {
  const { page } = await playground(t);
  await choose(page, "Duplicate row");
  const isTab = ({ name }) => name === "kitchen";
  const shown = await rowsWhen(page, "three rows of one tab", (rows) => rows.filter(isTab).length === 3);
  assert.equal(shown.filter(({ name }) => name === "studio").length, 1, "the Mac kept its row");
  assert.ok(shown.filter(isTab).every(({ badges }) => badges.includes("finding")));
  await page.locator('.finding[data-code="NO_INSTANCE_ID"]').filter({ hasText: "Fix:" }).waitFor();
  await page.getByText("adds another row beside the earlier ones").waitFor();
});

test("the simulated gateway explains its rows at any point in time", async (t) => {
  const { page } = await playground(t);
  await choose(page, "Duplicate row");
  await rowsWhen(page, "three rows of one tab", (rows) => rows.filter(({ name }) => name === "kitchen").length === 3);
  await page.locator(".findings .evidence", { hasText: 'connections of the client "webchat-ui" of "kitchen"' }).waitFor();
  await row(page, "studio").click();
  const why = page.locator(".why");
  await why.getByText("From the gateway's memory.").waitFor();
  const left = why.locator("li", { hasText: /left/ });
  assert.ok((await left.count()) > 0, await why.textContent());
  await moveTo(page, 5);
  await within("no event that is still to come", async () => (await left.count()) === 0);
  await why.locator("li", { hasText: "connected" }).first().waitFor();
});

test("stale row: a beacon's row turns Active, Idle, Stale and expires; a Left row expires", async (t) => {
  const { page } = await playground(t);
  await choose(page, "Stale row");
  const areGone = (rows) => rows.map(({ name }) => name).join() === "gateway.lan,workshop";
  await rowsWhen(page, "both expired", areGone);
  const statuses = [[61, "Active"], [180, "Active"], [181, "Idle"], [360, "Idle"], [361, "Stale"], [660, "Stale"]];
  for (const [seconds, status] of statuses) {
    await moveTo(page, seconds);
    await rowsWhen(page, `${status} and Left at ${seconds} s`, (rows) => {
      const statusOf = (wanted) => rows.find(({ name }) => name === wanted)?.status;
      return statusOf("terminal") === status && statusOf("maple") === "Left";
    });
  }
  await moveTo(page, 661);
  await rowsWhen(page, "both expired", areGone);
  await page.locator(".step", { hasText: "maple left" }).waitFor();
  for (const name of ["terminal", "maple"]) {
    await page.locator(".step", { hasText: `Row of ${name} removed: its time to live is over` }).waitFor();
  }
});

test("loopback ip kept: a connect through the tunnel does not overwrite the Mac's address", async (t) => {
  const { page } = await playground(t);
  await choose(page, "Loopback IP kept");
  // The scenario runs step by step: the node joins after the Mac.
  const all = await rowsWhen(page, "the Mac's own address and the node", (rows) =>
    rows.find(({ name }) => name === "studio")?.where.startsWith("192.168.1.21") && rows.some(({ name }) => name === "porch-pi"));
  const node = all.find(({ name }) => name === "porch-pi");
  assert.ok(!/127\.0\.0\.1|\d+\.\d+\.\d+\.\d+/.test(node.where), "a client behind the tunnel without a beacon has no address");
});

test("cap reached: the row with the oldest update is evicted, never the gateway", async (t) => {
  const { page } = await playground(t);
  await choose(page, "Cap reached");
  const full = await rowsWhen(page, "a full list", (rows) => rows.length === 6);
  assert.ok(full.some(({ badges }) => badges.includes("gateway")));
  await page.locator(".step", { hasText: "removed: the list is full" }).first().waitFor();
});

test("CLI not shown: an ephemeral client has no row", async (t) => {
  const { page } = await playground(t);
  await choose(page, "CLI not shown");
  await rowsWhen(page, "only the Mac and the gateway", (rows) => rows.map(({ name }) => name).join() === "gateway.lan,studio");
  await page.locator(".client", { hasText: "terminal" }).filter({ hasText: "makes no row" }).waitFor();
});

test("ids that differ by case share one row; a beacon with another id adds a second", async (t) => {
  const { page } = await playground(t);
  await choose(page, "IDs by case");
  await rowsWhen(page, "one Mac", (rows) => rows.map(({ name }) => name).join() === "gateway.lan,studio");
  await choose(page, "Beacon with another id");
  await rowsWhen(page, "two rows of the Mac", (rows) => rows.filter(({ name }) => name === "studio").length === 2);
  await page.locator('.finding[data-code="BEACON_ID_DIFFERS"]').waitFor();
});

test("clients can be added, used, disconnected and reconnected by hand", async (t) => {
  const { page } = await playground(t);
  await start(page);
  await page.getByRole("button", { name: "Add: Mac app" }).click();
  await rowsWhen(page, "the Mac", (rows) => rows.some(({ name, isConnected }) => name === "studio" && isConnected));
  await moveTo(page, 20);
  await page.getByRole("button", { name: "Drop: studio" }).click();
  await rowsWhen(page, "its row without a connection", (rows) =>
    rows.some(({ name, isConnected }) => name === "studio" && !isConnected));
  await page.getByRole("button", { name: "Reconnect: studio" }).click();
  await rowsWhen(page, "one connected row", (rows) => rows.length === 2 && rows.every(({ isConnected }) => isConnected));
  await page.getByRole("button", { name: "Sleep: studio" }).click();
  await moveTo(page, 120);
  await page.locator(".client", { hasText: "studio" }).filter({ hasText: "ping timeout" }).waitFor();

  await page.getByLabel("Identity").selectOption("none");
  await page.getByLabel("Connects", { exact: true }).selectOption("tunnel");
  await page.getByRole("button", { name: "Add: WebChat tab" }).click();
  const tab = (await rowsWhen(page, "the tab", (rows) => rows.length === 3)).find(({ name }) => name === "kitchen");
  assert.equal(tab.where, "no IP, no instanceId");

  // Removing a step removes its effects.
  await page.getByRole("button", { name: /Remove: Mac app studio connects/ }).click();
  await rowsWhen(page, "only the tab", (rows) => rows.map(({ name }) => name).join() === "gateway.lan,kitchen");
});

test("a changed TTL or cap applies from the start of the world", async (t) => {
  const { page } = await playground(t);
  await start(page);
  await page.getByRole("button", { name: "50 at once" }).click();
  await rowsWhen(page, "51 rows", (rows) => rows.length === 51);
  await page.getByLabel("Maximum rows").fill("10");
  await rowsWhen(page, "10 rows", (rows) => rows.length === 10);
  await page.getByText("10 rows of at most 10").waitFor();
  await start(page);
  await page.getByRole("button", { name: "Add: Node" }).click();
  await rowsWhen(page, "the node", (rows) => rows.length === 2);
  await page.getByRole("button", { name: /Drop: / }).click();
  await page.getByLabel("Time to live").fill("0");
  await moveTo(page, 12);
  await rowsWhen(page, "the node expired after 10 s", (rows) => rows.length === 1);
});

test("time can run, run faster, and pause", async (t) => {
  const { page } = await playground(t);
  await start(page);
  await page.getByRole("button", { name: "60×" }).click();
  await within("the first minute", async () => (await page.locator(".moment").textContent()) >= "01:00");
  await page.getByRole("button", { name: "Pause" }).click();
  const frames = await page.evaluate(async () => {
    const seen = [];
    for (let frame = 0; frame < 10; frame += 1) {
      await new Promise(requestAnimationFrame);
      seen.push(document.querySelector(".moment").textContent);
    }
    return seen;
  });
  assert.equal(new Set(frames).size, 1, `time is paused: ${frames.join()}`);
});

test("a link shares a world: opening it shows the same rows", async (t) => {
  const { page, visitor, host } = await playground(t);
  await choose(page, "Cap reached");
  await moveTo(page, 70);
  const before = await rowsWhen(page, "six rows", (rows) => rows.length === 6);
  await page.getByRole("button", { name: "Copy link" }).click();
  await page.getByText("The link holds the whole world.").waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(link, page.url());

  const other = await visitor.open(link);
  await other.getByText("This link contains a shared world.").waitFor();
  const after = await rowsWhen(other, "six rows", (rows) => rows.length === 6);
  assert.deepEqual(after, before);
  await other.locator(".step", { hasText: "to come" }).waitFor();

  const unknownKind = btoa(JSON.stringify([1, 300, 200, 0, [[0, "constructor", 1]]]));
  const invalid = [unknownKind, btoa("[1,300,1e9,0,[]]"), btoa("[2]"), "%%%", "A".repeat(40_000)];
  // Each crowd is within its limit; together they are more than a page can simulate.
  invalid.push(btoa(JSON.stringify([1, 300, 200, 0, Array.from({ length: 6 }, (_, at) => [at, "crowd", at + 1, 200])])));
  for (const text of invalid) {
    const broken = await visitor.open(`${host}#/playground?s=${text}`);
    await broken.getByText("This link contains no valid world.").waitFor();
    await broken.close();
  }
});

test("coming back to a shared world keeps its changes", async (t) => {
  const { page } = await playground(t);
  await start(page);
  await page.getByRole("button", { name: "Add: Node" }).click();
  await page.getByRole("button", { name: "Copy link" }).click();
  await page.getByText("The link holds the whole world.").waitFor();
  await page.getByRole("button", { name: "Add: Mac app" }).click();
  await rowsWhen(page, "both clients", (rows) => rows.length === 3);
  await page.getByRole("link", { name: "Paste" }).click();
  await page.goBack();
  await page.getByRole("heading", { name: "Playground", exact: true }).waitFor();
  await page.getByRole("button", { name: "Add: Node" }).click();
  await rowsWhen(page, "one client more", (rows) => rows.length === 4);
});

test("with motion, a scenario plays step by step, also when opened from a link", async (t) => {
  const host = await startStaticHost(t);
  const visitor = await visit(t);
  // The scenario plays for only a second, so record each rendered frame.
  await visitor.context.addInitScript(() => {
    window.moments = [];
    new MutationObserver(() => {
      const moment = document.querySelector(".moment")?.textContent;
      if (moment && moment !== window.moments.at(-1)) window.moments.push(moment);
    }).observe(document, { subtree: true, childList: true, characterData: true });
  });
  const page = await visitor.open(`${host}#/playground?scenario=cli`);
  await within("its end", async () => (await page.locator(".moment").textContent()) === "01:00");
  await page.locator(".time-bar button[aria-pressed=true]", { hasText: "Pause" }).waitFor();
  const between = (await page.evaluate(() => window.moments)).filter((moment) => moment > "00:00" && moment < "01:00");
  assert.ok(between.length >= 2, `played, not skipped: ${between.join()}`);
  await row(page, "studio").waitFor();
});
