// Instances of a household, so that pictures show a realistic list.

const HOUSE = [
  {
    instanceId: "9d3f4c1e-6c1b-4d28-9d8e-2b7f1a5c0e44", host: "studio", ip: "192.168.1.20", version: "2026.9.6",
    platform: "macos 26.1.0", deviceFamily: "Mac", modelIdentifier: "Mac16,6", mode: "local", lastInputSeconds: 12,
    reason: "periodic",
  },
  {
    instanceId: "1c5e7b90-3a52-4e0c-8c57-6a1f0d2b9e13", host: "loft", ip: "192.168.1.23", version: "2026.9.6",
    platform: "macos 15.7.0", deviceFamily: "Mac", modelIdentifier: "Mac14,2", mode: "remote",
    lastInputSeconds: 1_260, reason: "instances-refresh",
  },
  {
    instanceId: "attic-pi", host: "attic-pi", ip: "192.168.1.44", version: "2026.9.6", platform: "linux 6.6.62",
    deviceFamily: "Linux", modelIdentifier: "Raspberry Pi 5", mode: "node", reason: "node-connected",
  },
  {
    instanceId: "porch-pi", host: "porch-pi", ip: "192.168.1.45", version: "2026.8.2", platform: "linux 6.6.31",
    deviceFamily: "Linux", modelIdentifier: "Raspberry Pi Zero 2 W", mode: "node", reason: "node-connected",
  },
  {
    instanceId: "pocket", host: "pocket", ip: "192.168.1.61", version: "2026.9.1", platform: "ios 26.1.0",
    deviceFamily: "iPhone", modelIdentifier: "iPhone18,1", mode: "ui", lastInputSeconds: 95, reason: "launch",
  },
  {
    instanceId: "Kitchen-Tab", host: "kitchen", ip: "192.168.1.71", version: "0.1.0", platform: "android 16",
    deviceFamily: "Android", mode: "webchat", lastInputSeconds: 40, reason: "periodic",
  },
  {
    instanceId: "kitchen tab", host: "kitchen", ip: "192.168.1.71", version: "0.1.0", platform: "android 16",
    deviceFamily: "Android", mode: "webchat", reason: "connect",
  },
];

/** Number of instances of the household. */
export const PEOPLE = HOUSE.length;

/** Sends a beacon for each instance from within a page; `hosts` limits them to these hosts. */
export async function bringPeople(page, gateway, hosts) {
  await sendBeacons(page, gateway, HOUSE.filter(({ host }) => hosts === undefined || hosts.includes(host)));
}

/** Sends a beacon which states that the row of this host left. */
export async function sendAway(page, gateway, host) {
  const gone = HOUSE.filter((entry) => entry.host === host).map((entry) => ({ ...entry, reason: "disconnect" }));
  await sendBeacons(page, gateway, gone);
}

/** Sends a beacon for each entry from within a page, all over one connection that makes no row. */
export async function sendBeacons(page, gateway, entries) {
  const beacons = entries.map((entry) => ({
    ...entry,
    text: `Node: ${entry.host} (${entry.ip}) · app ${entry.version} · mode ${entry.mode} · reason ${entry.reason}`,
  }));
  await page.evaluate(
    async ({ url, token, beacons }) => {
      const socket = new WebSocket(url);
      const next = () => new Promise((resolve) => (socket.onmessage = ({ data }) => resolve(JSON.parse(data))));
      const ask = (id, method, params) => socket.send(JSON.stringify({ type: "req", id: String(id), method, params }));
      await next();
      const client = { id: "cli", version: "0", platform: "web", mode: "cli" };
      const operator = { role: "operator", scopes: ["operator.admin"] };
      ask(0, "connect", { minProtocol: 4, maxProtocol: 4, client, ...operator, auth: { token } });
      beacons.forEach((beacon, index) => ask(index + 1, "system-event", beacon));
      for (let message = await next(); message.id !== String(beacons.length); ) message = await next();
      socket.close();
    },
    { url: gateway.url, token: gateway.token, beacons },
  );
}
