// Lists without rows: the page states why, instead of waiting for rows that will not arrive.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { closeBrowser, visit } from "./lib/browser.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { live } from "./lib/roster.mjs";

after(closeBrowser);

/** Passes every frame to the page through `change`. */
async function changed(context, change) {
  await context.routeWebSocket(/^ws:/, (page) => {
    const gateway = page.connectToServer();
    // Without deltas, every change is sent as a whole list.
    page.onMessage((text) => gateway.send(text.replace('"presence-delta"', "")));
    gateway.onMessage((text) => page.send(JSON.stringify(change(JSON.parse(text)))));
  });
}

const counts = (page) => page.locator(".counts:visible .num").allInnerTexts();

test("a gateway that lists no instances is not shown as one that is still awaited", async (t) => {
  const gateway = await startGateway(t);
  const visitor = await visit(t);
  await changed(visitor.context, (frame) => {
    if (frame.payload?.snapshot) frame.payload.snapshot.presence = [];
    if (Array.isArray(frame.payload?.presence)) frame.payload.presence = [];
    return frame;
  });
  const page = await visitor.open(gateway.link);
  await page.getByText("The gateway lists no instances.").waitFor();
  assert.equal(await page.locator(".skeleton:visible").count(), 0);
  assert.deepEqual(await counts(page), ["0", "0", "0", "0", "0"]);
});

test("without the right to read, the page says so and counts nothing", async (t) => {
  const gateway = await startGateway(t);
  const visitor = await visit(t);
  await changed(visitor.context, (frame) => {
    if (frame.payload?.snapshot) delete frame.payload.snapshot.presence;
    if (frame.payload?.auth) frame.payload.auth.scopes = [];
    return frame.event === "presence" ? { ...frame, event: "other" } : frame;
  });
  const page = await visitor.open(gateway.link);
  await page.getByText("This page may not read the list").waitFor();
  assert.equal(await page.locator(".skeleton:visible").count(), 0);
  assert.deepEqual(await counts(page), ["–", "–", "–", "–", "–"]);
});

test("offline, the timeline does not wait for an answer", async (t) => {
  const gateway = await startGateway(t);
  const visitor = await visit(t, { expected: [/ERR_CONNECTION_REFUSED/, /WebSocket connection to/] });
  const page = await visitor.open(gateway.link);
  await live(page);
  await gateway.stop();
  await page.locator('.pill[data-phase="waiting"]').waitFor();
  await page.getByRole("link", { name: "Timeline" }).click();
  await page.getByText("Offline: the history is read when").waitFor();
  assert.equal(await page.locator(".skeleton:visible").count(), 0);
});
