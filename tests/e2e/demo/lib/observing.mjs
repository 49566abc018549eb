// Simulates a gateway that observes others: adds rows of other gateways to each list on its way to the page.

/** Adds the entries that `observed` returns to the lists that this visitor's pages receive. */
export async function observe(context, observed) {
  await context.routeWebSocket(/.*/, (page) => {
    const gateway = page.connectToServer();
    // Without deltas, every change is sent as a whole list.
    page.onMessage((text) => gateway.send(text.replace('"presence-delta"', "")));
    gateway.onMessage((text) => page.send(withRows(text, observed())));
  });
}

function withRows(text, rows) {
  const frame = JSON.parse(text);
  const { payload } = frame;
  const list = Array.isArray(payload) ? payload : (payload?.presence ?? payload?.snapshot?.presence);
  if (Array.isArray(list)) list.push(...rows);
  return JSON.stringify(frame);
}

/** Returns rows of the observed gateways `home` and `office`; `office` has been silent for six minutes. */
export function observedRows() {
  const ts = Date.now();
  const silentTs = ts - 370_000;
  return [
    {
      host: "home.lan", ip: "192.168.1.5", version: "0.1.0", platform: "linux 6.18.4", mode: "gateway", reason: "self",
      gateway: "home", text: "Gateway: home.lan", ts,
    },
    {
      host: "studio", ip: "192.168.1.20", version: "2026.9.6", platform: "macos 26.1.0", deviceFamily: "Mac",
      modelIdentifier: "Mac16,6", mode: "ui", instanceId: "mac-1", reason: "periodic", lastInputSeconds: 12, gateway: "home", ts,
    },
    {
      host: "office.example", version: "0.1.0", platform: "linux 6.18.4", mode: "gateway", reason: "self",
      gateway: "office", text: "Gateway: office.example", ts: silentTs,
    },
    {
      host: "desk", ip: "10.0.0.7", version: "2026.9.6", platform: "windows 11", mode: "ui", instanceId: "desk-1",
      reason: "periodic", gateway: "office", ts: silentTs,
    },
  ];
}
