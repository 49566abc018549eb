/** Lists in the form that real gateways send, with invented names. */
export const EXAMPLES: readonly { readonly name: string; readonly text: () => string }[] = [
  { name: "one Mac twice", text: () => text(ONE_MAC_TWICE) },
  { name: "a row per connection", text: () => text(ROW_PER_CONNECTION) },
];

const MADE_MS = 1_800_000_000_000;
const ago = (seconds: number) => MADE_MS - seconds * 1_000;
const text = (list: readonly object[]) => JSON.stringify(list, null, 2);

const DEVICE = "5f1c0a7d9e3b42c886a1d4f09b7c2e6358d1a4907be63f2c1d8a9e5b7046f3c2";

/** From February 2026: the Mac's handshake is listed under its device, its beacons under its instanceId. */
const ONE_MAC_TWICE = [
  { host: "gateway.lan", ip: "192.168.1.5", version: "2026.2.12", platform: "linux 6.12.8", deviceFamily: "Linux", modelIdentifier: "x64", mode: "gateway", reason: "self", text: "Gateway: gateway.lan (192.168.1.5) · app 2026.2.12 · mode gateway · reason self", ts: ago(0) },
  { host: "studio", ip: "192.168.1.20", version: "2026.2.12", platform: "macos 26.1.0", deviceFamily: "Mac", modelIdentifier: "Mac16,6", mode: "ui", reason: "connect", roles: ["operator"], scopes: ["operator.admin"], deviceId: DEVICE, instanceId: DEVICE, text: "Node: studio · mode ui", ts: ago(150) },
  { host: "studio", ip: "192.168.1.20", version: "2026.2.12", platform: "macos 26.1.0", deviceFamily: "Mac", modelIdentifier: "Mac16,6", mode: "local", lastInputSeconds: 12, reason: "periodic", instanceId: "9d3f4c1e-6c1b-4d28-9d8e-2b7f1a5c0e44", text: "Node: studio (192.168.1.20) · app 2026.2.12 · last input 12s ago · mode local · reason periodic", ts: ago(30) },
  { host: "openclaw-control-ui", ip: "192.168.1.31", version: "dev", platform: "Win32", mode: "webchat", reason: "connect", roles: ["operator"], text: "Node: openclaw-control-ui · mode webchat", ts: ago(45) },
  { host: "openclaw-control-ui", ip: "192.168.1.31", version: "dev", platform: "Win32", mode: "webchat", reason: "disconnect", roles: ["operator"], text: "Node: openclaw-control-ui · mode webchat", ts: ago(50) },
];

const TAB = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed";

/** From September 2026: each connection is a row, including closed ones. */
const ROW_PER_CONNECTION = [
  { host: "gateway.lan", ip: "192.168.1.5", version: "2026.9.6", platform: "linux 6.18.4", deviceFamily: "Linux", mode: "gateway", reason: "self", instanceId: "7d2f1f5e-0f2e-4b6a-9f75-5a4f2b9d1c03", text: "Gateway: gateway.lan (192.168.1.5) · app 2026.9.6 · mode gateway · reason self", ts: ago(0) },
  { host: "webchat-ui", ip: "192.168.1.31", version: "0.1.0", platform: "windows", deviceFamily: "Windows", mode: "webchat", clientId: "webchat-ui", reason: "connect", roles: ["operator"], scopes: ["operator.read"], instanceId: TAB, timeZone: "Europe/Copenhagen", text: "Node: unknown · mode webchat", ts: ago(8) },
  { host: "webchat-ui", ip: "192.168.1.31", version: "0.1.0", platform: "windows", deviceFamily: "Windows", mode: "webchat", clientId: "webchat-ui", reason: "disconnect", roles: ["operator"], instanceId: TAB, text: "Node: unknown · mode webchat", ts: ago(95) },
  { host: "webchat-ui", lastInputSeconds: 4, reason: "periodic", instanceId: TAB.toUpperCase(), text: "Node: webchat-ui · mode webchat", ts: ago(20) },
  { host: "attic-pi", ip: "192.168.1.44", version: "2026.9.6", platform: "linux 6.6.62", deviceFamily: "Linux", modelIdentifier: "Raspberry Pi 5 Model B", mode: "node", clientId: "node-host", reason: "connect", roles: ["node"], instanceId: "attic-pi", text: "Node: attic-pi · mode node", ts: ago(240) },
];
