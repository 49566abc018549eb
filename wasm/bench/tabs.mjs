// Compares tabs that share a connection with tabs that do not: `node wasm/bench/tabs.mjs [--seconds 20]`.
//
// Real tabs of Chromium at the real gateway (`PRESENCE_GATEWAY_BIN`); 50 instances send ten beacons a second in total.
// It counts sockets, bytes of frames in both directions, and processor time of all processes of the browser.
import { readdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { PresenceClient } from "../dist/node/index.js";
import { startBrowser } from "../tests/lib/browser.mjs";
import { startGateway } from "../tests/lib/gateway.mjs";
import { serve } from "../tests/lib/server.mjs";

const { values } = parseArgs({ options: { seconds: { type: "string", default: "20" } } });
const SECONDS = Number(values.seconds);
const CLOCK_TICKS = 100;
const seconds = (count) => new Promise((resolve) => setTimeout(resolve, count * 1_000));

/** Returns the processor time of a process and its descendants, in ms. */
function processorMs(root) {
  const parents = new Map();
  const times = new Map();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // A process name may contain blanks and parentheses.
      const fields = readFileSync(`/proc/${name}/stat`, "utf8").replace(/^.*\) /s, "").split(" ");
      parents.set(Number(name), Number(fields[1]));
      times.set(Number(name), (Number(fields[11]) + Number(fields[12])) * (1_000 / CLOCK_TICKS));
    } catch {
      // The process has ended.
    }
  }
  const isBelow = (id) => id === root || (parents.has(id) && isBelow(parents.get(id)));
  return [...times].filter(([id]) => isBelow(id)).reduce((sum, [, ms]) => sum + ms, 0);
}

/** Starts a client in a page. */
async function begin({ url, token, shared }) {
  const { PresenceClient } = await import("openclaw-presence");
  if (shared) await import("openclaw-presence/shared");
  globalThis.client = new PresenceClient({ url, token, shared, deviceKey: false });
  globalThis.heard = 0;
  client.subscribe(() => (heard += 1));
  await client.start().connected();
}

async function measure(count, shared) {
  const ends = [];
  const t = { after: (end) => ends.unshift(end) };
  const gateway = await startGateway(t);
  const { url, token } = gateway;
  const scopes = ["operator.read", "operator.admin"];
  const others = new PresenceClient({ url, token, instanceId: "crowd", deviceKey: false, scopes });
  t.after(() => others.close());
  await others.start().connected();
  let beacons = 0;
  const report = () => {
    const host = `host-${beacons % 50}`;
    beacons += 1;
    void others.request("system-event", { text: `Node: ${host}`, instanceId: host, host }).catch(() => {});
  };
  for (let made = 0; made < 50; made += 1) report();
  const crowd = setInterval(report, 100);
  t.after(() => clearInterval(crowd));

  const origin = await serve(t);
  const browser = await startBrowser(t);
  const context = await browser.newContext();
  const totals = { sockets: 0, bytes: 0 };
  const pages = [];
  for (let opened = 0; opened < count; opened += 1) {
    const page = await context.newPage();
    page.on("websocket", (socket) => {
      totals.sockets += 1;
      for (const way of ["framesent", "framereceived"]) socket.on(way, ({ payload }) => (totals.bytes += payload.length));
    });
    await page.goto(`${origin}/tests/browser/page.html`);
    await page.evaluate(begin, { url, token, shared });
    pages.push(page);
  }
  await seconds(3);
  const process = await browser.newBrowserCDPSession().then((session) => session.send("SystemInfo.getProcessInfo"));
  const root = process.processInfo.find(({ type }) => type === "browser").id;
  const before = { ms: processorMs(root), bytes: totals.bytes };
  await seconds(SECONDS);
  const cpu = (processorMs(root) - before.ms) / SECONDS / 10;
  const bytes = (totals.bytes - before.bytes) / SECONDS;
  const rows = await pages[count - 1].evaluate(() => [client.roster.rows.length, heard > 0]);
  for (const end of ends) await end();
  return { sockets: totals.sockets, rows: rows[0], kBps: (bytes / 1_000).toFixed(1), cpu: `${cpu.toFixed(1)} %` };
}

console.log("| tabs | connection | sockets | rows listed | kB/s | processor, of a core |\n|---:|---|---:|---:|---:|---:|");
for (const count of [1, 5, 20]) {
  for (const shared of [false, true]) {
    const { sockets, rows, kBps, cpu } = await measure(count, shared);
    console.log(`| ${count} | ${shared ? "shared" : "one each"} | ${sockets} | ${rows} | ${kBps} | ${cpu} |`);
  }
}
