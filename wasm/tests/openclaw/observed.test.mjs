// Our gateway observes OpenClaw's own gateways of both generations. Opt-in: OPENCLAW_2026_2 and OPENCLAW_2026_9 are the
// paths of their `openclaw.mjs`.

import "../lib/state-folder.mjs";

import { test } from "node:test";

import * as assert from "../lib/assert.mjs";
import { startGateway } from "../lib/gateway.mjs";
import { LIMIT_MS, RELEASES, TOKEN, startOpenClaw } from "../lib/openclaw-gateway.mjs";
import { until } from "../lib/until.mjs";
import * as presence from "../../dist/node/index.js";

const NAMES = ["february", "september"];
const isInstalled = RELEASES.every(({ script }) => script);

/** Connects a client with its own row to this gateway. */
async function dashboard(t, url, instanceId, deviceKey) {
  const client = new presence.PresenceClient({
    url,
    token: TOKEN,
    instanceId,
    deviceKey,
    client: { id: "gateway-client", mode: "ui", displayName: instanceId },
  });
  t.after(() => client.close());
  await client.start().connected();
  return client;
}

const gatewaysOf = ({ roster }) => roster.rows.filter(({ entry }) => entry.mode === "gateway");

const OPTIONS = { skip: isInstalled ? false : "not installed", timeout: 3 * LIMIT_MS };

test("clients of both gateways are in one roster, and a client of both is one row", OPTIONS, async (t) => {
  const theirs = await Promise.all(RELEASES.map(({ script, command }) => startOpenClaw(t, script, command)));
  // The gateways accept connections some seconds later; the first clients wait for that.
  const [february, september] = theirs;
  const newKey = async () => presence.deviceKey(await presence.generateKeyPair());
  const keyOfBoth = await newKey();
  const clients = await Promise.all([
    dashboard(t, february.url, "only-february", await newKey()),
    dashboard(t, september.url, "only-september", await newKey()),
    dashboard(t, february.url, "both", keyOfBoth),
    dashboard(t, september.url, "both", keyOfBoth),
  ]);
  const before = await Promise.all(clients.slice(0, 2).map((client) => client.request("system-presence", {})));

  const args = theirs.flatMap(({ url }, index) =>
    ["--observe", `${NAMES[index]}=${url}`, "--observe-token", `${NAMES[index]}=${TOKEN}`]);
  args.push("--observe", `locked=${september.url}`, "--observe-token", "locked=another-token");
  const ours = await startGateway(t, { args });
  const reader = new presence.PresenceClient({ url: ours.url, token: ours.token, instanceId: "reader", deviceKey: false });
  t.after(() => reader.close());
  await reader.start().connected();
  // The gateway of February lists clients under their device keys.
  const row = (id) => reader.roster.rows.filter(({ entry }) => entry.instanceId === id || entry.host === id);
  await until(reader, "rows of both", () => ["only-february", "only-september", "both"].every((id) => row(id).length > 0));

  const gatewayOf = (id) => row(id).map(({ entry }) => entry.gateway);
  assert.deepEqual(gatewayOf("only-february"), ["february"]);
  assert.deepEqual(gatewayOf("only-september"), ["september"]);
  assert.equal(row("both").length, 1, "one row per instance");
  assert.deepEqual(gatewayOf("reader"), [undefined]);
  const gateways = gatewaysOf(reader);
  assert.deepEqual(gateways.map(({ entry }) => entry.gateway ?? "own").sort(), ["february", "locked", "own", "september"]);
  const gateway = (name) => gatewaysOf(reader).find(({ entry }) => entry.gateway === name);
  assert.deepEqual(["february", "september", "locked"].map((name) => gateway(name).status), ["Active", "Active", "Stale"]);
  t.diagnostic(reader.roster.rows.map(({ host, entry }) => `${host} via ${entry.gateway ?? "-"}`).join(" | "));

  // The observer only reads and leaves no row there.
  const after = await Promise.all(clients.slice(0, 2).map((client) => client.request("system-presence", {})));
  const keys = (list) => list.map(({ mode, instanceId, host }) => `${mode} ${instanceId ?? host}`).sort();
  assert.deepEqual(after.map(keys), before.map(keys));

  // A client that leaves there leaves here too. Protocol 3 is polled every 30 s; both gateways announce departures.
  clients[0].close();
  clients[1].close();
  const haveLeft = () => ["only-february", "only-september"].every((id) => row(id)[0]?.status === "Left");
  await until(reader, "both as Left", haveLeft);

  // A stopped gateway becomes Stale when its lease expires; the other gateway stays Active.
  await february.stop();
  await until(reader, "february as Stale", () => gateway("february").status === "Stale", LIMIT_MS);
  assert.equal(gateway("september").status, "Active");
  assert.equal(row("both")[0].status, "Active", "it is still connected to the other gateway");

  // The gateway logs a wrong token once, with a remedy.
  const refusals = ours.log.split("\n").filter((line) => line.includes("AUTH_TOKEN_MISMATCH"));
  assert.equal(refusals.length, 1, ours.log);
  assert.match(refusals[0], /--observe-token-file locked=FILE.* gateway=locked /);
  assert.ok(!ours.log.includes("another-token"));
});
