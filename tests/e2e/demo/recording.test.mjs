// Recordings in the playground: each point in time has the rows and the digest of the replay in Node.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { closeBrowser, visit } from "./lib/browser.mjs";
import { file, replayed, TEXT } from "./lib/recording.mjs";
import { row, rows, rowsWhen } from "./lib/roster.mjs";
import { startStaticHost } from "./lib/static-host.mjs";
import { within } from "./lib/wait.mjs";

after(closeBrowser);

async function playground(t) {
  const host = await startStaticHost(t);
  const visitor = await visit(t, { reducedMotion: "reduce" });
  const page = await visitor.open(`${host}#/playground`);
  await rowsWhen(page, "a world", (shown) => shown.length > 0);
  return page;
}

/** Opens the recording in the playground, at its end. */
async function opened(t, text = TEXT) {
  const page = await playground(t);
  await page.getByLabel("Open recording").setInputFiles(file("gateway.jsonl", text));
  await page.locator(".recorded-facts").waitFor();
  return page;
}

const digest = (page) => page.locator(".recorded-facts code").textContent();

/** Moves the slider, and waits for the digest of that time. */
async function moveTo(page, ms, bounds) {
  await page.getByLabel("Time in the recording").evaluate((input, value) => {
    input.value = String(value);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }, ms);
  const wanted = replayed.at(ms, bounds);
  await within(`${ms} ms`, async () => (await digest(page)) === wanted.digest);
  await page.getByText(`${wanted.rows.length} rows of at most ${wanted.maxEntries}.`).waitFor();
  return wanted;
}

test("each point in time has the rows and the digest of the replay in Node, forwards and backwards", async (t) => {
  const page = await opened(t);
  await page.getByText("gateway.jsonl: 1 min from").waitFor();
  await page.getByText("1,200 of 1,200").waitFor();
  assert.equal(await digest(page), replayed.at(60_000).digest);
  for (const ms of [59_000, 12_300, 30_000, 500]) {
    const { rows: entries } = await moveTo(page, ms);
    const names = new Set(entries.map(({ host, instanceId }) => host ?? instanceId));
    const shown = await rowsWhen(page, "its rows", (shown) => shown.length > 0 && shown.every(({ name }) => names.has(name)));
    assert.ok(shown.length <= entries.length, "one row for each instance");
  }
});

test("changed bounds replay the recording with these bounds; invalid bounds are refused", async (t) => {
  const page = await opened(t);
  const change = async (label, value) => {
    await page.getByLabel(label).fill(String(value));
    await page.getByLabel(label).press("Enter");
  };
  // While the recording plays, the pane is rendered repeatedly and must keep the typed text.
  await moveTo(page, 1_000);
  await page.getByRole("button", { name: "1×", exact: true }).click();
  await page.getByLabel("Maximum rows").fill("10");
  await within("a later time", async () => (await page.locator(".moment").textContent()) > "00:02");
  assert.equal(await page.getByLabel("Maximum rows").inputValue(), "10");
  await page.getByRole("button", { name: "Pause" }).click();
  await change("Maximum rows", 10);
  await page.getByText("10 rows of at most 10.").waitFor();
  await page.getByText("Other bounds than recorded: 20 s, 24 rows.").waitFor();
  await moveTo(page, 40_000, { maxEntries: 10 });
  await change("Time to live, in s", 10);
  await moveTo(page, 50_000, { maxEntries: 10, ttlMs: 10_000 });
  await change("Maximum rows", 0);
  await page.getByText("maxEntries must be at least").waitFor();
  await page.getByRole("button", { name: "As recorded" }).click();
  await page.getByText("The bounds of the recorded gateway.").waitFor();
  await moveTo(page, 50_000);
});

test("findings, explanations of rows and events are shown", async (t) => {
  const page = await opened(t);
  const { findings, wallMs } = await moveTo(page, 45_000);
  assert.ok(findings.length > 0 && wallMs > 0);
  for (const { code } of findings) await page.locator(`.finding[data-code="${code}"]`).first().waitFor();
  const last = replayed.changes(0, 45_000).at(-1);
  await page.locator(".step").filter({ hasText: last.text }).first().waitFor();
  const [first] = (await rows(page)).filter(({ badges }) => !badges.includes("gateway"));
  await row(page, first.name).first().click();
  await page.locator(".why").getByText("From the gateway's memory.").waitFor();
});

test("a recording plays to its end, and then starts again", async (t) => {
  const page = await opened(t);
  await moveTo(page, 57_000);
  await page.getByRole("button", { name: "10×" }).click();
  await page.getByRole("button", { name: "Pause", pressed: true }).waitFor();
  assert.equal(await digest(page), replayed.at(60_000).digest);
  await page.locator(".step").filter({ hasText: replayed.changes(50_000, 60_000).at(-1).text }).first().waitFor();
  await page.getByRole("button", { name: "1×", exact: true }).click();
  await within("the start", async () => (await page.locator(".moment").textContent()) < "00:30");
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("button", { name: "Close recording" }).click();
  await page.getByLabel("Time in the playground").waitFor();
});

test("a truncated or altered recording is shown up to the error, with the line number", async (t) => {
  const cut = TEXT.slice(0, TEXT.length / 2);
  const page = await opened(t, cut);
  await page.getByRole("alert").filter({ hasText: `line ${cut.split("\n").length}: it is cut off` }).waitFor();
  assert.ok((await rows(page)).length > 5);
  const changed = TEXT.replace(/"digest":"[0-9a-f]{16}"/, '"digest":"0000000000000000"');
  await page.getByLabel("Open recording").setInputFiles(file("changed.jsonl", changed));
  await page.getByRole("alert").filter({ hasText: "the digest differs" }).waitFor();
});

test("opening a file shows its progress, and can be cancelled or replaced by another file", async (t) => {
  const page = await playground(t);
  await page.evaluate(() => {
    const { arrayBuffer } = Blob.prototype;
    globalThis.held = [];
    Blob.prototype.arrayBuffer = function () {
      return new Promise((resolve) => globalThis.held.push(() => resolve(arrayBuffer.call(this))));
    };
  });
  const input = page.getByLabel("Open recording");
  const progress = page.getByRole("progressbar", { name: "Opening the recording" });
  const isHeld = (count) => within(`${count} files`, () => page.evaluate((count) => globalThis.held.length === count, count));
  const release = (at) => page.evaluate((at) => globalThis.held[at](), at);
  await input.setInputFiles(file("first.jsonl"));
  await page.getByText("first.jsonl is being read and replayed.").waitFor();
  assert.equal(await progress.evaluate(({ value }) => value), 0);
  await isHeld(1);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByLabel("Time in the playground").waitFor();
  assert.equal(await progress.count(), 0);

  await input.setInputFiles(file("second.jsonl"));
  await isHeld(2);
  await input.setInputFiles(file("third.jsonl", TEXT.slice(0, TEXT.length / 2)));
  await isHeld(3);
  // The last chosen file is shown; the files chosen before it never are.
  await release(2);
  await page.getByRole("alert").filter({ hasText: "it is cut off" }).waitFor();
  await release(0);
  await release(1);
  await moveTo(page, 12_300);
  await page.getByText("third.jsonl: ").waitFor();
});

test("a file that is not a recording is refused, and the playground stays open", async (t) => {
  const page = await playground(t);
  const wrong = [
    ["list.json", '[{"host":"studio"}]\n', "list.json cannot be opened: line 1: not the header of a recording"],
    ["later.jsonl", TEXT.replace('"format":1', '"format":9'), "later.jsonl cannot be opened: line 1: the recording has format 9"],
    ["empty.jsonl", "", "empty.jsonl cannot be opened: line 1: the header is missing"],
  ];
  for (const [name, text, message] of wrong) {
    await page.getByLabel("Open recording").setInputFiles(file(name, text));
    await page.getByRole("alert").filter({ hasText: message }).waitFor();
    await page.getByLabel("Time in the playground").waitFor();
  }
});

test("a file can be dropped anywhere on the playground, or chosen by keyboard", async (t) => {
  const page = await playground(t);
  const input = page.getByLabel("Open recording");
  await page.getByRole("button", { name: "Copy link" }).focus();
  await page.keyboard.press("Shift+Tab");
  assert.ok(await input.evaluate((element) => element === document.activeElement));
  const outline = await page.locator('label[for="recording-file"]').evaluate((label) => getComputedStyle(label).outlineStyle);
  assert.equal(outline, "solid");
  await page.locator(".view.playground").evaluate((view, text) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([text], "dropped.jsonl"));
    for (const type of ["dragover", "drop"]) {
      view.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
    }
  }, TEXT);
  await page.getByText("dropped.jsonl: 1 min from").waitFor();
  await page.getByRole("button", { name: "Stale row" }).click();
  await page.getByLabel("Time in the playground").waitFor();
});
