// The view "This tab": reported values, beacons, and the duplicate after the tab loses its identity.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { closeBrowser, picture, twoFrames, visit } from "./lib/browser.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { live, row, rows, rowsWhen } from "./lib/roster.mjs";
import { within } from "./lib/wait.mjs";

after(closeBrowser);

async function opened(t) {
  const gateway = await startGateway(t);
  const visitor = await visit(t);
  const page = await visitor.open(gateway.link);
  await live(page);
  await page.getByRole("link", { name: "This tab" }).click();
  return { gateway, page };
}

const fact = (page, name) => page.locator(`[data-fact="${name}"] .fact-value`).textContent();

test("the reported values are those that the gateway lists", async (t) => {
  const { gateway, page } = await opened(t);
  const id = await within("an instanceId", async () => /^[0-9a-f-]{36}/.exec(await fact(page, "instanceId"))?.[0]);
  await within("its own row", async () => (await fact(page, "host")) !== "…");
  const listed = JSON.parse(await gateway.run("list", "--json")).find(({ instanceId }) => instanceId === id);
  assert.equal(await fact(page, "mode"), listed.mode);
  assert.equal(await fact(page, "host"), listed.host);
  assert.equal(await fact(page, "deviceId"), listed.deviceId);
  assert.equal(await fact(page, "mode"), "webchat");

  // The age of the last input grows, and input resets it.
  await within("a ticking last input", async () => /^([2-9]|\d{2,}) s ago/.test(await fact(page, "input")));
  await within("a last input just now", async () => {
    // Move repeatedly: a slow machine may look at the age only after it is no longer "now".
    await page.mouse.move(200, 300 + (Date.now() % 50));
    return /^(just now|1 s ago)/.test(await fact(page, "input"));
  });
});

test("beacons are sent on demand, and can be switched off", async (t) => {
  const { gateway, page } = await opened(t);
  await page.getByRole("button", { name: "Send one now" }).click();
  await page.getByText("The gateway accepted the beacon at").waitFor();
  const own = async () => JSON.parse(await gateway.run("list", "--json")).find(({ mode }) => mode === "webchat");
  assert.equal((await own()).reason, "periodic");
  assert.equal(typeof (await own()).lastInputSeconds, "number");

  const toggle = page.getByRole("switch", { name: "Send beacons" });
  await toggle.click();
  await within("a connection without beacons", async () =>
    (await toggle.getAttribute("aria-checked")) === "false" && (await own())?.reason === "connect");
  await live(page);
});

test("without a stable identity the tab is a duplicate, and the page explains it", async (t) => {
  const { page } = await opened(t);
  await page.getByRole("button", { name: "Reconnect without a stable identity" }).click();
  await page.getByRole("heading", { name: "This tab is 2 rows now" }).waitFor();
  const isDuplicate = (rows) => rows.map(({ badges }) => badges[0]).sort().join() === "left over,this tab, now";
  await rowsWhen(page, "two rows of this tab", isDuplicate);
  const withFix = /no instanceId[\s\S]*Fix: Send a stable client\.instanceId/;
  await page.locator('.finding[data-code="OWN"]').filter({ hasText: withFix }).waitFor();

  // After another reconnect the gateway finds the duplicate too, and every reader sees the finding.
  await page.getByRole("button", { name: "Reconnect once more" }).click();
  await page.getByRole("heading", { name: "This tab is 3 rows now" }).waitFor();
  const noId = page.locator('.finding[data-code="NO_INSTANCE_ID"]:visible');
  await noId.filter({ hasText: "neither an instanceId nor a device key" }).waitFor();
  await picture(page, "this-tab-duplicate", { fullPage: true });

  await page.getByRole("link", { name: "Instances", exact: true }).click();
  await page.locator(".tour li[data-seen]", { hasText: "duplicate" }).waitFor();
  await page.getByRole("button", { name: "1 finding" }).click();
  await page.getByRole("button", { name: "Show the 2 rows" }).click();
  await page.getByRole("dialog", { name: "Details of an instance" }).locator(".finding").waitFor();
  await picture(page, "instances-duplicate", { fullPage: true });

  await page.getByRole("link", { name: "This tab" }).click();
  await page.getByRole("button", { name: "Restore the identity" }).click();
  const isOld = ({ badges, isConnected, where }) => badges[0] === "this tab, now" && isConnected && /[0-9a-f]{8}…/.test(where);
  await within("its old row again", async () => (await rows(page)).some(isOld));
  await within("the other rows, until they expire", async () => (await row(page, "Chrome").count()) === 3);
});

test("Escape in the table of this tab changes nothing, and a row leads to the instances", async (t) => {
  const { page } = await opened(t);
  await rowsWhen(page, "its row", (rows) => rows.length === 1);
  await page.locator(".row-open:visible").focus();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Instances" }).waitFor();
  await page.goBack();
  await page.getByRole("heading", { level: 1, name: "This tab" }).waitFor();
  await page.locator(".row-open:visible").focus();
  await page.keyboard.press("Escape");
  await twoFrames(page);
  assert.match(page.url(), /#\/this-tab$/);
});
