import { rowDevice, rowGateway, type PresenceRow } from "openclaw-presence";

/** Returns the searchable text of a row, in lower case. */
export function rowHaystack(row: PresenceRow): string {
  const { host, ip, version, mode, instanceId, deviceId, text, reason } = row;
  const words = [host, ip, version, mode, instanceId, deviceId, text, reason, rowDevice(row), row.reasonLabel, rowGateway(row)];
  return [...words, ...row.roles, ...row.scopes].filter(Boolean).join("\n").toLowerCase();
}
