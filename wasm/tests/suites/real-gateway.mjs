// The client at a real gateway, in Node and in browsers. `gateway` has its url and token, and can stop and start it.

export default function realGateway({ test, assert, presence, gateway, until, WebSocket = globalThis.WebSocket }) {
  const { PresenceClient } = presence;
  let made = 0;

  /** Makes a client that is closed when the test ends. */
  const client = (t, members = {}) => {
    made += 1;
    const one = new PresenceClient({
      url: gateway.url,
      token: gateway.token,
      instanceId: `real-${made}`,
      deviceKey: false,
      WebSocket,
      backoff: { initialMs: 50, maxMs: 200 },
      ...members,
    });
    t.after(() => one.close());
    return one.start();
  };
  const own = ({ rows }) => rows.find(({ isOwn }) => isOwn);

  test("it connects and shows the gateway and itself", async (t) => {
    const one = client(t, { client: { displayName: "Dashboard" } });
    await one.connected();
    const roster = await until(one, "own row", (roster) => own(roster));
    assert.equal(own(roster).host, "Dashboard");
    assert.deepEqual([own(roster).status, own(roster).isConnected], ["Active", true]);
    assert.ok(roster.rows[0].isSelf);
    assert.equal(one.connection.protocol, 4);
    assert.ok(one.connection.methods.includes("system-presence"));
  });

  test("other clients join and leave", async (t) => {
    const one = client(t);
    const other = client(t, { instanceId: "visitor", client: { displayName: "Visitor" } });
    const visitor = ({ rows }) => rows.find(({ host }) => host === "Visitor");
    await until(one, "visitor", (roster) => visitor(roster)?.isConnected);
    other.close();
    const roster = await until(one, "the visitor as disconnected", (roster) => visitor(roster)?.reason === "disconnect");
    assert.deepEqual([visitor(roster).status, visitor(roster).isConnected], ["Left", false]);
  });

  test("its beacons are accepted", async (t) => {
    const one = client(t, { beacons: true });
    await one.connected();
    await until(one, "first beacon", (roster) => own(roster)?.reason === "launch");
    await one.beacon("periodic");
    await until(one, "beacon by call", (roster) => own(roster)?.reasonLabel === "Heartbeat");
  });

  test("a row is explained from the gateway's memory, and from the list if the gateway has none", async (t) => {
    const one = client(t, { instanceId: "explained", beacons: true, client: { displayName: "Dashboard" } });
    await one.connected();
    const { key } = own(await until(one, "first beacon", (roster) => own(roster)?.reason === "launch"));
    const explanation = await one.explain(key);
    const { source, keyFrom, rows, findings } = explanation;
    assert.deepEqual([source, explanation.key, keyFrom], ["gateway", key, "instanceId"]);
    assert.deepEqual([rows, findings], [["explained"], []]);
    assert.deepEqual(explanation.connections.map(({ connId }) => connId), [one.connection.connId]);
    const from = (wanted) => explanation.members.find(({ name }) => name === wanted).from;
    assert.deepEqual([from("clientId"), from("reason")], ["handshake", "beacon"]);
    assert.equal(await one.explain("nobody"), undefined);
    one.stop();
    assert.equal((await one.explain(key)).source, "list");
  });

  test("a device key is verified", async (t) => {
    const deviceKey = await presence.deviceKey(await presence.generateKeyPair());
    const one = client(t, { deviceKey });
    await one.connected();
    const roster = await until(one, "own row", (roster) => own(roster));
    assert.equal(own(roster).deviceId, deviceKey.deviceId);
  });

  test("a wrong token stops with a clear error", async (t) => {
    const one = client(t, { token: "wrong" });
    const error = await assert.failsWith("AUTH_TOKEN_MISMATCH", () => one.connected());
    assert.ok(error.remedy);
    assert.equal(one.connection.phase, "refused");
  });

  test("after a missed event, the client requests the list", async (t) => {
    const gone = Promise.withResolvers();
    let loses = false;
    class Lossy extends WebSocket {
      // The client's handler is wrapped in one that drops one event.
      set onmessage(handler) {
        super.onmessage =
          handler &&
          ((event) => {
            if (!loses || !event.data.includes('"presence.delta"')) return handler(event);
            loses = false;
            gone.resolve();
          });
      }
    }
    const one = client(t, { WebSocket: Lossy });
    const named = (name) => client(t, { instanceId: name, client: { displayName: name } });
    const shows = (name) => one.roster.rows.some(({ host }) => host === name);
    await until(one, "own row", (roster) => own(roster));
    loses = true;
    named("lost");
    // Only the next event shows that one was missed.
    await gone.promise;
    assert.ok(!shows("lost"));
    named("next");
    await until(one, "both", () => shows("lost") && shows("next"));
  });

  test("it reconnects after a restart of the gateway, with one row", async (t) => {
    const one = client(t, { instanceId: "patient" });
    await until(one, "own row", (roster) => own(roster));
    const phases = [];
    one.addEventListener("connection", ({ connection }) => phases.push(connection.phase));
    await gateway.stop();
    await until(one, "the loss of the connection", ({ isOffline }) => isOffline);
    assert.ok(own(one.roster), "the roster stays");
    await gateway.start();
    await one.connected();
    const roster = await until(one, "own row", (roster) => !roster.isOffline && own(roster));
    assert.equal(roster.rows.filter(({ instanceId }) => instanceId === "patient").length, 1);
    assert.equal(phases[0], "waiting");
    assert.equal(phases.at(-1), "live");
  });
}
