// What is measured with: frames as a gateway sends them.

/** The gateway's clock when it sends the first of them. */
export const NOW = 1_800_000_000_000;

const HOSTS = ["studio", "Zoé's MacBook Pro", "pi", "build-07", "pixel", "kiosk"];
const PLATFORMS = ["macos 26.1.0", "linux 6.18.44", "windows 11", "ios 26.1", "android 16"];
const REASONS = ["connect", "periodic", "launch", "instances-refresh", "disconnect"];

/** A row as a Mac, a browser or a node makes one: some 400 bytes. */
export function entry(number, ts = NOW - (number * 1_237) % 290_000) {
  const hex = number.toString(16).padStart(4, "0");
  const mode = number % 3 === 0 ? "webchat" : "ui";
  return {
    host: `${HOSTS[number % HOSTS.length]}-${number}`,
    ip: `10.0.${(number >> 8) & 255}.${number & 255}`,
    version: `2026.9.${number % 7}`,
    platform: PLATFORMS[number % PLATFORMS.length],
    deviceFamily: "Mac",
    modelIdentifier: "Mac16,6",
    mode,
    lastInputSeconds: (number * 7) % 600,
    reason: REASONS[number % REASONS.length],
    text: `Node: ${HOSTS[number % HOSTS.length]} · mode ${mode}`,
    ts,
    deviceId: hex.repeat(16),
    roles: ["operator"],
    scopes: ["operator.read", "operator.write"],
    instanceId: `Instance-${hex}-4c1e-8f4f-0123456789ab`,
    clientId: "openclaw-macos",
  };
}

const SELF = {
  host: "gateway-host",
  ip: "10.0.0.1",
  version: "1.0.0",
  mode: "gateway",
  reason: "self",
  text: "Gateway: gateway-host (10.0.0.1) · app 1.0.0 · mode gateway · reason self",
  instanceId: "gateway-instance",
  ts: NOW,
};

/** A list of that many rows, the gateway's own included, newest first. */
function rows(count) {
  const others = Array.from({ length: count - 1 }, (_, number) => entry(number)).sort((a, b) => b.ts - a.ts);
  return [SELF, ...others];
}

const keyOf = ({ instanceId }) => (instanceId === SELF.instanceId ? "SELF" : instanceId.toLowerCase());

/** A whole list: as every gateway sends it, or with keys, as deltas need it. */
export function snapshot(count, { isKeyed }) {
  const presence = rows(count);
  const keyed = isKeyed ? { keys: presence.map(keyOf), version: 1 } : {};
  const event = isKeyed ? "presence.snapshot" : "presence";
  return JSON.stringify({ type: "event", event, payload: { presence, ...keyed }, stateVersion: { presence: 1, health: 1 }, seq: 1 });
}

/** The delta that leads from `version` to the next: one row said something else. */
export function delta(version, number) {
  const changed = { ...entry(number, NOW + version), reason: "periodic", lastInputSeconds: version % 60 };
  const payload = {
    from: version,
    to: version + 1,
    upserts: [{ key: keyOf(changed), entry: changed }],
    removals: [],
    touched: [],
    digest: "0000000000000000",
  };
  return JSON.stringify({ type: "event", event: "presence.delta", payload, stateVersion: { presence: version + 1, health: 1 }, seq: version });
}
