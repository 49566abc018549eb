// What a user of the package does, small: the first use without waiting, then a gateway with a client.
export async function use({ ready, status, platformLabel, PresenceError, SimulatedGateway, VirtualClock }) {
  const first = status(130_000);
  await ready();
  const clock = new VirtualClock();
  const gateway = new SimulatedGateway({ clock, self: { host: "gateway-host", mode: "gateway", reason: "self", ts: 0 } });
  const socket = gateway.open({ ip: "192.0.2.10", ontext() {} });
  const client = { id: "test", version: "1.0.0", platform: "linux", mode: "ui", displayName: "Ana", instanceId: "i-ana" };
  const params = { minProtocol: 4, maxProtocol: 4, client, scopes: ["operator.read"] };
  socket.send(JSON.stringify({ type: "req", id: "1", method: "connect", params }));
  const rows = gateway.list().map((row) => row.host);
  gateway.free();
  gateway.free();
  let code;
  try {
    new SimulatedGateway({ ttlMs: "soon" });
  } catch (error) {
    if (error instanceof PresenceError) code = error.code;
  }
  return { first, rows, label: platformLabel("macos 26.1.3"), code };
}
