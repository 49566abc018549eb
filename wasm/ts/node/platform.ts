import { createHash } from "node:crypto";
import { homedir, hostname, release } from "node:os";
import { basename, join } from "node:path";

import { fileDeviceKey } from "./device-key.js";
import { fileInstanceId } from "./instance-id.js";
import type { Platform } from "../platform.js";

/** Node stores ids and keys as files in the user's state folder, one set per script. */
export const node: Platform = {
  instanceId: () => fileInstanceId(statePath("instance-id")),
  deviceKey: () => fileDeviceKey(statePath("device-key.pem")),
  clientInfo: () => ({
    id: "gateway-client",
    mode: "backend",
    platform: `${PLATFORMS[process.platform] ?? process.platform} ${release()}`,
    deviceFamily: FAMILIES[process.platform],
    displayName: hostname(),
    isPage: false,
  }),
};

const PLATFORMS: Readonly<Partial<Record<NodeJS.Platform, string>>> = { darwin: "darwin", win32: "windows" };
const FAMILIES: Readonly<Partial<Record<NodeJS.Platform, string>>> = { darwin: "Mac", win32: "Windows", linux: "Linux" };

/** Two apps of one user are two instances, so each script has its own files. */
function statePath(file: string): string {
  const script = process.argv[1] ?? process.cwd();
  const digest = createHash("sha256").update(script).digest("hex").slice(0, 12);
  const name = basename(script).replaceAll(/[^\w.-]/g, "_");
  return join(stateFolder(), "openclaw-presence", `${name}-${digest}`, file);
}

/** Returns the system's folder for the state of programs. */
function stateFolder(): string {
  const { XDG_STATE_HOME, LOCALAPPDATA } = process.env;
  if (process.platform === "win32") return LOCALAPPDATA ?? join(homedir(), "AppData", "Local");
  if (process.platform === "darwin") return join(homedir(), "Library", "Application Support");
  return XDG_STATE_HOME?.startsWith("/") ? XDG_STATE_HOME : join(homedir(), ".local", "state");
}
