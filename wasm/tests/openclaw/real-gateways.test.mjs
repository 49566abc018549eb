// The package at OpenClaw's own gateways of both generations. Opt-in: OPENCLAW_2026_2 and OPENCLAW_2026_9 are the paths
// of their `openclaw.mjs`.

import "../lib/state-folder.mjs";

import { after, before, describe, test } from "node:test";

import * as assert from "../lib/assert.mjs";
import { openPage, startBrowser } from "../lib/browser.mjs";
import { LIMIT_MS, RELEASES, TOKEN, startOpenClaw } from "../lib/openclaw-gateway.mjs";
import { serve } from "../lib/server.mjs";
import * as presence from "../../dist/node/index.js";

/** Runs a client through connect, beacon and reconnect, in Node or in a page; returns its rows and the gateway's list. */
async function live({ presence, deviceKey, limitMs, ...options }) {
  const problems = [];
  const key = deviceKey === "new" ? await presence.deviceKey(await presence.generateKeyPair()) : deviceKey;
  const scopes = ["operator.read", "operator.admin"];
  const client = new presence.PresenceClient({ ...options, deviceKey: key, beacons: true, scopes });
  for (const type of ["notice", "error"]) {
    client.addEventListener(type, ({ error }) => problems.push(`${error.code} ${error.message}`));
  }
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const until = async (what, holds) => {
    for (const start = Date.now(); !holds(client.roster); await pause(100)) {
      if (Date.now() - start > limitMs) {
        throw new Error(`no ${what}: ${JSON.stringify([client.connection, problems, client.roster.rows])}`);
      }
    }
  };
  const own = ({ rows }) => rows.filter(({ isOwn }) => isOwn);
  try {
    client.start();
    await until("own row", (roster) => own(roster).length > 0);
    await client.beacon();
    client.reconnect();
    await client.connected();
    const isBack = (roster) => !roster.isOffline && own(roster).some(({ isConnected }) => isConnected);
    await until("own row after the reconnect", isBack);
    // Wait for the broadcasts after the handshake and after the first beacon.
    await pause(2_000);
    const raw = await client.request("system-presence", {});
    const row = ({ host, mode, reason, status, isSelf, isOwn, isConnected }) =>
      ({ host, mode, reason, status, isSelf, isOwn, isConnected });
    const rows = client.roster.rows.map(row);
    const listed = raw.map(({ host, mode, reason }) => [host, mode, reason].join());
    return { protocol: client.connection.protocol, raw: listed, rows, problems };
  } finally {
    client.close();
  }
}

function check(t, { protocol, raw, rows, problems }, expected) {
  t.diagnostic(`${raw.length} rows of the gateway's: ${raw.join(" | ")}`);
  t.diagnostic(`${rows.length} rows shown: ${rows.map(({ host, mode, reason }) => [host, mode, reason].join()).join(" | ")}`);
  assert.deepEqual(problems, []);
  assert.equal(protocol, expected.protocol);
  const own = rows.filter(({ isOwn, host }) => isOwn || host === expected.host);
  assert.equal(own.length, 1, "one row per instance");
  assert.deepEqual([own[0].isOwn, own[0].isConnected, own[0].status], [true, true, "Active"]);
  assert.equal(rows.filter(({ isSelf }) => isSelf).length, 1, "the gateway's own row");
}

for (const { release, script, command, protocol } of RELEASES) {
  describe(`openclaw@${release}`, { skip: script ? false : "not installed" }, () => {
    const ends = [];
    const own = { after: (end) => ends.unshift(end) };
    let gateway;
    before(async () => {
      gateway = await startOpenClaw(own, script, command);
      // The gateway accepts connections some seconds later; the first client waits for that.
      const first = new presence.PresenceClient({ url: gateway.url, token: TOKEN, instanceId: false, deviceKey: false }).start();
      await first.connected();
      first.close();
    }, { timeout: LIMIT_MS });
    after(async () => {
      for (const end of ends) await end();
    });

    test("a client in Node is one row, through beacons and reconnects", async (t) => {
      const client = { id: "gateway-client", mode: "ui", displayName: "Dashboard" };
      const options = { url: gateway.url, token: TOKEN, instanceId: "dashboard", deviceKey: "new", client };
      check(t, await live({ presence, limitMs: LIMIT_MS, ...options }), { protocol, host: "Dashboard" });
    });

    test("a page in Chromium is one row with only url and token set", async (t) => {
      const origin = await serve(t);
      const browser = await startBrowser(t);
      const page = await openPage(await browser.newContext(), `${origin}/tests/browser/page.html`);
      await page.addScriptTag({ content: `globalThis.live = ${live}` });
      const result = await page.evaluate(async ([options]) => live({ presence: await import("openclaw-presence"), ...options }), [
        { url: gateway.url, token: TOKEN, limitMs: LIMIT_MS },
      ]);
      check(t, result, { protocol, host: "Chrome" });
    });

    test("a wrong token stops with a clear error", async () => {
      const options = { url: gateway.url, token: "wrong", instanceId: "wrong", deviceKey: false };
      const client = new presence.PresenceClient(options).start();
      const error = await assert.failsWith("AUTH_TOKEN_MISMATCH", () => client.connected());
      assert.ok(error.remedy);
      assert.equal(client.connection.phase, "refused");
      client.close();
    });
  });
}
