import { browserDeviceKey, type DeviceKeyStore } from "./device-key.js";
import { browserInstanceId, randomInstanceId, type InstanceIdStore } from "./instance-id.js";

/** What a client takes from where it runs, unless its options say otherwise. */
export interface Platform {
  /** Where the `instanceId` comes from; `app` names the app where several share one place. */
  instanceId(): InstanceIdStore;
  /** Where the device key comes from. */
  deviceKey(): DeviceKeyStore;
  /** Who the client says it is. */
  clientInfo(): PlatformInfo;
}

/** What can be told about the machine. */
export interface PlatformInfo {
  /** `client.id`: one that gateways of both generations know. */
  readonly id: string;
  /** `client.mode`: likewise. */
  readonly mode: string;
  /** Operating system or browser. */
  readonly platform: string;
  /** Hardware family; absent if unknown. */
  readonly deviceFamily?: string | undefined;
  /** What people call it; absent: the gateway shows the id. */
  readonly displayName?: string | undefined;
  /** Whether it is a page that somebody looks at. */
  readonly isPage: boolean;
}

let current: Platform | undefined;

/** Says where this runs. The entry for Node does so; everywhere else the platform is a browser. */
export function setPlatform(platform: Platform): void {
  current = platform;
}

/** Where this runs. */
export function platform(): Platform {
  return current ?? browser;
}

const hasPage = typeof window !== "undefined" && typeof document !== "undefined";

const browser: Platform = {
  // Workers and edge runtimes have no tab whose id could be kept.
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

/** As much as a browser tells reliably: the family, not the version, which browsers freeze. */
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
