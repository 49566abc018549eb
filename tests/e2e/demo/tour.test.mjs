// The tour for a new user, from the printed link on, using only the page's own links and buttons.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { closeBrowser, picture, visit } from "./lib/browser.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { live, rowsWhen } from "./lib/roster.mjs";

after(closeBrowser);

/** Waits until this number of the tour's stops are ticked. */
const seen = (page, count) => page.locator(".tour .num", { hasText: `${count}/4` }).waitFor();

test("the tour leads from the own tab over a second tab and a duplicate to the time slider", async (t) => {
  const gateway = await startGateway(t);
  const visitor = await visit(t);
  const page = await visitor.open(gateway.link);
  await live(page);
  await seen(page, 1);

  const opened = visitor.context.waitForEvent("page");
  await page.getByRole("link", { name: "Open a second tab" }).click();
  await live(await opened);
  await rowsWhen(page, "the second tab", (rows) => rows.length === 3);
  await seen(page, 2);

  await page.getByRole("link", { name: "Make a duplicate" }).click();
  await page.getByRole("button", { name: "Reconnect without a stable identity" }).click();
  await page.locator('.finding[data-code="OWN"]').filter({ hasText: "Fix:" }).waitFor();
  await seen(page, 3);

  await page.getByRole("link", { name: "Move time" }).click();
  await rowsWhen(page, "a world", (rows) => rows.length > 1);
  await page.getByLabel("Time in the playground").focus();
  const strip = page.locator(".tour");
  const before = await strip.boundingBox();
  await page.keyboard.press("ArrowRight");
  await seen(page, 4);
  await page.getByText("Done: you have seen").waitFor();
  assert.deepEqual(await strip.boundingBox(), before, "the tour does not move while the slider is used");
  await picture(page, "tour-end");

  // After its end, the tour is hidden in other views.
  await page.getByRole("link", { name: "Instances", exact: true }).click();
  await strip.waitFor({ state: "hidden" });
});

test("a closed tour stays closed", async (t) => {
  const gateway = await startGateway(t);
  const visitor = await visit(t);
  const page = await visitor.open(gateway.link);
  await live(page);
  await page.getByRole("button", { name: "Close the tour" }).click();
  await page.locator(".tour").waitFor({ state: "hidden" });
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1", "focus moves to the heading");
  await page.reload();
  await live(page);
  assert.equal(await page.locator(".tour").isVisible(), false);
});
