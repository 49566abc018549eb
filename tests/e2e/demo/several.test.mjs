// Several gateways side by side.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, test } from "node:test";

import { closeBrowser, picture, twoFrames, visit } from "./lib/browser.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { check } from "./lib/looks.mjs";
import { bringPeople } from "./lib/people.mjs";
import { live, rows, rowsWhen } from "./lib/roster.mjs";
import { within } from "./lib/wait.mjs";

after(closeBrowser);

/** Opens a page at one gateway, and starts another gateway that the page may connect to. */
async function beside(t, options = {}) {
  const [gateway, other] = [await startGateway(t), await startGateway(t, ["--allowed-origin", "*"])];
  await other.run("beacon", "--instance-id", "pi", "--host", "attic-pi", "--mode", "node");
  const visitor = await visit(t, options);
  visitor.allow(new URL(other.page).origin);
  const page = await visitor.open(gateway.link);
  await live(page);
  return { gateway, other, visitor, page };
}

const sections = (page) => page.locator(".gateway-section:visible");

/** Fills in and sends the form for another gateway. */
async function connect(page, url, secret) {
  const form = page.locator(".welcome[data-alone]:visible");
  await form.getByLabel("Address of the gateway").fill(url);
  if (secret !== undefined) await form.getByLabel("Secret", { exact: true }).fill(secret);
  await form.getByRole("button", { name: "Connect", exact: true }).click();
  await form.waitFor({ state: "hidden" });
}

/** Opens a page that shows both gateways. */
async function both(t, options) {
  const world = await beside(t, options);
  await world.page.getByRole("button", { name: "Add gateway" }).click();
  await connect(world.page, world.other.url, world.other.token);
  await sections(world.page).nth(1).getByText("attic-pi").first().waitFor();
  return world;
}

const addressWith = (gateway, url) => `${gateway.page}#/instances?with=${encodeURIComponent(url)}`;

test("a second gateway is added beside the first, and a reload shows both", async (t) => {
  const { gateway, other, page } = await both(t);
  const names = () => sections(page).locator(".row-open").allInnerTexts();
  const isBoth = (names) => names.filter((name) => name === "Chrome").length === 2 && names.includes("attic-pi");
  await within("the rows of both", async () => isBoth(await names()));
  assert.equal(page.url(), addressWith(gateway, other.url));
  assert.equal(await sections(page).locator('.connection[data-phase="live"]').count(), 2, "each section shows its connection");
  const tops = await sections(page).evaluateAll((all) => all.map((section) => Math.round(section.getBoundingClientRect().top)));
  assert.equal(tops[0], tops[1], "side by side");
  const headings = await sections(page).locator(".gateway-name").allInnerTexts();
  assert.deepEqual(headings.map((text) => / \((.*)\)$/.exec(text)?.[1]), [gateway, other].map(({ url }) => new URL(url).host), "names that differ");
  await page.reload();
  await live(page);
  await within("the rows of both again", async () => isBoth(await names()));
  assert.equal(page.url(), addressWith(gateway, other.url));
});

test("the printed link of a gateway that is shown beside another moves it to the first place", async (t) => {
  const [gateway, other] = [await startGateway(t), await startGateway(t, ["--allowed-origin", "*"])];
  const visitor = await visit(t);
  visitor.allow(new URL(other.page).origin);
  const page = await visitor.open(gateway.page);
  await page.getByLabel("Address of the gateway").fill(other.link);
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await live(page);
  await page.getByRole("button", { name: "Add gateway" }).click();
  await connect(page, gateway.url, gateway.token);
  await within("the rows of both", async () => (await sections(page).locator(".row-open").count()) === 4);
  await page.evaluate((link) => (location.href = link), gateway.link);
  await rowsWhen(page, "each row once", (rows) => rows.length === 2 && rows[1].badges.includes("this tab"));
  assert.equal(page.url(), `${gateway.page}#/instances`);
});

test("the address never contains a secret, not even that of a printed link", async (t) => {
  const { gateway, other, page } = await beside(t);
  await page.getByRole("button", { name: "Add gateway" }).click();
  await connect(page, other.link);
  await sections(page).nth(1).getByText("attic-pi").first().waitFor();
  assert.equal(page.url(), addressWith(gateway, other.url));
  const html = await page.content();
  const kept = await page.evaluate(() => JSON.stringify(localStorage) + document.cookie);
  for (const { token } of [gateway, other]) {
    assert.ok(!html.includes(token) && !kept.includes(token), "only this tab has the token");
  }
});

test("a link to a gateway asks for its secret and connects only when the form is sent", async (t) => {
  const { gateway, other, page } = await beside(t);
  const opened = [];
  page.on("websocket", (socket) => opened.push(socket.url()));
  const withSecret = encodeURIComponent(`${other.url}?token=hidden#token=hidden`);
  await page.goto(`${gateway.page}?again#/instances?with=${withSecret}&with=javascript:alert(1)`);
  await live(page);
  const form = page.locator(".welcome[data-alone]:visible");
  assert.equal(await form.getByLabel("Address of the gateway").inputValue(), other.url);
  assert.equal(await sections(page).count(), 2);
  assert.deepEqual(opened.map((url) => new URL(url).port), [new URL(gateway.url).port]);
  await connect(page, other.url, other.token);
  await sections(page).nth(1).getByText("attic-pi").first().waitFor();
});

test("a gateway that the page already shows is not added again", async (t) => {
  const { gateway, page } = await beside(t);
  const opened = [];
  page.on("websocket", (socket) => opened.push(socket.url()));
  await page.getByRole("button", { name: "Add gateway" }).click();
  const form = page.locator(".welcome[data-alone]:visible");
  await form.getByLabel("Address of the gateway").fill(gateway.link);
  await form.getByRole("button", { name: "Connect", exact: true }).click();
  await form.getByRole("alert").getByText("This page already shows this gateway.", { exact: true }).waitFor();
  assert.deepEqual(opened, []);
});

test("moving through the browser's history removes no gateway", async (t) => {
  const { other, page } = await beside(t);
  await page.getByLabel("Search").fill("attic");
  await page.getByRole("link", { name: "Paste" }).click();
  await page.getByRole("link", { name: "Instances", exact: true }).click();
  await page.getByRole("button", { name: "Add gateway" }).click();
  await connect(page, other.url, other.token);
  await sections(page).nth(1).getByText("attic-pi").first().waitFor();
  await page.goBack();
  await page.getByRole("heading", { name: "Paste", exact: true }).waitFor();
  await page.goBack();
  await page.getByRole("heading", { name: "Instances", exact: true }).waitFor();
  await twoFrames(page);
  assert.equal(await sections(page).count(), 2);
  assert.equal(await sections(page).locator('.connection[data-phase="live"]').count(), 2);
});

test("adding a gateway closes the details, which would cover the form", async (t) => {
  const { page } = await beside(t);
  await page.getByRole("button", { name: "Chrome" }).click();
  const panel = page.getByRole("dialog", { name: "Details of an instance" });
  await panel.waitFor();
  await page.getByRole("button", { name: "Add gateway" }).click();
  await page.getByRole("heading", { name: "Connect to another gateway" }).waitFor();
  assert.equal(await panel.isVisible(), false);
  const focused = page.locator(".welcome[data-alone]:visible input:focus");
  await focused.waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.locator("h1:visible:focus").waitFor();
});

test("each gateway has its own connection and health", async (t) => {
  const { gateway, other, page } = await both(t, { expected: [/WebSocket connection/, /ERR_CONNECTION_REFUSED/] });
  const [first, second] = [sections(page).nth(0), sections(page).nth(1)];
  for (const section of [first, second]) await section.getByText("Connection health", { exact: true }).click();
  await second.locator(".health").getByText(/^[\d.]+ ms$/).waitFor();
  await other.stop();
  await second.locator('.connection[data-phase="waiting"]').waitFor();
  await second.locator(".health summary").getByText("offline").waitFor();
  assert.equal(await first.locator(".connection").getAttribute("data-phase"), "live");
  assert.equal(await first.locator(".health summary .sub").innerText(), "live");
  await gateway.run("beacon", "--instance-id", "mac-1", "--host", "studio", "--mode", "ui");
  await first.getByText("studio").first().waitFor();
  await other.start();
  await second.locator('.connection[data-phase="live"]').waitFor();
  assert.equal(await second.locator('[data-fact="connections"] .fact-value').innerText(), "2");
  assert.equal(await first.locator('[data-fact="connections"] .fact-value').innerText(), "1");
});

test("search, counts and exports cover all gateways; details show a row of one", async (t) => {
  const { page } = await both(t);
  await rowsWhen(page, "all rows", (rows) => rows.length === 5);
  await page.getByText("5 in all").waitFor();
  await page.getByLabel("Search").fill("attic");
  assert.deepEqual((await rows(page)).map(({ name }) => name), ["attic-pi"]);
  await sections(page).nth(0).getByText("The search and filters hide all 2 instances.").waitFor();
  await sections(page).nth(1).getByText("1 of 3 shown").waitFor();
  await page.getByText("Export", { exact: true }).click();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "As JSON" }).click()]);
  await page.keyboard.press("Escape");
  const [entry, ...others] = JSON.parse(await readFile(await download.path(), "utf8"));
  const gatewayName = await sections(page).nth(1).locator("h2").first().innerText();
  assert.deepEqual([entry.host, entry.gateway, others], ["attic-pi", gatewayName, []]);
  await page.getByRole("button", { name: "attic-pi" }).click();
  const panel = page.getByRole("dialog", { name: "Details of an instance" });
  await panel.getByRole("heading", { name: "attic-pi" }).waitFor();
  await page.keyboard.press("Escape");
  await panel.waitFor({ state: "hidden" });
});

test("disconnecting removes a gateway and all data that this tab stored about it", async (t) => {
  const { gateway, page } = await both(t);
  const before = await page.evaluate(() => Object.keys(sessionStorage).sort());
  await sections(page).nth(1).getByRole("button", { name: "Disconnect" }).click();
  await within("one section", async () => (await sections(page).count()) === 1);
  assert.equal(page.url(), `${gateway.page}#/instances`);
  const after = await page.evaluate(() => Object.keys(sessionStorage).sort());
  assert.deepEqual(after, before.filter((name) => !name.endsWith(":gateways")));
  await page.reload();
  await live(page);
  assert.equal(await sections(page).count(), 1);
  await page.getByRole("button", { name: "Add gateway" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await within("one section again", async () => (await sections(page).count()) === 1);
});

for (const scheme of ["light", "dark"]) {
  for (const width of [360, 1440]) {
    test(`several gateways: ${scheme}, ${width} px`, async (t) => {
      const { gateway, page } = await both(t, { width, height: width === 360 ? 740 : 900, scheme, reducedMotion: "reduce" });
      await bringPeople(page, gateway, ["studio", "loft", "kitchen"]);
      await rowsWhen(page, "all rows", (rows) => rows.length === 9);
      await check(page, `several, ${scheme}, ${width} px`);
      await picture(page, `several-${scheme}-${width}`, { fullPage: true });
      await page.getByRole("button", { name: "studio" }).click();
      await page.getByRole("dialog", { name: "Details of an instance" }).waitFor();
      await picture(page, `several-detail-${scheme}-${width}`);
      await page.getByRole("button", { name: "Close details" }).click();
      await page.getByRole("button", { name: "Add gateway" }).click();
      await page.getByRole("heading", { name: "Connect to another gateway" }).waitFor();
      await check(page, `several-form, ${scheme}, ${width} px`);
      await picture(page, `several-form-${scheme}-${width}`, { fullPage: true });
    });
  }
}
