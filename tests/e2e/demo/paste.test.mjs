// Pasted lists.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { closeBrowser, visit } from "./lib/browser.mjs";
import { row, rows, rowsWhen } from "./lib/roster.mjs";
import { startStaticHost } from "./lib/static-host.mjs";

after(closeBrowser);

async function opened(t) {
  const host = await startStaticHost(t);
  const visitor = await visit(t);
  const page = await visitor.open(`${host}#/paste`);
  return { page, text: page.getByLabel("A presence list") };
}

const NOW = 1_800_000_000_000;
const LIST = [
  { host: "gw", mode: "gateway", reason: "self", text: "Gateway: gw", ts: NOW },
  { host: "studio", instanceId: "Mac 1", reason: "connect", mode: "ui", ts: NOW - 100_000 },
  { host: "studio", instanceId: "mac1", reason: "periodic", mode: "local", ts: NOW - 10_000, extra: { kept: true } },
];

test("a pasted list is shown as a table, with statuses at a chosen time and explained duplicates", async (t) => {
  const { page, text } = await opened(t);
  await text.fill(JSON.stringify(LIST));
  await page.getByText("3 instances; 1 finding.").waitFor();
  await page.locator('.finding[data-code="ID_SPELLING"]').filter({ hasText: "differ by case and blanks only" }).waitFor();
  assert.deepEqual((await rows(page)).map(({ status }) => status), ["Active", "Active", "Active"]);
  await page.getByLabel("Time since the list was made").fill("21");
  await rowsWhen(page, "the older row idle", (rows) => rows.map(({ status }) => status).sort().join() === "Active,Active,Idle");
  await page.getByLabel("Time since the list was made").fill("301");
  await rowsWhen(page, "all rows stale", (rows) =>
    rows.every(({ status, badges }) => status === "Stale" || badges.includes("gateway")));
  await row(page, "studio").last().click();
  assert.match(await page.getByLabel("Entry as JSON").textContent(), /"kept": true|Mac 1/);
});

test("pasted frames are accepted too", async (t) => {
  const { page, text } = await opened(t);
  const event = { type: "event", event: "presence", payload: { presence: LIST } };
  for (const frame of [{ presence: LIST }, event, { type: "res", id: "1", ok: true, payload: LIST }]) {
    await text.fill(JSON.stringify(frame));
    await page.getByText("3 instances; 1 finding.").waitFor();
    await text.fill("");
    await page.getByText("3 instances; 1 finding.").waitFor({ state: "hidden" });
  }
});

test("the examples show a Mac with two rows, and a row per connection merged into one per instance", async (t) => {
  const { page } = await opened(t);
  await page.getByRole("button", { name: "Example: one Mac twice" }).click();
  await page.locator('.finding[data-code="BEACON_ID_DIFFERS"]').waitFor();
  await page.getByRole("button", { name: "Example: a row per connection" }).click();
  await page.getByText("3 instances, from 5 rows of the gateway").waitFor();
  await row(page, "webchat-ui").click();
  await page.getByText("3 rows of the gateway behind this one").waitFor();
  await page.locator(".why").getByText("From the list alone").waitFor();
  await page.locator(".why").getByText(/The gateway lists 3 rows of it/).waitFor();
});

test("text that is not a list gets an error; markup is shown as text", async (t) => {
  const { page, text } = await opened(t);
  await text.fill("[{");
  await page.getByRole("alert").filter({ hasText: "The text is not complete JSON" }).waitFor();
  await text.fill('{"ok":true}');
  await page.getByRole("alert").filter({ hasText: "The JSON contains no presence list" }).waitFor();
  await text.fill(JSON.stringify([{ host: '<img src=x onerror="alert(1)">', reason: "connect", ts: NOW }]));
  await page.getByText("1 instance;").waitFor();
  assert.equal(await page.locator("img[src=x]").count(), 0);
});

test("a file can be dropped or chosen", async (t) => {
  const { page } = await opened(t);
  const buffer = Buffer.from(JSON.stringify(LIST));
  await page.locator("#paste-file").setInputFiles({ name: "list.json", mimeType: "application/json", buffer });
  await page.getByText("3 instances;").waitFor();
});

test("a file that is too large or cannot be read gets an error, and the list before it is gone", async (t) => {
  const { page, text } = await opened(t);
  const choose = (name, buffer) => page.locator("#paste-file").setInputFiles({ name, mimeType: "application/json", buffer });
  const alert = (words) => page.getByRole("alert").filter({ hasText: words }).waitFor();
  for (const [name, buffer, words] of [
    ["large.json", Buffer.alloc(4 * 1024 * 1024 + 1, " "), "large.json is larger than 4 MiB"],
    ["gone.json", Buffer.from("[]"), "gone.json cannot be read: it was moved"],
  ]) {
    await text.fill(JSON.stringify(LIST));
    await page.getByText("3 instances;").waitFor();
    if (name === "gone.json") await page.evaluate(() => (File.prototype.text = () => Promise.reject(new Error("it was moved"))));
    await choose(name, buffer);
    await alert(words);
    await page.getByText("3 instances;").waitFor({ state: "hidden" });
    assert.equal(await text.inputValue(), "");
  }
});

test("changes without their list get an error", async (t) => {
  const { page, text } = await opened(t);
  const payload = { from: 4, to: 5, upserts: [{ key: "mac-1", entry: LIST[1] }], removals: [], touched: [], digest: "0".repeat(16) };
  await text.fill(JSON.stringify({ type: "event", event: "presence.delta", payload }));
  await page.getByRole("alert").filter({ hasText: "only changes of a list" }).waitFor();
  assert.equal(await page.getByText("0 instances").count(), 0);
});

test("sorted by mode, rows without one are last", async (t) => {
  const { page, text } = await opened(t);
  const hosts = { none: undefined, worker: "worker", app: "app" };
  await text.fill(JSON.stringify(Object.entries(hosts).map(([host, mode]) => ({ host, mode, instanceId: host, ts: NOW }))));
  await page.getByRole("button", { name: "Mode", exact: true }).click();
  await rowsWhen(page, "the order of modes", (rows) => rows.map(({ name }) => name).join() === "app,worker,none");
});
