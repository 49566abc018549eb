import { PresenceError } from "./errors.js";
import type { Thresholds } from "./functions.js";
import type { Labels } from "./labels.js";
import type { ArrivalOptions, BackoffPolicy, BeaconPolicy, ClientInfo, PresenceClientOptions, RosterOptions, SharedOptions } from "./options.js";

/** The names of all members, checked against the type by the compiler. */
export type Names<T> = { readonly [Name in keyof Required<T>]: unknown };

const THRESHOLDS: Names<Thresholds> = { activeMs: 1, idleMs: 1 };
const LABELS: Names<Labels> = { ageText: 1, reasonLabel: 1, platformLabel: 1 };
const BEACONS: Names<BeaconPolicy> = { everyMs: 1, onActivity: 1, onVisibility: 1, idleMs: 1 };
const BACKOFF: Names<BackoffPolicy> = { initialMs: 1, factor: 1, maxMs: 1, stableMs: 1 };
const SHARED: Names<SharedOptions> = { name: 1, locks: 1, BroadcastChannel: 1, page: 1 };
const CLIENT: Names<ClientInfo> = {
  id: 1,
  mode: 1,
  displayName: 1,
  version: 1,
  platform: 1,
  deviceFamily: 1,
  modelIdentifier: 1,
  ip: 1,
};

/** The options of a client; a nested object lists the members of an option. */
const CLIENT_OPTIONS: Names<PresenceClientOptions> = {
  url: 1,
  token: 1,
  password: 1,
  client: CLIENT,
  instanceId: 1,
  deviceKey: 1,
  scopes: 1,
  beacons: BEACONS,
  deltas: 1,
  backoff: BACKOFF,
  thresholds: THRESHOLDS,
  labels: LABELS,
  handshakeMs: 1,
  shared: SHARED,
  WebSocket: 1,
  clock: 1,
  seed: 1,
};

const ARRIVAL_OPTIONS: Names<ArrivalOptions> = { graceMs: 1 };
const ROSTER_OPTIONS: Names<RosterOptions> = { ttlMs: 1, maxRows: 1, thresholds: THRESHOLDS, labels: LABELS };

/** @throws {PresenceError} `INVALID_ARGUMENT` for an unknown option of a client; the message names it. */
export function checkClientOptions(options: object): void {
  check(options, CLIENT_OPTIONS, "options");
}

/** @throws {PresenceError} `INVALID_ARGUMENT` for an unknown option of a roster; the message names it. */
export function checkRosterOptions(options: object): void {
  check(options, ROSTER_OPTIONS, "options");
}

/**
 * @throws {PresenceError} `INVALID_ARGUMENT` for an invalid or unknown option of joins and leaves; the message names
 * it.
 */
export function checkArrivalOptions(options: ArrivalOptions): void {
  check(options, ARRIVAL_OPTIONS, "options");
  const { graceMs = 0 } = options;
  if (!(Number.isFinite(graceMs) && graceMs >= 0)) throw invalid("options.graceMs: use a time in ms, such as 5000");
}

function invalid(what: string): PresenceError {
  return new PresenceError("INVALID_ARGUMENT", `invalid ${what}`);
}

/** @throws {PresenceError} `INVALID_ARGUMENT` for a member that is not in `names`; the message names it. */
export function check(options: object, names: object, path: string): void {
  if (typeof options !== "object" || options === null) throw invalid(`${path}: use an object`);
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(names, name)) throw invalid(`${path}.${name}: there is no such option`);
    const inner = (names as Record<string, unknown>)[name];
    if (typeof inner === "object" && typeof value === "object") check(value ?? {}, inner as object, `${path}.${name}`);
  }
}
