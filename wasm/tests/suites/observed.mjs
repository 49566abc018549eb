// Rows of gateways that the gateway observes.

import { observingWebSocket } from "../lib/observing.mjs";
import { world } from "../lib/world.mjs";

export default function observed({ test, assert, presence }) {
  const { isObservedGateway, rowGateway } = presence;

  /** A live client of a gateway that observes `home`; the rows of `home` were written when the client connected. */
  const observing = async (t) => {
    const { clock, gateway, client, peer } = world(t, presence);
    const ts = clock.wallMs();
    const rows = [
      { host: "home.lan", mode: "gateway", reason: "self", gateway: "home", text: "Gateway: home.lan", ts },
      { host: "studio", mode: "ui", instanceId: "mac-1", reason: "periodic", gateway: "home", ts },
    ];
    const one = client({ WebSocket: observingWebSocket(gateway, () => rows), deltas: false });
    one.start();
    await clock.advance(0);
    await one.connected();
    return { clock, peer, client: one, find: (host) => one.roster.rows.find((row) => row.host === host) };
  };

  test("a row names the observed gateway that it comes from; the gateway's own rows name none", async (t) => {
    const { find } = await observing(t);
    assert.deepEqual([rowGateway(find("studio")), rowGateway(find("home.lan"))], ["home", "home"]);
    assert.deepEqual([rowGateway(find("gateway")), rowGateway(find("Dashboard"))], [undefined, undefined]);
    assert.equal(find("studio").entry.gateway, "home");
  });

  test("an observed gateway counts as a gateway, but not as the listing one", async (t) => {
    const { find } = await observing(t);
    const kinds = (row) => [row.isSelf, isObservedGateway(row)];
    assert.deepEqual(kinds(find("gateway")), [true, false]);
    assert.deepEqual(kinds(find("home.lan")), [false, true]);
    assert.deepEqual(kinds(find("studio")), [false, false]);
  });

  test("a silent observed gateway becomes Stale, unlike the listing gateway", async (t) => {
    const { clock, find } = await observing(t);
    assert.equal(find("home.lan").status, "Active");
    await clock.advance(290_000);
    assert.deepEqual([find("home.lan").status, find("gateway").status], ["Idle", "Active"]);
  });
}
