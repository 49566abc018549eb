// Our gateway in front of OpenClaw's own gateways of both generations at once. Opt-in: OPENCLAW_2026_2 and OPENCLAW_2026_9
// name their `openclaw.mjs`.

import "../lib/state-folder.mjs";

import { test } from "node:test";

import * as assert from "../lib/assert.mjs";
import { startGateway } from "../lib/gateway.mjs";
import { LIMIT_MS, RELEASES, TOKEN, startOpenClaw } from "../lib/openclaw-gateway.mjs";
import { until } from "../lib/until.mjs";
import * as presence from "../../dist/node/index.js";

const NAMES = ["february", "september"];
const isInstalled = RELEASES.every(({ script }) => script);

/** A client with a row of its own at that gateway. */
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

test("both fleets are one roster, and an instance of both is one row", { skip: isInstalled ? false : "not installed", timeout: 3 * LIMIT_MS }, async (t) => {
  const theirs = await Promise.all(RELEASES.map(({ script, command }) => startOpenClaw(t, script, command)));
  // They answer when they are ready, and the first clients wait for that.
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

  const args = theirs.flatMap(({ url }, index) => ["--observe", `${NAMES[index]}=${url}`, "--observe-token", `${NAMES[index]}=${TOKEN}`]);
  args.push("--observe", `locked=${september.url}`, "--observe-token", "locked=another-token");
  const ours = await startGateway(t, { args });
  const reader = new presence.PresenceClient({ url: ours.url, token: ours.token, instanceId: "reader", deviceKey: false });
  t.after(() => reader.close());
  await reader.start().connected();
  // The gateway of February lists them under their device keys.
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

  // The observer reads and leaves no row.
  const after = await Promise.all(clients.slice(0, 2).map((client) => client.request("system-presence", {})));
  const keys = (list) => list.map(({ mode, instanceId, host }) => `${mode} ${instanceId ?? host}`).sort();
  assert.deepEqual(after.map(keys), before.map(keys));

  // Who leaves there has left here. Protocol 3 is asked every 30 s; both announce who goes.
  clients[0].close();
  clients[1].close();
  await until(reader, "word that both left", () => ["only-february", "only-september"].every((id) => row(id)[0]?.status === "Left"));

  // A gateway that is away is Stale when its lease is over; the other one stays.
  await february.stop();
  await until(reader, "word that february is away", () => gateway("february").status === "Stale", LIMIT_MS);
  assert.equal(gateway("september").status, "Active");
  assert.equal(row("both")[0].status, "Active", "it is still connected to the other gateway");

  // A wrong token is said once, with what to do.
  const refusals = ours.log.split("\n").filter((line) => line.includes("AUTH_TOKEN_MISMATCH"));
  assert.equal(refusals.length, 1, ours.log);
  assert.match(refusals[0], /--observe-token-file locked=FILE.* gateway=locked /);
  assert.ok(!ours.log.includes("another-token"));
});
