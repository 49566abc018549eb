// Findings from the gateway's memory: the page shows them like those of the list, and requests them rarely.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { closeBrowser, visit } from "./lib/browser.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { atEnd } from "./lib/ends.mjs";
import { sendBeacons } from "./lib/people.mjs";
import { live, row, rowsWhen } from "./lib/roster.mjs";
import { within } from "./lib/wait.mjs";

after(closeBrowser);

const SPELLINGS = ["Tab-1", "tab -1"].map((instanceId) => (
  { instanceId, host: "kitchen", ip: "192.0.2.7", version: "1", mode: "ui", reason: "periodic" }
));

/**
 * Opens a page at its own gateway. `change` gets each frame of the gateway, and `ask` each request for all findings.
 * The frame that they return is passed on; if they return nothing, none is.
 */
async function watched(t, { change = (frame) => frame, ask = (frame) => frame } = {}) {
  const gateway = await startGateway(t);
  const visitor = await visit(t);
  const asked = [];
  await visitor.context.routeWebSocket(/./, (socket) => {
    const server = socket.connectToServer();
    const pass = (to, frame) => frame && to.send(JSON.stringify(frame));
    socket.onMessage((text) => {
      const frame = JSON.parse(text);
      const isAll = frame.method === "presence.explain" && frame.params?.row === undefined;
      if (isAll) asked.push(frame);
      pass(server, isAll ? ask(frame, socket) : frame);
    });
    server.onMessage((text) => pass(socket, change(JSON.parse(text), socket)));
  });
  const page = await visitor.open(gateway.link);
  await live(page);
  return { gateway, page, asked };
}

/** Connects a client whose `instanceId` is a placeholder, as a program with a bug does. It stays until the test ends. */
async function connectWithPlaceholder(t, gateway) {
  const socket = new WebSocket(gateway.url);
  atEnd(t, () => socket.close());
  const next = () => new Promise((resolve) => {
    socket.addEventListener("message", ({ data }) => resolve(JSON.parse(data)), { once: true });
  });
  await next();
  const client = { id: "my-tool", version: "1", platform: "linux", mode: "ui", displayName: "studio", instanceId: "undefined" };
  const params = { minProtocol: 4, maxProtocol: 4, client, auth: { token: gateway.token } };
  socket.send(JSON.stringify({ type: "req", id: "1", method: "connect", params }));
  assert.equal((await next()).ok, true);
}

const openFindings = (page) => page.locator(".findings-chip:visible").click();
const found = (page, code) => page.locator(`.findings .finding[data-code="${code}"]`);

test("a finding from the gateway's memory is in the list of findings, at its row and in its details", async (t) => {
  const { gateway, page } = await watched(t);
  await page.getByRole("button", { name: "0 findings" }).waitFor();
  await connectWithPlaceholder(t, gateway);
  await page.getByRole("button", { name: "1 finding", exact: true }).waitFor();
  await openFindings(page);
  await found(page, "PLACEHOLDER_ID").getByText("Fix:").waitFor();
  const hasFinding = ({ badges }) => badges.includes("finding");
  const shown = await rowsWhen(page, "the badge", (rows) => rows.some(hasFinding));
  assert.deepEqual(shown.filter(hasFinding).map(({ name }) => name), ["studio"]);
  await found(page, "PLACEHOLDER_ID").getByRole("button", { name: "Show the row" }).click();
  await page.locator('.detail .finding[data-code="PLACEHOLDER_ID"]').waitFor();
  await page.locator(".why").getByText("From the gateway's memory.").waitFor();
});

test("findings that were left out of the answer are counted", async (t) => {
  const change = (frame) => {
    if (frame.payload?.checks) frame.payload.findingsLeftOut = 2;
    return frame;
  };
  const { gateway, page } = await watched(t, { change });
  await page.getByRole("button", { name: "2 findings", exact: true }).waitFor();
  await connectWithPlaceholder(t, gateway);
  await page.getByRole("button", { name: "3 findings", exact: true }).waitFor();
  await openFindings(page);
  await found(page, "PLACEHOLDER_ID").waitFor();
  await page.getByText("2 more findings had no room in the gateway's answer.").waitFor();
});

test("the page requests findings at most every 5 s, however often the list changes", async (t) => {
  const { gateway, page, asked } = await watched(t);
  const startMs = performance.now();
  for (let round = 0; round < 20; round += 1) {
    await sendBeacons(page, gateway, [{ ...SPELLINGS[0], version: `1.${round}` }]);
    await row(page, "kitchen").getByText(`1.${round}`, { exact: true }).waitFor();
  }
  // The first request is sent at once, later ones at least 5 s apart.
  const most = 2 + Math.floor((performance.now() - startMs) / 5_000);
  assert.ok(asked.length >= 1 && asked.length <= most, `${asked.length} requests, at most ${most}`);
});

test("the list's findings are shown if the gateway answers with an error or has no memory", async (t) => {
  const error = { code: "INVALID_REQUEST", message: "missing scope: operator.read" };
  const refuse = ({ id }, socket) => socket.send(JSON.stringify({ type: "res", id, ok: false, error }));
  const withoutMemory = (frame) => {
    const features = frame.payload?.features;
    if (features) features.methods = features.methods.filter((name) => name !== "presence.explain");
    return frame;
  };
  for (const [hooks, most] of [[{ ask: refuse }, 9], [{ change: withoutMemory }, 0]]) {
    const { gateway, page, asked } = await watched(t, hooks);
    await sendBeacons(page, gateway, SPELLINGS);
    await page.getByRole("button", { name: "1 finding", exact: true }).waitFor();
    await openFindings(page);
    await found(page, "ID_SPELLING").getByRole("button", { name: "Show the 2 rows" }).waitFor();
    assert.ok(asked.length <= most, `${asked.length} requests`);
  }
});

test("a request for findings that a lost connection left unanswered is sent again over the next one", async (t) => {
  const held = [];
  const ask = (frame, socket) => (held.push(socket) === 1 ? undefined : frame);
  const { gateway, page, asked } = await watched(t, { ask });
  await connectWithPlaceholder(t, gateway);
  await sendBeacons(page, gateway, SPELLINGS);
  await within("a request", () => held.length === 1);
  // Until the answer comes, the page shows the findings of the list.
  await page.getByRole("button", { name: "1 finding", exact: true }).waitFor();
  await openFindings(page);
  await found(page, "ID_SPELLING").waitFor();
  await held[0].close({ code: 1012, reason: "restart" });
  await found(page, "PLACEHOLDER_ID").waitFor();
  await found(page, "ID_SPELLING").waitFor();
  assert.equal(asked.length, 2);
});

test("an explanation is dropped if its row is no longer open or its connection is lost", async (t) => {
  const held = [];
  let isHolding = true;
  const change = (frame, socket) => {
    if (!isHolding || frame.payload?.row?.keyFrom === undefined) return frame;
    held.push({ socket, release: () => socket.send(JSON.stringify(frame)) });
    return undefined;
  };
  const { gateway, page } = await watched(t, { change });
  await sendBeacons(page, gateway, [SPELLINGS[0]]);
  const why = page.locator(".why");
  const isBusy = page.locator('.why[aria-busy="true"]');
  const explained = why.getByText("From the gateway's memory.");
  const open = async (name, count) => {
    await row(page, name).first().click();
    await page.getByRole("dialog").getByRole("heading", { name }).waitFor();
    await within(`answer ${count}`, () => held.length === count);
  };
  const close = () => page.getByRole("button", { name: "Close details" }).click();

  await open("kitchen", 1);
  await close();
  held[0].release();
  await open("kitchen", 2);
  await isBusy.waitFor();
  assert.equal(await explained.count(), 0, "the first answer belongs to a panel that was closed");
  held[1].release();
  await explained.waitFor();

  // Reopening the panel requests the explanation again.
  await close();
  await open("kitchen", 3);
  held[2].release();
  await explained.waitFor();

  await open("Chrome", 4);
  await open("kitchen", 5);
  held[3].release();
  await isBusy.waitFor();
  assert.equal(await explained.count(), 0, "the first answer belongs to another row");
  isHolding = false;
  await held[4].socket.close({ code: 1012, reason: "restart" });
  await why.getByText(/From the (gateway's memory|list alone)/).waitFor();
  await live(page);
  await row(page, "Chrome").first().click();
  await explained.waitFor();
});

test("an open row that was explained from the list while offline is explained by the gateway after the reconnect", async (t) => {
  let refused = 0;
  const change = (frame, socket) => {
    if (frame.payload?.row?.keyFrom === undefined || refused > 0) return frame;
    refused += 1;
    void socket.close({ code: 1012, reason: "restart" });
    return undefined;
  };
  const { gateway, page } = await watched(t, { change });
  await sendBeacons(page, gateway, [SPELLINGS[0]]);
  // The row does not change: only the new connection triggers another request.
  await row(page, "kitchen").click();
  await page.locator(".why").getByText("From the gateway's memory.").waitFor();
  assert.equal(refused, 1);
});

test("nothing in the details moves when the explanation arrives", async (t) => {
  const held = [];
  let isHolding = true;
  const change = (frame, socket) => {
    if (!isHolding || frame.payload?.row?.keyFrom === undefined) return frame;
    held.push(() => socket.send(JSON.stringify(frame)));
    return undefined;
  };
  const { page } = await watched(t, { change });
  await row(page, "Chrome").first().click();
  await within("an explanation", () => held.length > 0);
  const panel = page.getByRole("dialog", { name: "Details of an instance" });
  const parts = "header, .detail-body > *, .detail-body > * > *, .facts > *, .why > h3";
  const boxes = () => panel.locator(parts).evaluateAll((all) => all.map((element) => {
    const { x, y, width } = element.getBoundingClientRect();
    return [element.tagName, x, y, width].join(" ");
  }));
  const before = await boxes();
  assert.ok(before.length > 10, before.join("\n"));
  assert.equal(await panel.getByText("Entry", { exact: true }).count(), 0, "the sections below are not shown yet");
  isHolding = false;
  held.forEach((release) => release());
  await panel.locator(".why").getByText("From the gateway's memory.").waitFor();
  await panel.getByText("Entry", { exact: true }).waitFor();
  const now = new Set(await boxes());
  assert.deepEqual(before.filter((box) => !now.has(box)), []);
});
