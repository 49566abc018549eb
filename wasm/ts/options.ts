import type { Clock } from "./clock.js";
import type { DeviceKey, DeviceKeyStore } from "./device-key.js";
import type { Thresholds } from "./functions.js";
import type { InputTargets } from "./input.js";
import type { InstanceIdStore } from "./instance-id.js";
import type { Labels } from "./labels.js";
import type { WebSocketConstructor } from "./websocket.js";

/** Options of a client. Most apps need only `url` and a secret. */
export interface PresenceClientOptions {
  /**
   * Address of the gateway: `ws:`, `wss:`, `http:` or `https:`. The link that a gateway prints works too: its
   * `#token=` is used unless {@link token} or {@link password} is set.
   * @default "ws://127.0.0.1:18789"
   */
  url?: string | undefined;
  /** The gateway's token, if it requires one. */
  token?: string | undefined;
  /** The gateway's password, if it requires one. */
  password?: string | undefined;
  /** Metadata of this client; absent members are taken from the platform. */
  client?: ClientInfo | undefined;
  /**
   * Stable identity that keeps this client one row in the roster across reconnects and restarts: an id, a store of
   * ids, or `false` for none (each connection then has its own row).
   * @default in browsers one per tab, kept in localStorage; in Node one per script and process, kept in a file
   */
  instanceId?: string | InstanceIdStore | false | undefined;
  /**
   * The device's key, a store of keys, or `false` for none. Gateways of 2026.9 grant no scopes to clients without a
   * key, unless they are on the gateway's machine.
   * @default in browsers kept in IndexedDB, in Node in a file; none where nothing can be kept
   */
  deviceKey?: DeviceKey | DeviceKeyStore | false | undefined;
  /**
   * The requested scopes. OpenClaw's own gateways accept beacons with `operator.admin` only; without it they refuse
   * the first one, beacons are turned off, and a `notice` is dispatched.
   * @default ["operator.read"]
   */
  scopes?: readonly string[] | undefined;
  /** Whether and when this client sends beacons while it is connected. @default true in pages, else false */
  beacons?: boolean | BeaconPolicy | undefined;
  /** Whether to request deltas in place of whole lists; gateways without deltas send lists. @default true */
  deltas?: boolean | undefined;
  /** Reconnect delays. */
  backoff?: BackoffPolicy | undefined;
  /** The ages at which statuses change. */
  thresholds?: Thresholds | undefined;
  /** Labels on rows, for translations. @default English */
  labels?: Labels | undefined;
  /** Time limit for the gateway to accept a connection, and again to answer the handshake, in ms. @default 15000 */
  handshakeMs?: number | undefined;
  /**
   * Whether all tabs of an origin with this `url` share one client: one connection, one instance, one row. Import
   * `openclaw-presence/shared` first. Where tabs cannot communicate, as on plain http, each is a separate client.
   * @default false
   */
  shared?: boolean | SharedOptions | undefined;
  /** The WebSocket class, for platforms without one (Node below 22) or to replace it. */
  WebSocket?: WebSocketConstructor | undefined;
  /** Clocks and timers, for tests. */
  clock?: Clock | undefined;
  /** Seed of the reconnect jitter: an integer of 0..2^53 - 1. @default random */
  seed?: number | undefined;
}

/** How tabs share a connection; by default with the platform's APIs. */
export interface SharedOptions {
  /**
   * Name of the group: apps of one origin with different names have separate connections. @default
   * "openclaw-presence"
   */
  name?: string | undefined;
  /** Elects the tab that holds the connection; `null` for none. */
  locks?: Pick<LockManager, "request"> | null | undefined;
  /** Carries the messages between tabs; `null` for none. */
  BroadcastChannel?: typeof BroadcastChannel | null | undefined;
  /** The page whose input and visibility are reported; `null` for none. */
  page?: InputTargets | null | undefined;
}

/** Metadata of a client, shown on its row. */
export interface ClientInfo {
  /** One of the client ids in the protocol. @default "webchat-ui" in browsers, "gateway-client" in Node */
  id?: string | undefined;
  /** Kind of client. @default "webchat" in browsers, "backend" in Node */
  mode?: string | undefined;
  /** Display name: the `host` of its row. @default the browser's or the machine's name */
  displayName?: string | undefined;
  /** Version of the app. @default the version of this package */
  version?: string | undefined;
  /** Operating system, such as `macos 26.1.0`. */
  platform?: string | undefined;
  /** Hardware family, such as `Mac`. */
  deviceFamily?: string | undefined;
  /** Hardware model, such as `Mac16,6`. */
  modelIdentifier?: string | undefined;
  /** Address of the machine, sent in its beacons. */
  ip?: string | undefined;
}

/** When a client sends beacons, in addition to the one after each handshake. */
export interface BeaconPolicy {
  /** Maximum time without a beacon, in ms; `false` sends none periodically. @default 60000 */
  everyMs?: number | false | undefined;
  /** Whether to send one when the user is back after {@link idleMs} without input. @default true */
  onActivity?: boolean | undefined;
  /** Whether to send one when the page is hidden or shown. @default true */
  onVisibility?: boolean | undefined;
  /** Time without input after which the user counts as away, in ms. @default 120000 */
  idleMs?: number | undefined;
}

/** Reconnect delays: a random time up to a growing bound. */
export interface BackoffPolicy {
  /** First bound, in ms. @default 1000 */
  initialMs?: number | undefined;
  /** Factor by which the bound grows with each try, an integer. @default 2 */
  factor?: number | undefined;
  /** Greatest bound, in ms. @default 30000 */
  maxMs?: number | undefined;
  /** A connection that lasted this long, in ms, resets the bound. @default 30000 */
  stableMs?: number | undefined;
}

/** Options that {@link PresenceClient.reconnect} can change. */
export type ReconnectOptions = Pick<
  PresenceClientOptions,
  "url" | "token" | "password" | "client" | "instanceId" | "deviceKey" | "scopes" | "beacons"
>;

/** Options of a roster; the defaults are the gateway's. */
export interface RosterOptions {
  /** How long a row lives after its last proof of life, in ms. @default 300000 */
  ttlMs?: number | undefined;
  /** Maximum number of rows, the gateway's own included. @default 200 */
  maxRows?: number | undefined;
  /** The ages at which statuses change. */
  thresholds?: Thresholds | undefined;
  /** Labels on rows, for translations. @default English */
  labels?: Labels | undefined;
}

/** When joins and leaves are reported. */
export interface ArrivalOptions {
  /** Grace period in ms: a row that returns within it has not left. @default 5000 */
  readonly graceMs?: number | undefined;
}
