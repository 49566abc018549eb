// The frames of the benchmark, in the form in which a gateway sends them.

import { digestText, rowDigest } from "./digest.mjs";

/** The gateway's clock when it sends the first frame. */
export const NOW = 1_800_000_000_000;

const HOSTS = ["studio", "Zoé's MacBook Pro", "pi", "build-07", "pixel", "kiosk"];
const PLATFORMS = ["macos 26.1.0", "linux 6.18.44", "windows 11", "ios 26.1", "android 16"];
const REASONS = ["connect", "periodic", "launch", "instances-refresh", "disconnect"];

/** Returns a typical entry of a Mac, a browser or a node: some 400 bytes. */
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

/** Returns a list with this number of rows, including the gateway's own, newest first; `shift` ms added to each `ts`. */
function rows(count, shift = 0) {
  const others = Array.from({ length: count - 1 }, (_, number) => entry(number)).sort((a, b) => b.ts - a.ts);
  return [SELF, ...others].map((one) => (shift === 0 ? one : { ...one, ts: one.ts + shift }));
}

const keyOf = ({ instanceId }) => (instanceId === SELF.instanceId ? "SELF" : instanceId.toLowerCase());

const digestOf = (presence) => presence.reduce((sum, one) => sum + rowDigest(keyOf(one), one), 0n);

/** Returns a whole list: as every gateway sends it, or with keys, which deltas need; with a digest if `hasDigest`. */
export function snapshot(count, { isKeyed, hasDigest = isKeyed, shift = 0 }) {
  const presence = rows(count, shift);
  const keyed = isKeyed ? { keys: presence.map(keyOf), version: 1 } : {};
  if (hasDigest) keyed.digest = digestText(digestOf(presence));
  const event = isKeyed ? "presence.snapshot" : "presence";
  const stateVersion = { presence: 1, health: 1 };
  return JSON.stringify({ type: "event", event, payload: { presence, ...keyed }, stateVersion, seq: 1 });
}

/** Returns deltas that follow such a list; each changes one row. */
export function deltas(count, rounds, { hasDigest = true } = {}) {
  const presence = rows(count);
  const counts = new Map(hasDigest ? presence.map((one) => [keyOf(one), rowDigest(keyOf(one), one)]) : []);
  let sum = hasDigest ? digestOf(presence) : 0n;
  return Array.from({ length: rounds }, (_, round) => {
    const version = round + 1;
    const number = (round * 7) % (count - 1);
    // The text differs in each round.
    const text = `Node: round ${round}`;
    const changed = { ...entry(number, NOW + version), reason: "periodic", lastInputSeconds: version % 60, text };
    const key = keyOf(changed);
    const payload = { from: version, to: version + 1, upserts: [{ key, entry: changed }], removals: [], touched: [] };
    if (hasDigest) {
      sum -= counts.get(key);
      counts.set(key, rowDigest(key, changed));
      sum += counts.get(key);
      payload.digest = digestText(sum);
    }
    return delta(payload);
  });
}

/** Returns deltas that follow such a list without a digest; each touches another row. */
export function touches(count, rounds) {
  return Array.from({ length: rounds }, (_, round) => {
    const touched = [[keyOf(entry((round * 7) % (count - 1))), NOW + 30_000 + round]];
    return delta({ from: 1, to: 1, upserts: [], removals: [], touched });
  });
}

/** Returns deltas that follow such a list without a digest; they remove and add a row in turn, as after an expiry. */
export function comingsAndGoings(count, rounds) {
  return Array.from({ length: rounds }, (_, round) => {
    const one = entry(((round >> 1) * 7) % (count - 1));
    const key = keyOf(one);
    const isGoing = round % 2 === 0;
    const removals = isGoing ? [{ key, reason: "expired" }] : [];
    const upserts = isGoing ? [] : [{ key, entry: one }];
    return delta({ from: round + 1, to: round + 2, upserts, removals, touched: [] });
  });
}

const delta = (payload) =>
  JSON.stringify({
    type: "event", event: "presence.delta", payload, stateVersion: { presence: payload.to, health: 1 }, seq: payload.to,
  });
