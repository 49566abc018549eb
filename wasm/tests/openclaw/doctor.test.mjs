// `presence-gateway doctor` at OpenClaw's own gateways of both generations. Opt-in: OPENCLAW_2026_2 and OPENCLAW_2026_9
// are the paths of their `openclaw.mjs`.

import "../lib/state-folder.mjs";

import { execFile } from "node:child_process";
import { describe, test } from "node:test";

import * as assert from "../lib/assert.mjs";
import { LIMIT_MS, RELEASES, TOKEN, startOpenClaw } from "../lib/openclaw-gateway.mjs";
import * as presence from "../../dist/node/index.js";

/** Runs a command of the binary; resolves with its output and exit code. */
function run(...args) {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME };
  return new Promise((resolve) => {
    execFile(process.env.PRESENCE_GATEWAY_BIN, args, { env }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }));
  });
}

async function connected(url, options) {
  const key = await presence.deviceKey(await presence.generateKeyPair());
  const client = new presence.PresenceClient({ url, token: TOKEN, deviceKey: key, ...options });
  await client.start().connected();
  return client;
}

const info = (displayName) => ({ id: "gateway-client", mode: "ui", displayName });

for (const { release, script, command } of RELEASES) {
  describe(`openclaw@${release}`, { skip: script ? false : "not installed" }, () => {
    test("doctor has no findings in a healthy list, and finds one id in two spellings", { timeout: 2 * LIMIT_MS }, async (t) => {
      const { url } = await startOpenClaw(t, script, command);
      const clients = [await connected(url, { instanceId: "dashboard", client: info("Dashboard") })];
      t.after(() => clients.forEach((client) => client.close()));
      clients.push(await connected(url, { instanceId: "kiosk", client: info("Kiosk") }));

      const doctor = ["doctor", "--url", url, "--token", TOKEN];
      const healthy = await run(...doctor, "--json");
      assert.equal(healthy.code, 0, healthy.stdout + healthy.stderr);
      const report = JSON.parse(healthy.stdout);
      assert.deepEqual([report.ok, report.source], [true, "list"]);
      assert.deepEqual(report.findings.filter(({ severity }) => severity !== "info"), []);
      assert.ok(report.checksRun.includes("presence/no-instance-id") && report.checksSkipped.includes("presence/flapping"));
      t.diagnostic(`${report.checksRun.length} checks, ${report.checksSkipped.length} skipped; ${report.findings.length} infos`);
      const text = await run(...doctor);
      assert.match(text.stdout, /checks were skipped: they need what a gateway of this project remembers/);

      // One program stores the id with a trailing space, another without it.
      const beacon = (instanceId) =>
        clients[0].request("system-event", { text: "t", host: "studio", instanceId, mode: "ui", reason: "periodic" });
      const scopes = ["operator.read", "operator.admin"];
      const admin = await connected(url, { instanceId: "admin", client: info("Admin"), scopes });
      clients.unshift(admin);
      await beacon("Mac-1");
      await beacon("mac -1");
      const spelling = await run(...doctor, "--json");
      assert.equal(spelling.code, 6, spelling.stdout + spelling.stderr);
      const found = JSON.parse(spelling.stdout).findings.find(({ code }) => code === "ID_SPELLING");
      assert.match(found.evidence[0], /differ by case and blanks only/);
    });
  });
}
