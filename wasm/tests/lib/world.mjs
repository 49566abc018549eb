// A simulated gateway, a clock and clients, for one test.

const SELF = { host: "gateway", mode: "gateway", reason: "self", version: "1.0.0" };

/** A gateway in virtual time; `client` makes clients for it. Everything is freed when the test ends. */
export function world(t, presence, options = {}) {
  const clock = new presence.VirtualClock();
  const gateway = new presence.SimulatedGateway({ clock, self: SELF, ...options });
  const made = [gateway];
  t.after(() => made.forEach((one) => (one.close ?? one.free).call(one)));
  const client = (members = {}) => {
    const one = new presence.PresenceClient({
      WebSocket: gateway.WebSocket,
      clock,
      seed: 1,
      deviceKey: false,
      instanceId: "dashboard",
      beacons: false,
      client: { displayName: "Dashboard" },
      ...members,
    });
    made.push(one);
    return one;
  };
  return { clock, gateway, client, peer: (members) => peer(gateway, members) };
}

/** Another client of the gateway, whose frames the test writes. */
function peer(gateway, { instanceId = "peer", displayName = "Peer", scopes = ["operator.write"], ...client } = {}) {
  const frames = [];
  let requests = 0;
  const socket = gateway.open({ ip: "192.0.2.7", ontext: (text) => frames.push(JSON.parse(text)) });
  const call = (method, params) => {
    requests += 1;
    const id = `peer-${requests}`;
    socket.send(JSON.stringify({ type: "req", id, method, params }));
    return frames.find((frame) => frame.id === id);
  };
  const info = { id: "test", mode: "ui", version: "1.0", platform: "linux", displayName, instanceId, ...client };
  const hello = call("connect", { minProtocol: 4, maxProtocol: 4, client: info, scopes });
  return {
    socket,
    hello,
    frames,
    call,
    beacon: (params) => call("system-event", { text: "Node: peer", instanceId, ...params }),
  };
}

/** The hosts of rows, for short comparisons. */
export const hosts = (roster) => roster.rows.map(({ host }) => host);

/** Records all events of a client, in order. */
export function record(client) {
  const events = [];
  for (const type of ["connection", "error", "notice", "shutdown"]) client.addEventListener(type, (event) => events.push(event));
  return events;
}
