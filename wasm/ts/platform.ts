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
    const { userAgent } = navigator;
    return {
      id: "webchat-ui",
      mode: "webchat",
      platform: operatingSystem(userAgent),
      deviceFamily: deviceFamily(userAgent),
      displayName: browserName(userAgent),
      isPage: true,
    };
  },
};

/** Returns the operating system's family. Browsers freeze its version in the user agent. */
function operatingSystem(userAgent: string): string {
  const known: readonly (readonly [RegExp, string])[] = [
    [/iPad/, "ipados"],
    [/iPhone|iPod/, "ios"],
    [/Android/, "android"],
    [/Mac OS X/, "macos"],
    [/Windows/, "windows"],
    [/CrOS/, "chromeos"],
    [/Linux|X11/, "linux"],
  ];
  return known.find(([pattern]) => pattern.test(userAgent))?.[1] ?? "web";
}

function deviceFamily(userAgent: string): string | undefined {
  const known: readonly (readonly [RegExp, string])[] = [
    [/iPad/, "iPad"],
    [/iPhone/, "iPhone"],
    [/Android/, "Android"],
    [/Mac OS X/, "Mac"],
    [/Windows/, "Windows"],
    [/Linux|X11|CrOS/, "Linux"],
  ];
  return known.find(([pattern]) => pattern.test(userAgent))?.[1];
}

function browserName(userAgent: string): string {
  const known: readonly (readonly [RegExp, string])[] = [
    [/Edg\//, "Edge"],
    [/OPR\//, "Opera"],
    [/Firefox\//, "Firefox"],
    [/Chrom(e|ium)\//, "Chrome"],
    [/Safari\//, "Safari"],
  ];
  return known.find(([pattern]) => pattern.test(userAgent))?.[1] ?? "Browser";
}
