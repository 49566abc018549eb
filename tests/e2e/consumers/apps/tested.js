// How an app tests itself without a gateway: it sets the roster, and moves the clock.
export async function tested({ PresenceClient, TestGateway }) {
  const gateway = new TestGateway();
  const client = new PresenceClient(gateway.options).start();
  const line = () => client.roster.rows.map(({ host, status }) => `${host}: ${status}`).join();
  const lines = [];
  client.subscribe(() => line() !== lines.at(-1) && lines.push(line()));
  await client.connected();
  gateway.entries = [{ host: "studio", instanceId: "mac-1", reason: "connect" }];
  await gateway.clock.advance(120_001);
  gateway.entries = [];
  await gateway.clock.advance(0);
  client.close();
  return lines;
}
