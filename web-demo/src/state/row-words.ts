import type { PresenceRow } from "openclaw-presence";

/** The machine, as far as its system does not say the same: `Mac16,6`. */
export function rowModel({ modelIdentifier, deviceFamily, platformLabel }: PresenceRow): string {
  const model = modelIdentifier ?? deviceFamily ?? "";
  return platformLabel.toLowerCase().startsWith(model.toLowerCase()) ? "" : model;
}

/** The machine and its system: `Mac16,6 · macOS 26.1`. */
export function rowDevice(row: PresenceRow): string {
  return [rowModel(row), row.platformLabel].filter(Boolean).join(" · ");
}

/** All words of a row in which a search looks, in lower case. */
export function rowHaystack(row: PresenceRow): string {
  const { host, ip, version, mode, instanceId, deviceId, text, reason } = row;
  const words = [host, ip, version, mode, instanceId, deviceId, text, reason, rowDevice(row), row.reasonLabel];
  return [...words, ...row.roles, ...row.scopes].filter(Boolean).join("\n").toLowerCase();
}
