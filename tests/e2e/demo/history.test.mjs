// The Timeline: sessions from a gateway that keeps a history.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { closeBrowser, picture, visit } from "./lib/browser.mjs";
import { atEnd } from "./lib/ends.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { check } from "./lib/looks.mjs";
import { bringPeople } from "./lib/people.mjs";
import { live, rowsWhen } from "./lib/roster.mjs";
import { startStaticHost } from "./lib/static-host.mjs";
import { within } from "./lib/wait.mjs";

after(closeBrowser);

/** Starts a gateway that keeps a history. */
async function keeping(t) {
  const folder = mkdtempSync(join(tmpdir(), "presence-history-"));
  const gateway = await startGateway(t, ["--history", join(folder, "history.db")]);
  atEnd(t, () => rmSync(folder, { recursive: true }));
  return gateway;
}

const timeline = (page) => page.getByRole("link", { name: "Timeline" }).click();
const lane = (page, name) => page.locator(".lane", { has: page.getByText(name, { exact: true }) });
/** Opens the page in a browser context of its own. Returns the context: closing it ends the connection. */
async function connectGuest(visitor, gateway) {
  const guest = await visitor.context.browser().newContext();
  const page = await guest.newPage();
  await page.goto(gateway.link);
  await live(page);
  return guest;
}

const chosen = (page) => page.getByLabel("Window", { exact: true }).inputValue();

for (const scheme of ["light", "dark"]) {
  for (const width of [360, 1440]) {
    test(`lanes and a table of sessions: ${scheme}, ${width} px`, async (t) => {
      const gateway = await keeping(t);
      const visitor = await visit(t, { width, height: width === 360 ? 740 : 900, scheme, reducedMotion: "reduce" });
      const page = await visitor.open(gateway.link);
      await live(page);
      const guest = await connectGuest(visitor, gateway);
      await bringPeople(page, gateway, ["studio"]);
      await rowsWhen(page, "studio", (rows) => rows.some(({ name }) => name === "studio"));
      await guest.close();
      await timeline(page);

      await lane(page, "studio").locator('rect[data-status="Active"]').first().waitFor();
      await page.getByRole("cell", { name: "closed" }).waitFor();
      const words = await lane(page, "studio").getByRole("img").getAttribute("aria-label");
      assert.match(words, /^studio: here for .* of this window in 1 session, here now$/);
      await page.getByRole("cell", { name: "sends beacons" }).waitFor();
      await check(page, `timeline, ${scheme}, ${width} px`);
      await picture(page, `timeline-${scheme}-${width}`, { fullPage: true });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(overflow, 0, "nothing is wider than the page");
    });
  }
}

test("past clients are listed separately on request", async (t) => {
  const gateway = await keeping(t);
  const visitor = await visit(t, { expected: [/ERR_CONNECTION_REFUSED/, /WebSocket connection to/] });
  const page = await visitor.open(gateway.link);
  await live(page);
  await bringPeople(page, gateway, ["attic-pi"]);
  await rowsWhen(page, "attic-pi", (rows) => rows.some(({ name }) => name === "attic-pi"));
  // The history survives a restart; the list does not.
  await gateway.stop();
  await gateway.start();
  await page.locator('.pill[data-phase="live"]').waitFor();
  await rowsWhen(page, "the list of the new run", (rows) => rows.length > 0 && rows.every(({ name }) => name !== "attic-pi"));
  await page.getByText("Seen before", { exact: true }).click();
  await page.locator(".seen-box li", { hasText: "attic-pi" }).waitFor();
  await check(page, "clients that are gone");
  const listed = await rowsWhen(page, "the list", (rows) => rows);
  assert.ok(listed.every(({ name }) => name !== "attic-pi"), "the list has no past clients");
});

test("a client that the list still shows as Left is not past, and the list of past clients stays open after a reconnect", async (t) => {
  const gateway = await keeping(t);
  const visitor = await visit(t, { expected: [/ERR_CONNECTION_REFUSED/, /WebSocket connection to/] });
  const page = await visitor.open(gateway.link);
  await live(page);
  const guest = await connectGuest(visitor, gateway);
  await guest.close();
  await rowsWhen(page, "the guest as Left", (rows) => rows.some(({ status }) => status === "Left"));
  await page.getByText("Seen before", { exact: true }).click();
  await page.locator(".seen-box li", { hasText: "No client has left." }).waitFor();
  await gateway.stop();
  await page.locator(".seen-box").waitFor({ state: "hidden" });
  await gateway.start();
  await page.locator(".seen-box li", { hasText: "Chrome" }).waitFor();
});

for (const hours of [-3, 3]) {
  test(`a visitor's clock that differs by ${hours} h changes neither the Timeline nor the ages of past clients`, async (t) => {
    const gateway = await keeping(t);
    const visitor = await visit(t, { expected: [/ERR_CONNECTION_REFUSED/, /WebSocket connection to/] });
    await visitor.context.addInitScript((aheadMs) => {
      const { now } = Date;
      Date.now = () => now() + aheadMs;
    }, hours * 3_600_000);
    const page = await visitor.open(gateway.link);
    await live(page);
    await bringPeople(page, gateway, ["attic-pi"]);
    await gateway.stop();
    await gateway.start();
    await page.locator('.pill[data-phase="live"]').waitFor();
    await rowsWhen(page, "the list of the new run", (rows) => rows.length > 0 && rows.every(({ name }) => name !== "attic-pi"));
    await page.getByText("Seen before", { exact: true }).click();
    const seen = page.locator(".seen-box li", { hasText: "attic-pi" }).locator("time");
    assert.match(await seen.textContent(), /^(just now|\dm ago)$/);
    await timeline(page);
    await lane(page, "attic-pi").locator("rect").first().waitFor();
    const connected = page.locator(".session-table tr", { hasText: "connected" }).first();
    assert.match(await connected.locator("td").nth(2).textContent(), /^(\d+ min )?\d+ (s|min)$/);
  });
}

/** Waits until the chart has ticks at round times of this form, each with a line in each lane. */
async function marked(page, form) {
  await within("round times", async () => {
    const texts = await page.locator(".lane-axis text").allTextContents();
    const lines = await page.locator(".lane").first().locator("line").count();
    return texts.length >= 2 && texts.length <= 5 && lines === texts.length && texts.every((text) => form.test(text));
  });
}

test("keys and buttons zoom and move the window", async (t) => {
  const gateway = await keeping(t);
  const page = await (await visit(t)).open(gateway.link);
  await live(page);
  await timeline(page);
  await page.locator(".lane").first().waitFor();
  assert.equal(await chosen(page), "3600000");
  await marked(page, /^\d\d:(00|15|30|45)$/);
  await page.locator(".lane-chart").press("-");
  assert.equal(await chosen(page), String(6 * 3_600_000));
  await page.locator(".lane-chart").press("+");
  await page.locator(".lane-chart").press("ArrowLeft");
  await page.getByRole("button", { name: "Now" }).and(page.locator(":enabled")).waitFor();
  // This window has no sessions, but the keys still work.
  await page.getByText("No sessions in this window").waitFor();
  await page.keyboard.press("End");
  await page.getByRole("button", { name: "Now" }).and(page.locator(":disabled")).waitFor();
  const zoomOut = page.getByRole("button", { name: "Zoom out" });
  while (await zoomOut.isEnabled()) await zoomOut.click();
  assert.equal(await chosen(page), String(30 * 24 * 3_600_000));
  await marked(page, /^\d+ [A-Z][a-z]+$/);
  await page.getByRole("button", { name: "Earlier" }).click();
  await page.getByRole("button", { name: "Earlier" }).click();
  await page.getByRole("button", { name: "Earlier" }).click();
  await page.getByText("No sessions in this window").waitFor();
  await page.getByRole("button", { name: "Now" }).click();
  await page.locator(".lane").first().waitFor();
  const zoomIn = page.getByRole("button", { name: "Zoom in" });
  while (await zoomIn.isEnabled()) await zoomIn.click();
  assert.equal(await chosen(page), String(5 * 60_000));
});

test("the Timeline of another gateway never shows the sessions of the one before", async (t) => {
  const [first, second] = [await keeping(t), await keeping(t)];
  const visitor = await visit(t);
  visitor.allow(new URL(second.page).origin);
  // The second gateway does not answer requests for its history.
  await visitor.context.routeWebSocket(new RegExp(second.port), (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((text) => text.includes("presence.history") || server.send(text));
  });
  const page = await visitor.open(first.link);
  await live(page);
  await timeline(page);
  await page.locator(".lane").first().waitFor();
  await page.getByRole("link", { name: "Instances", exact: true }).click();
  await page.getByRole("button", { name: "Disconnect" }).click();
  await page.getByLabel("Address of the gateway").fill(second.link);
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await live(page);
  await timeline(page);
  await page.locator(".past-range").waitFor();
  assert.equal(await page.locator(".lane").count(), 0);
  await page.locator(".skeleton:visible").waitFor();
});

test("times in the chart stay round when the clocks change, and a hidden page requests nothing", async (t) => {
  const gateway = await keeping(t);
  const visitor = await visit(t, { timezoneId: "Europe/Berlin" });
  // The clocks went back an hour on 25 October.
  await visitor.context.clock.install({ time: new Date("2026-11-03T12:00:00+01:00") });
  let requests = 0;
  await visitor.context.routeWebSocket(/./, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((text) => {
      // The gateway's clock is that of the page.
      const { id, method } = JSON.parse(text);
      const payload = { ok: true, ts: Date.parse("2026-11-03T12:00:00+01:00") };
      if (method === "health") return socket.send(JSON.stringify({ type: "res", id, ok: true, payload }));
      requests += Number(text.includes("presence.history"));
      server.send(text);
    });
  });
  const page = await visitor.open(gateway.link);
  await live(page);
  await timeline(page);
  await page.getByLabel("Window", { exact: true }).selectOption("30 days");
  await page.clock.runFor(200);
  await within("days with their positions", async () => {
    const marks = await page.locator(".lane-axis text").evaluateAll((texts) =>
      texts.map((text) => [text.textContent, Number.parseFloat(text.getAttribute("x")).toFixed(1)]));
    // Midnights of a window of 720 hours, which begins on 4 October at 13:00.
    return JSON.stringify(marks) === JSON.stringify([["11 Oct", "21.5"], ["18 Oct", "44.9"], ["25 Oct", "68.2"], ["1 Nov", "91.7"]]);
  });
  await page.evaluate(() => Object.defineProperty(document, "hidden", { configurable: true, get: () => true }));
  const before = requests;
  await page.clock.runFor(30_000);
  assert.equal(requests, before);
  await page.evaluate(() => delete document.hidden);
  await page.clock.runFor(6_000);
  await within("a request of the visible page", () => requests > before);
});

test("the Timeline says that the history is off, that it cannot be read, or that there is no gateway", async (t) => {
  const gateway = await startGateway(t);
  const page = await (await visit(t)).open(gateway.link);
  await live(page);
  await timeline(page);
  await page.getByRole("heading", { name: "This gateway keeps no history" }).waitFor();
  await check(page, "a history that is off");

  const kept = await keeping(t);
  const visitor = await visit(t);
  let isBroken = true;
  const error = { code: "UNAVAILABLE", message: "the history cannot be read: the disk is gone" };
  await visitor.context.routeWebSocket(/./, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((text) => {
      const { id, method } = JSON.parse(text);
      if (isBroken && method === "presence.history")
        socket.send(JSON.stringify({ type: "res", id, ok: false, error }));
      else server.send(text);
    });
    server.onMessage((text) => socket.send(text));
  });
  const broken = await visitor.open(kept.link);
  await live(broken);
  await timeline(broken);
  await broken.getByRole("alert").getByText("the disk is gone").waitFor();
  await check(broken, "an error of the history");
  isBroken = false;
  await broken.getByRole("button", { name: "Try again" }).click();
  await broken.locator(".lane").first().waitFor();
  await broken.getByRole("alert").waitFor({ state: "detached" });

  const alone = await (await visit(t)).open(`${await startStaticHost(t)}#/timeline`);
  await alone.getByText("Not connected to a gateway.").waitFor();
});
