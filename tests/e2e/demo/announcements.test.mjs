// What screen readers announce.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { closeBrowser, visit } from "./lib/browser.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { sendBeacons } from "./lib/people.mjs";
import { live, rowsWhen } from "./lib/roster.mjs";

after(closeBrowser);

/** Opens a page whose announcements are recorded. */
async function listening(t) {
  // The clock stands still until the test moves it, so that all joins fall into one announcement, even on a slow machine.
  const gateway = await startGateway(t, ["--tick-interval-ms", "3600000"]);
  const visitor = await visit(t);
  await visitor.context.clock.install();
  const page = await visitor.open(gateway.link);
  await live(page);
  await page.clock.pauseAt((await page.evaluate(() => Date.now())) + 1_000);
  await page.evaluate(() => {
    window.announced = [];
    const region = document.getElementById("announcer");
    const observer = new MutationObserver(() => window.announced.push(region.textContent));
    observer.observe(region, { childList: true, characterData: true, subtree: true });
  });
  return { gateway, page, announced: () => page.evaluate(() => window.announced) };
}

test("screen readers hear joins and leaves, not age changes", async (t) => {
  const { gateway, page, announced } = await listening(t);
  const beacon = (index, reason) => ({ instanceId: `mac-${index}`, host: `host-${index}`, reason });
  await sendBeacons(page, gateway, Array.from({ length: 6 }, (_, index) => beacon(index, "launch")));
  await rowsWhen(page, "all six", (rows) => rows.length === 8);
  await page.clock.runFor(4_000);
  const [joins, ...early] = await announced();
  assert.match(joins, /^(host-\d joined\. ){3}And 3 more changes$/);
  assert.deepEqual(early, [], "announced together");

  await sendBeacons(page, gateway, [0, 1].map((index) => beacon(index, "disconnect")));
  await rowsWhen(page, "two that left", (rows) => rows.filter(({ status }) => status === "Left").length === 2);
  await page.clock.runFor(10_000);
  assert.deepEqual((await announced()).slice(1).map((text) => text.split(". ").sort().join()), ["host-0 left,host-1 left"]);

  await page.clock.runFor(130_000);
  await rowsWhen(page, "the others idle", (rows) =>
    rows.filter(({ name, status }) => name.startsWith("host-") && status === "Idle").length === 4);
  await page.clock.runFor(10_000);
  assert.equal((await announced()).length, 2, "ageing is not announced");
});

test("changes with equal names are all counted, and names are announced once", async (t) => {
  const { gateway, page, announced } = await listening(t);
  const beacon = (index, host) => ({ instanceId: `mac-${index}`, host, reason: "launch" });
  await sendBeacons(page, gateway, ["studio", "studio", "studio", "loft", "attic", "porch", "porch"].map((host, index) => beacon(index, host)));
  await rowsWhen(page, "all seven", (rows) => rows.length === 9);
  await page.clock.runFor(4_000);
  const [joins] = await announced();
  assert.equal(joins, "studio joined (3 times). loft joined. attic joined. And 2 more changes");
});
