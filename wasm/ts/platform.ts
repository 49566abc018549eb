import { browserDeviceKey, type DeviceKeyStore } from "./device-key.js";
import { browserInstanceId, randomInstanceId, type InstanceIdStore } from "./instance-id.js";

/** Defaults of a client that depend on the platform. */
export interface Platform {
  /** Returns the store of the `instanceId`. */
  instanceId(): InstanceIdStore;
  /** Returns the store of the device key. */
  deviceKey(): DeviceKeyStore;
  /** Returns the client's metadata. */
  clientInfo(): PlatformInfo;
}

/** Metadata of the machine. */
export interface PlatformInfo {
  /** `client.id`: one that gateways of both generations accept. */
  readonly id: string;
  /** `client.mode`: one that gateways of both generations accept. */
  readonly mode: string;
  /** Operating system or browser. */
  readonly platform: string;
  /** Hardware family; absent if unknown. */
  readonly deviceFamily?: string | undefined;
  /** Display name; if absent, the gateway shows the id. */
  readonly displayName?: string | undefined;
  /** Whether this is a page with a user. */
  readonly isPage: boolean;
}

let current: Platform | undefined;

/** Sets the platform. The entries for Node call it; the default is a browser. */
export function setPlatform(platform: Platform): void {
  current = platform;
}

/** Returns the platform. */
export function platform(): Platform {
  return current ?? browser;
}

const hasPage = typeof window !== "undefined" && typeof document !== "undefined";

const browser: Platform = {
  // Workers and edge runtimes have no tab-scoped storage.
  instanceId: () => (hasPage ? browserInstanceId() : randomInstanceId()),
  deviceKey: () => browserDeviceKey(),
  clientInfo() {
    if (!hasPage) return { id: "gateway-client", mode: "backend", platform: "javascript", isPage: false };
    // iPads state that they are Macs, which have no touch screen.
    const userAgent = navigator.maxTouchPoints > 1 ? navigator.userAgent.replace("Macintosh", "iPad") : navigator.userAgent;
    const [, platform = "web", deviceFamily] = SYSTEMS.find(([pattern]) => pattern.test(userAgent)) ?? [];
    const [, displayName = "Browser"] = BROWSERS.find(([pattern]) => pattern.test(userAgent)) ?? [];
    return { id: "webchat-ui", mode: "webchat", platform, deviceFamily, displayName, isPage: true };
  },
};

/** Patterns in user agents, each with the operating system (browsers freeze its version) and the hardware family. */
const SYSTEMS: readonly (readonly [RegExp, string, string])[] = [
  [/iPad/, "ipados", "iPad"],
  [/iPhone/, "ios", "iPhone"],
  [/Android/, "android", "Android"],
  [/Mac OS X/, "macos", "Mac"],
  [/Windows/, "windows", "Windows"],
  [/CrOS/, "chromeos", "Linux"],
  [/Linux|X11/, "linux", "Linux"],
];

/** Patterns of browsers; most also state the names of others. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/Edg(A|iOS)?\//, "Edge"],
  [/OP[RT]\//, "Opera"],
  [/(Firefox|FxiOS)\//, "Firefox"],
  [/(Chrome|Chromium|CriOS)\//, "Chrome"],
  [/Safari\//, "Safari"],
];
