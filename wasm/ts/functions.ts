import { asPresenceError } from "./errors.js";
import { core } from "./load/core.js";
import type { AgeStatus, Status } from "./types.js";

/** The ages at which statuses end. */
export interface Thresholds {
  /** Greatest age that is still Active, in ms. @default 120000 */
  readonly activeMs?: number;
  /** Greatest age that is still Idle, in ms. @default 300000 */
  readonly idleMs?: number;
}

/** What a beacon's text says. */
export interface BeaconText {
  readonly host: string;
  readonly ip: string;
  readonly version: string;
  readonly lastInputSeconds: number;
  readonly mode: string;
  readonly reason: string;
}

/** What a device signs to prove that it is itself. */
export interface SignedFields {
  readonly deviceId: string;
  readonly clientId: string;
  readonly clientMode: string;
  readonly role: string;
  readonly scopes: readonly string[];
  /** Ms since the Unix epoch. */
  readonly signedAt: number;
  readonly token?: string | undefined;
  readonly nonce: string;
  /** Only in version 3. */
  readonly platform?: string | undefined;
  /** Only in version 3. */
  readonly deviceFamily?: string | undefined;
}

// Each of these throws a `PresenceError` with code `NOT_READY` before the module is loaded, where it cannot be
// loaded at once.

/** The status of this age in ms; whether a row left is the matter of {@link displayStatus}. */
export function status(ageMs: number, { activeMs, idleMs }: Thresholds = {}): AgeStatus {
  return core().status(ageMs, activeMs, idleMs) as AgeStatus;
}

/**
 * Returns the status that a row is displayed with, as `row.status` has it: `Left` if the `reasons` of all the gateway's
 * rows behind it are exactly `disconnect`, else the status of its age in ms.
 */
export function displayStatus(
  reasons: readonly (string | null | undefined)[],
  ageMs: number,
  { activeMs, idleMs }: Thresholds = {},
): Status {
  return core().displayStatus(reasons.map((reason) => reason ?? ""), ageMs, activeMs, idleMs) as Status;
}

/** The least greater age in ms that has another status; nothing once Stale. The status of a row that left never changes by age. */
export function nextStatusChange(ageMs: number, { activeMs, idleMs }: Thresholds = {}): number | undefined {
  return core().nextStatusChange(ageMs, activeMs, idleMs);
}

/** Words that were asked for before: lists repeat them, and asking the core costs more than looking. */
class Words<T> {
  readonly #known = new Map<T, string>();
  readonly #make: (of: T) => string;

  constructor(make: (of: T) => string) {
    this.#make = make;
  }

  /** The word for `key`, made once, of anything that has that key. */
  of(key: T, of: T): string {
    let word = this.#known.get(key);
    if (word === undefined) {
      // Gateways send anything: what is kept is bounded.
      if (this.#known.size >= 1_000) this.#known.clear();
      word = this.#make(of);
      this.#known.set(key, word);
    }
    return word;
  }
}

const AGES = new Words<number>((ageMs) => core().ageText(ageMs));
const PLATFORMS = new Words<string>((platform) => core().platformLabel(platform));
const REASONS = new Words<string>((reason) => core().reasonLabel(reason));
const KEYS = new Words<string>((id) => core().normalizeKey(id) ?? "");

/** An age in ms as people read it: `just now`, `5m ago`, `yesterday`. */
export function ageText(ageMs: number): string {
  // It changes at whole minutes.
  return AGES.of(Math.floor(ageMs / 60_000), ageMs);
}

/** The label of a `reason`: `Heartbeat` for `periodic`; what has none is returned as it is. */
export function reasonLabel(reason: string): string {
  return REASONS.of(reason, reason);
}

/** A `platform` as people read it: `macOS 26.1` for `macos 26.1.0`. */
export function platformLabel(platform: string): string {
  return PLATFORMS.of(platform, platform);
}

/** The presence key of an id: two ids with one key are one instance. Nothing for a blank id. */
export function normalizeKey(id: string): string | undefined {
  return KEYS.of(id, id) || undefined;
}

/** The presence key of a beacon that has nothing but its text. */
export function textKey(text: string): string | undefined {
  return core().textKey(text);
}

/** What a beacon's text says, if it is of the known form. */
export function parseBeaconText(text: string): BeaconText | undefined {
  return core().parseBeaconText(text);
}

/** Whether an IP address is of the machine itself, in any spelling. */
export function isLoopback(address: string): boolean {
  return core().isLoopback(address);
}

/** Whether the granted scopes include the wanted one. */
export function scopesSatisfy(granted: readonly string[], wanted: string): boolean {
  return core().scopesSatisfy([...granted], wanted);
}

/** A close reason cut to what a close frame holds. */
export function closeReason(reason: string): string {
  return core().closeReason(reason);
}

/**
 * The text that a device signs.
 *
 * @throws {PresenceError} `INVALID_ARGUMENT` names the bad member.
 */
export function deviceSignaturePayload(version: 2 | 3, fields: SignedFields): string {
  try {
    return core().deviceSignaturePayload(version, JSON.stringify(fields));
  } catch (error) {
    throw asPresenceError(error);
  }
}
