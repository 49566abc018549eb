import type { IconName } from "../lib/icons.js";

/** The metadata and behaviour of a kind of simulated client. */
export interface Kind {
  readonly label: string;
  readonly icon: IconName;
  /** Its `client.id`. */
  readonly clientId: string;
  readonly mode: string;
  readonly role: "operator" | "node";
  readonly version: string;
  readonly platform: string;
  readonly deviceFamily: string;
  readonly modelIdentifier?: string;
  /** Interval of its beacons, in ms; absent: it sends none by itself. */
  readonly beaconEveryMs?: number;
  /** The mode in its beacons. */
  readonly beaconMode: string;
  readonly hosts: readonly string[];
}

/** Kinds of OpenClaw clients. */
export const KINDS = {
  mac: {
    label: "Mac app",
    icon: "mac",
    clientId: "openclaw-macos",
    mode: "ui",
    role: "operator",
    version: "2026.9.6",
    platform: "macos 26.1.0",
    deviceFamily: "Mac",
    modelIdentifier: "Mac16,6",
    beaconEveryMs: 180_000,
    beaconMode: "local",
    hosts: ["studio", "maple", "loft", "harbor", "birch"],
  },
  tab: {
    label: "WebChat tab",
    icon: "chat",
    clientId: "webchat-ui",
    mode: "webchat",
    role: "operator",
    version: "0.1.0",
    platform: "windows",
    deviceFamily: "Windows",
    beaconEveryMs: 60_000,
    beaconMode: "webchat",
    hosts: ["front-desk", "kitchen", "workshop", "library", "garage"],
  },
  node: {
    label: "Node",
    icon: "node",
    clientId: "node-host",
    mode: "node",
    role: "node",
    version: "2026.9.6",
    platform: "linux 6.6.62",
    deviceFamily: "Linux",
    modelIdentifier: "Raspberry Pi 5",
    beaconMode: "node",
    hosts: ["attic-pi", "porch-pi", "shed-pi", "cellar-pi", "roof-pi"],
  },
  cli: {
    label: "CLI",
    icon: "cli",
    clientId: "cli",
    mode: "cli",
    role: "operator",
    version: "2026.9.6",
    platform: "linux",
    deviceFamily: "Linux",
    beaconMode: "cli",
    hosts: ["terminal"],
  },
} as const satisfies Readonly<Record<string, Kind>>;

/** The name of a kind. */
export type KindName = keyof typeof KINDS;

/** How a client identifies itself. */
export const IDENTITIES = {
  stable: "a stable instanceId",
  none: "no instanceId",
  case: "beacons spell the id differently",
  other: "beacons carry another id",
} as const;

/** Name of an entry of {@link IDENTITIES}. */
export type Identity = keyof typeof IDENTITIES;

/** The network that a client connects from. */
export const NETWORKS = { lan: "from its own address", tunnel: "through a tunnel (127.0.0.1)" } as const;

/** Name of an entry of {@link NETWORKS}. */
export type Network = keyof typeof NETWORKS;

/** Returns the host name of the client with that number. */
export function hostOf(kind: KindName, id: number): string {
  const { hosts } = KINDS[kind];
  const name = hosts[(id - 1) % hosts.length] ?? kind;
  const round = Math.floor((id - 1) / hosts.length);
  return round === 0 ? name : `${name}-${round + 1}`;
}

/** Returns the address of the client's machine. */
export function ipOf(id: number): string {
  return `192.168.1.${20 + (id % 200)}`;
}

/** Returns the client's stored id, in the form its kind of program uses. */
export function instanceIdOf(kind: KindName, id: number): string {
  return `${kind[0]?.toUpperCase()}${kind.slice(1)}-${hostOf(kind, id)}`;
}
