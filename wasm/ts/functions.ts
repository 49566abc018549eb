import { asPresenceError } from "./errors.js";
import type { BeaconText } from "./glue.js";
import { core } from "./load/core.js";
import type { AgeStatus, Status } from "./types.js";

export type { BeaconText } from "./glue.js";

/** The ages at which statuses end. */
export interface Thresholds {
  /** Greatest age that is still Active, in ms. @default 120000 */
  readonly activeMs?: number;
  /** Greatest age that is still Idle, in ms. @default 300000 */
  readonly idleMs?: number;
}

/** The fields that a device signs to prove its identity. */
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

// Each of these throws a `PresenceError` with code `NOT_READY` while the module is not loaded, where it cannot be
// loaded synchronously.

/** Returns the status for an age in ms. {@link displayStatus} also considers whether a row left. */
export function status(ageMs: number, { activeMs, idleMs }: Thresholds = {}): AgeStatus {
  return core().status(ageMs, activeMs, idleMs) as AgeStatus;
}

/**
 * Returns the status to display for a row, as in `row.status`: `Left` if the `reasons` of all the gateway's rows
 * behind it are exactly `disconnect`, else the status of its age in ms.
 */
export function displayStatus(
  reasons: readonly (string | null | undefined)[],
  ageMs: number,
  { activeMs, idleMs }: Thresholds = {},
): Status {
  return core().displayStatus(reasons.map((reason) => reason ?? ""), ageMs, activeMs, idleMs) as Status;
}

/**
 * Returns the age in ms at which the status changes next; `undefined` for Stale. The status of a row that left never
 * changes by age.
 */
export function nextStatusChange(ageMs: number, { activeMs, idleMs }: Thresholds = {}): number | undefined {
  return core().nextStatusChange(ageMs, activeMs, idleMs);
}

/** Returns `make` with a cache: lists repeat words, and a call of the core costs more than a lookup. */
function cached<T extends string | number>(make: (value: T) => string): (value: T) => string {
  const known = new Map<T, string>();
  return (value) => {
    let word = known.get(value);
    if (word === undefined) {
      word = make(value);
      // Gateways may send any text, so the cache is bounded: 1,000 texts of at most 1,024 characters.
      if (known.size >= 1_000) known.clear();
      if (String(value).length <= 1_024) known.set(value, word);
    }
    return word;
  };
}

const minutesText = cached((minutes: number) => core().ageText(minutes * 60_000));
const keyOf = cached((id: string) => core().normalizeKey(id) ?? "");

/** Returns an age in ms in words: `just now`, `5m ago`, `yesterday`. */
export function ageText(ageMs: number): string {
  // The words change at whole minutes.
  return minutesText(Math.floor(ageMs / 60_000));
}

/** Returns the label of a `reason`: `Heartbeat` for `periodic`; a reason without a label is returned unchanged. */
export const reasonLabel = cached((reason: string) => core().reasonLabel(reason));

/** Returns the label of a `platform`: `macOS 26.1` for `macos 26.1.0`. */
export const platformLabel = cached((platform: string) => core().platformLabel(platform));

/** Returns the presence key of an id: two ids with one key are one instance. `undefined` for a blank id. */
export function normalizeKey(id: string): string | undefined {
  return keyOf(id) || undefined;
}

/** Returns the presence key of a beacon that has only a text. */
export function textKey(text: string): string | undefined {
  return core().textKey(text);
}

/** Parses a beacon's text; `undefined` if it does not have the known form. */
export function parseBeaconText(text: string): BeaconText | undefined {
  return core().parseBeaconText(text);
}

/** Whether an IP address is a loopback address, in any spelling. */
export function isLoopback(address: string): boolean {
  return core().isLoopback(address);
}

/** Whether the granted scopes include the wanted one. */
export function scopesSatisfy(granted: readonly string[], wanted: string): boolean {
  return core().scopesSatisfy([...granted], wanted);
}

/** Returns a close reason, truncated to the limit of a close frame. */
export function closeReason(reason: string): string {
  return core().closeReason(reason);
}

/**
 * Returns the text that a device signs.
 *
 * @throws {PresenceError} `INVALID_ARGUMENT` for an invalid member; the message names it.
 */
export function deviceSignaturePayload(version: 2 | 3, fields: SignedFields): string {
  try {
    return core().deviceSignaturePayload(version, JSON.stringify(fields));
  } catch (error) {
    throw asPresenceError(error);
  }
}
