// What the gateway finds in its memory: shown on the page like what its list shows, and asked for rarely.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { closeBrowser, visit } from "./lib/browser.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { atEnd } from "./lib/ends.mjs";
import { sendBeacons } from "./lib/people.mjs";
import { live, row, rowsWhen } from "./lib/roster.mjs";
import { within } from "./lib/wait.mjs";

after(closeBrowser);

const SPELLINGS = ["Tab-1", "tab -1"].map((instanceId) => ({ instanceId, host: "kitchen", ip: "192.0.2.7", version: "1", mode: "ui", reason: "periodic" }));

/**
 * A page at a gateway of its own. `change` gets each frame of the gateway, and `ask` each request for all findings; what
 * they return goes on, if anything.
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

/** A client without an id of its own, as a program with a mistake connects. It stays to the end of the test. */
async function connectWithPlaceholder(t, gateway) {
  const socket = new WebSocket(gateway.url);
  atEnd(t, () => socket.close());
  const next = () => new Promise((resolve) => socket.addEventListener("message", ({ data }) => resolve(JSON.parse(data)), { once: true }));
  await next();
  const client = { id: "my-tool", version: "1", platform: "linux", mode: "ui", displayName: "studio", instanceId: "undefined" };
  socket.send(JSON.stringify({ type: "req", id: "1", method: "connect", params: { minProtocol: 4, maxProtocol: 4, client, auth: { token: gateway.token } } }));
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
  assert.deepEqual((await rowsWhen(page, "the badge", (rows) => rows.some(({ badges }) => badges.includes("finding")))).filter(({ badges }) => badges.includes("finding")).map(({ name }) => name), ["studio"]);
  await found(page, "PLACEHOLDER_ID").getByRole("button", { name: "Show the row" }).click();
  await page.locator('.detail .finding[data-code="PLACEHOLDER_ID"]').waitFor();
  await page.locator(".why").getByText("From the gateway's memory.").waitFor();
});

test("findings that had no room in the answer are counted", async (t) => {
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

test("the gateway is asked for its findings once in a while, however often the list changes", async (t) => {
  const { gateway, page, asked } = await watched(t);
  const startMs = performance.now();
  for (let round = 0; round < 20; round += 1) {
    await sendBeacons(page, gateway, [{ ...SPELLINGS[0], version: `1.${round}` }]);
    await row(page, "kitchen").getByText(`1.${round}`, { exact: true }).waitFor();
  }
  // The first is at once, the others at least 5 s apart.
  const most = 2 + Math.floor((performance.now() - startMs) / 5_000);
  assert.ok(asked.length >= 1 && asked.length <= most, `${asked.length} questions, at most ${most}`);
});

test("an error, or a gateway that has no memory: the list's findings are shown", async (t) => {
  const refuse = ({ id }, socket) => socket.send(JSON.stringify({ type: "res", id, ok: false, error: { code: "INVALID_REQUEST", message: "missing scope: operator.read" } }));
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
    assert.ok(asked.length <= most, `${asked.length} questions`);
  }
});

test("a question over a lost connection is forgotten, and asked again over the next one", async (t) => {
  const held = [];
  const ask = (frame, socket) => (held.push(socket) === 1 ? undefined : frame);
  const { gateway, page, asked } = await watched(t, { ask });
  await connectWithPlaceholder(t, gateway);
  await sendBeacons(page, gateway, SPELLINGS);
  await within("a question", () => held.length === 1);
  // Without an answer: what the list shows.
  await page.getByRole("button", { name: "1 finding", exact: true }).waitFor();
  await openFindings(page);
  await found(page, "ID_SPELLING").waitFor();
  await held[0].close({ code: 1012, reason: "restart" });
  await found(page, "PLACEHOLDER_ID").waitFor();
  await found(page, "ID_SPELLING").waitFor();
  assert.equal(asked.length, 2);
});

test("an explanation that comes when another row is shown, or none, or over a lost connection, is not shown", async (t) => {
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
  const told = why.getByText("From the gateway's memory.");
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
  assert.equal(await told.count(), 0, "the first answer is of a panel that was closed");
  held[1].release();
  await told.waitFor();

  // Opened again at once, it is asked for again.
  await close();
  await open("kitchen", 3);
  held[2].release();
  await told.waitFor();

  await open("Chrome", 4);
  await open("kitchen", 5);
  held[3].release();
  await isBusy.waitFor();
  assert.equal(await told.count(), 0, "the first answer is of another row");
  isHolding = false;
  await held[4].socket.close({ code: 1012, reason: "restart" });
  await why.getByText(/From the (gateway's memory|list alone)/).waitFor();
  await live(page);
  await row(page, "Chrome").first().click();
  await told.waitFor();
});

test("an open row that the list explained while there was no connection is explained by the gateway again", async (t) => {
  let refused = 0;
  const change = (frame, socket) => {
    if (frame.payload?.row?.keyFrom === undefined || refused > 0) return frame;
    refused += 1;
    void socket.close({ code: 1012, reason: "restart" });
    return undefined;
  };
  const { gateway, page } = await watched(t, { change });
  await sendBeacons(page, gateway, [SPELLINGS[0]]);
  // Its row is the same before and after: nothing but the new connection asks again.
  await row(page, "kitchen").click();
  await page.locator(".why").getByText("From the gateway's memory.").waitFor();
  assert.equal(refused, 1);
});

test("nothing in the details moves when the explanation comes", async (t) => {
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
  const boxes = () => panel.locator("header, .detail-body > *, .detail-body > * > *, .facts > *, .why > h3").evaluateAll((all) => all.map((element) => {
    const { x, y, width } = element.getBoundingClientRect();
    return [element.tagName, x, y, width].join(" ");
  }));
  const before = await boxes();
  assert.ok(before.length > 10, before.join("\n"));
  assert.equal(await panel.getByText("Entry", { exact: true }).count(), 0, "what stands below waits");
  isHolding = false;
  held.forEach((release) => release());
  await panel.locator(".why").getByText("From the gateway's memory.").waitFor();
  await panel.getByText("Entry", { exact: true }).waitFor();
  const now = new Set(await boxes());
  assert.deepEqual(before.filter((box) => !now.has(box)), []);
});
