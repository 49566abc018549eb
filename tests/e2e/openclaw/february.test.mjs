// The unmodified command line openclaw@2026.2.12 (protocol 3) at our gateway.

import assert from "node:assert/strict";
import { test } from "node:test";

import { isTheRoster, scene } from "./lib/checks.mjs";

const RELEASE = "2026_2";

test("system presence prints the gateway's roster", async (t) => {
  const { cli, client } = await scene(t, RELEASE);
  const { stdout } = await cli.run("system", "presence", ...cli.flags, "--json");
  await isTheRoster(stdout, client);
  const again = await cli.run("system", "presence", ...cli.flags);
  await isTheRoster(again.stdout, client);
});

test("gateway probe reports the gateway as reachable, and its read probe succeeds", async (t) => {
  const { cli } = await scene(t, RELEASE);
  const { stdout } = await cli.run("gateway", "probe", ...cli.flags);
  assert.match(stdout, /Reachable: yes/u);
  assert.match(stdout, /Connect: ok/u);
  assert.doesNotMatch(stdout, /failed \(|unknown method|missing scope/u);
});

test("gateway status reaches the gateway", async (t) => {
  const { cli } = await scene(t, RELEASE);
  const { stdout } = await cli.run("gateway", "status");
  assert.match(stdout, /^RPC probe: ok$/mu);
});

test("status reports the gateway as reachable", async (t) => {
  const { cli } = await scene(t, RELEASE);
  cli.configureRemote();
  const { stdout } = await cli.run("status");
  assert.match(stdout, /│ Gateway +│ remote .* reachable \d+ms/u);
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
