// The unmodified command line openclaw@2026.9.6 (protocol 4) at our gateway.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

import { isTheRoster, scene } from "./lib/checks.mjs";

const RELEASE = "2026_9";

test("gateway call system-presence prints the gateway's roster", async (t) => {
  const { cli, client } = await scene(t, RELEASE);
  const { stdout } = await cli.run("gateway", "call", "system-presence", ...cli.flags, "--json");
  await isTheRoster(stdout, client);
  // As in the README: `presence-gateway doctor` accepts what the command prints.
  const doctor = spawnSync(process.env.PRESENCE_GATEWAY_BIN, ["doctor", "-"], { input: stdout, encoding: "utf8" });
  assert.equal(doctor.status, 0, doctor.stdout + doctor.stderr);
  assert.match(doctor.stdout, /^no findings in 2 rows; /u);
});

test("system presence prints the gateway's roster", async (t) => {
  const { cli, client } = await scene(t, RELEASE);
  const { stdout } = await cli.run("system", "presence", ...cli.flags, "--json");
  await isTheRoster(stdout, client);
});

test("gateway probe reports the gateway as reachable, and its read probe succeeds", async (t) => {
  const { cli } = await scene(t, RELEASE);
  const { stdout } = await cli.run("gateway", "probe", ...cli.flags);
  assert.match(stdout, /^Reachable: yes$/mu);
  assert.match(stdout, /Connect: ok .*Read probe: ok/u);
  assert.doesNotMatch(stdout, /Read probe: failed|Warning/u);
});

test("gateway status reaches the gateway", async (t) => {
  const { cli } = await scene(t, RELEASE);
  const { stdout } = await cli.run("gateway", "status");
  assert.match(stdout, /^Connectivity probe: ok$/mu);
});

test("status reports the gateway as reachable", async (t) => {
  // Configured as a remote gateway: for a local one, this release expects the service that it installed itself.
  const { cli } = await scene(t, RELEASE);
  cli.configureRemote();
  const { stdout } = await cli.run("status");
  assert.match(stdout, /│ Gateway +│ remote .* reachable \d+ms/u);
  assert.match(stdout, /│ Gateway self +│ \S+ \(.+\) app \d+\.\d+\.\d+/u);
});

test("health accepts the gateway's answer", async (t) => {
  const { cli } = await scene(t, RELEASE);
  const { stdout } = await cli.run("health", "--json");
  assert.equal(JSON.parse(stdout).ok, true);
  await cli.run("health");
});

test("system heartbeat last accepts the gateway's answer", async (t) => {
  const { cli } = await scene(t, RELEASE);
  const { stdout } = await cli.run("system", "heartbeat", "last", ...cli.flags);
  assert.equal(JSON.parse(stdout), null, "no heartbeat has been sent");
});

test("a beacon sent with gateway call is in the roster", async (t) => {
  const { cli, client } = await scene(t, RELEASE);
  const params = JSON.stringify({ text: "from the command line", instanceId: "cli-x", host: "h1" });
  await cli.run("gateway", "call", "system-event", "--params", params, ...cli.flags, "--json");
  await client.presence("the beacon", (rows) => rows.some((entry) => entry.instanceId === "cli-x" && entry.host === "h1"));
});
