import type { Clock } from "./clock.js";
import type { DeviceKey, DeviceKeyStore } from "./device-key.js";
import type { Thresholds } from "./functions.js";
import type { InputTargets } from "./input.js";
import type { InstanceIdStore } from "./instance-id.js";
import type { Labels } from "./labels.js";
import type { WebSocketConstructor } from "./websocket.js";

/** What a client is made from. Only `url` and a secret are usually needed. */
export interface PresenceClientOptions {
  /**
   * Address of the gateway: `ws:`, `wss:`, `http:` or `https:`. The link that a gateway prints works too: its
   * `#token=` is used unless {@link token} or {@link password} is set.
   * @default "ws://127.0.0.1:18789"
   */
  url?: string | undefined;
  /** The gateway's token, if it asks for one. */
  token?: string | undefined;
  /** The gateway's password, if it asks for one. */
  password?: string | undefined;
  /** Who this client is; what is absent is found out from the platform. */
  client?: ClientInfo | undefined;
  /**
   * Keeps this client one row in the roster across reconnects and restarts: an id, a store of ids, or `false` for
   * none (then each connection is a row of its own).
   * @default in browsers one per tab, kept in localStorage; in Node one per script and process, kept in a file
   */
  instanceId?: string | InstanceIdStore | false | undefined;
  /**
   * The key that proves which device this is, where it is kept, or `false` for none. Gateways of 2026.9 let clients
   * without one see nothing, unless they are on the gateway's machine.
   * @default in browsers kept in IndexedDB, in Node in a file; none where nothing can be kept
   */
  deviceKey?: DeviceKey | DeviceKeyStore | false | undefined;
  /**
   * The scopes that are requested. OpenClaw's own gateways accept beacons with `operator.admin` only; without it they
   * refuse them once, and a `notice` says so.
   * @default ["operator.read"]
   */
  scopes?: readonly string[] | undefined;
  /** Whether this client tells about itself while it is connected, and when. @default in pages yes, elsewhere no */
  beacons?: boolean | BeaconPolicy | undefined;
  /** Whether to ask the gateway for changes instead of whole lists; gateways that cannot send lists. @default true */
  deltas?: boolean | undefined;
  /** How long it waits between tries to connect. */
  backoff?: BackoffPolicy | undefined;
  /** The ages at which statuses end. */
  thresholds?: Thresholds | undefined;
  /** The words on rows, for other languages. @default English */
  labels?: Labels | undefined;
  /** How long the gateway may take to accept a connection, and again to answer the handshake, in ms. @default 15000 */
  handshakeMs?: number | undefined;
  /**
   * Whether all tabs of an origin with this `url` are one client: one connection, one instance, one row. Import
   * `openclaw-presence/shared` first. Where tabs cannot find each other, as on plain http, each is a client of its own.
   * @default false
   */
  shared?: boolean | SharedOptions | undefined;
  /** The WebSocket class, where the platform has none (Node below 22) or another is wanted. */
  WebSocket?: WebSocketConstructor | undefined;
  /** Clocks and timers, for tests. */
  clock?: Clock | undefined;
  /** Decides the random parts of waiting times: an integer of 0..2^53 - 1. @default random */
  seed?: number | undefined;
}

/** How tabs share a connection; the platform's parts by default. */
export interface SharedOptions {
  /** Names the group: two apps of one origin have connections of their own. @default "openclaw-presence" */
  name?: string | undefined;
  /** Decides which tab holds the connection; `null`: there are none. */
  locks?: Pick<LockManager, "request"> | null | undefined;
  /** Carries the messages of tabs; `null`: there is none. */
  BroadcastChannel?: typeof BroadcastChannel | null | undefined;
  /** The page whose input and visibility is reported; `null`: there is none. */
  page?: InputTargets | null | undefined;
}

/** Who a client is: what its row will say. */
export interface ClientInfo {
  /** One of the ids that gateways know. @default "webchat-ui" in browsers, "gateway-client" in Node */
  id?: string | undefined;
  /** What kind of client it is. @default "webchat" in browsers, "backend" in Node */
  mode?: string | undefined;
  /** What people call it: the `host` of its row. @default the browser's or the machine's name */
  displayName?: string | undefined;
  /** Version of the app. @default the version of this package */
  version?: string | undefined;
  /** Operating system, such as `macos 26.1.0`. */
  platform?: string | undefined;
  /** Hardware family, such as `Mac`. */
  deviceFamily?: string | undefined;
  /** Hardware model, such as `Mac16,6`. */
  modelIdentifier?: string | undefined;
  /** Address of the machine, for its beacons. */
  ip?: string | undefined;
}

/** When a client tells about itself, beside once after each handshake. */
export interface BeaconPolicy {
  /** When it has not done so for this long, in ms; `false`: never for that. @default 60000 */
  everyMs?: number | false | undefined;
  /** When the user is back after {@link idleMs} without input. @default true */
  onActivity?: boolean | undefined;
  /** When the page is hidden or shown. @default true */
  onVisibility?: boolean | undefined;
  /** How long without input counts as away, in ms. @default 120000 */
  idleMs?: number | undefined;
}

/** How long a client waits between tries to connect: a random time up to a bound that grows. */
export interface BackoffPolicy {
  /** First bound, in ms. @default 1000 */
  initialMs?: number | undefined;
  /** How much the bound grows from try to try. @default 2 */
  factor?: number | undefined;
  /** Greatest bound, in ms. @default 30000 */
  maxMs?: number | undefined;
  /** A connection that lasted this long, in ms, starts the count anew. @default 30000 */
  stableMs?: number | undefined;
}

/** What a client may change when it connects anew. */
export type ReconnectOptions = Pick<
  PresenceClientOptions,
  "url" | "token" | "password" | "client" | "instanceId" | "deviceKey" | "scopes" | "beacons"
>;
