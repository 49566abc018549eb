// Connection health: frames sent and received, latency and reconnects.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { closeBrowser, visit } from "./lib/browser.mjs";
import { startGateway } from "./lib/gateway.mjs";
import { live, row } from "./lib/roster.mjs";
import { within } from "./lib/wait.mjs";

after(closeBrowser);

const fact = (page, name) => page.locator(`.health [data-fact="${name}"] .fact-value`);

async function open(page) {
  await page.getByText("Connection health", { exact: true }).click();
  await fact(page, "latency").getByText(/^[\d.]+ ms$/).waitFor();
}

test("latency, frames and reconnects are shown, and the counters continue over a restart of the gateway", async (t) => {
  const gateway = await startGateway(t);
  const visitor = await visit(t, { expected: [/WebSocket connection/] });
  const page = await visitor.open(gateway.link);
  await live(page);
  await open(page);
  assert.equal(await fact(page, "connections").textContent(), "1");
  const frames = async (name) => Number.parseInt(await fact(page, name).textContent(), 10);
  const before = await frames("received");
  assert.ok(before >= 2, "the challenge and the hello");
  assert.ok((await frames("sent")) >= 2, "the handshake and the measurement");
  await gateway.run("beacon", "--instance-id", "mac-1", "--host", "studio", "--mode", "ui");
  await row(page, "studio").waitFor();
  await within("more frames", async () => (await frames("received")) > before);

  await gateway.stop();
  await fact(page, "latency").getByText("–").waitFor();
  await gateway.start();
  await fact(page, "connections").getByText("2", { exact: true }).waitFor();
});

test("the request for the list after a missed frame is counted", async (t) => {
  const gateway = await startGateway(t);
  const visitor = await visit(t);
  let missing;
  await visitor.context.routeWebSocket(/^ws:/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((frame) => {
      if (missing && frame.includes(missing)) missing = undefined;
      else socket.send(frame);
    });
  });
  const page = await visitor.open(gateway.link);
  await live(page);
  await open(page);
  assert.equal(await fact(page, "lists").textContent(), "0");
  missing = "attic";
  await gateway.run("beacon", "--instance-id", "mac-1", "--host", "attic", "--mode", "ui");
  await within("the frame that is missed", () => missing === undefined);
  await gateway.run("beacon", "--instance-id", "mac-2", "--host", "studio", "--mode", "ui");
  await row(page, "studio").waitFor();
  await row(page, "attic").waitFor();
  await fact(page, "lists").getByText("1", { exact: true }).waitFor();
});
