/**
 * What went wrong, in a word that never changes with the wording of the message.
 *
 * | code | when |
 * |---|---|
 * | `NOT_READY` | the WASM module is not loaded and cannot be loaded at once: `await ready()` first |
 * | `WASM_BLOCKED` | the page's Content-Security-Policy lacks `'wasm-unsafe-eval'` |
 * | `WASM_INVALID` | what was given or fetched is not this version's `core.wasm`, or the platform cannot run it |
 * | `NO_WEBSOCKET` | the platform has no WebSocket and none was passed |
 * | `INVALID_ARGUMENT` | an option or argument is not what it must be; the message says which |
 * | `AUTH_...` | the gateway does not accept the token or password: `AUTH_TOKEN_MISMATCH`, `AUTH_TOKEN_MISSING`, `AUTH_RATE_LIMITED`, ... |
 * | `CREDENTIALS_REVOKED` | they were good until the gateway's secret was changed |
 * | `DEVICE_...` | the gateway wants a device key (`DEVICE_IDENTITY_REQUIRED`) or does not accept this one |
 * | `PAIRING_REQUIRED` | the gateway's owner has to approve this device first |
 * | `PROTOCOL_MISMATCH` | the gateway speaks neither protocol 3 nor 4 |
 * | `NO_READ_SCOPE` | connected, but the gateway grants no `operator.read`: the roster stays empty |
 * | `BEACON_REFUSED` | the gateway refuses beacons; they are off, the roster goes on |
 * | `ORIGIN_NOT_ALLOWED` | the gateway does not let pages of this origin in |
 * | `REFUSED` | the gateway refuses a request or this client; `detail` has its code |
 * | `UNAVAILABLE` | the gateway cannot answer now; a refused client tries again when the gateway allows it |
 * | `CLOSED` | there is no connection, or it ended before the answer came |
 * | `TIMEOUT` | no answer in time |
 * | `TOO_MANY_REQUESTS` | too many requests wait for an answer already |
 * | `FREED` | the object was freed or closed before |
 */
export type PresenceErrorCode =
  | "NOT_READY"
  | "WASM_BLOCKED"
  | "WASM_INVALID"
  | "NO_WEBSOCKET"
  | "INVALID_ARGUMENT"
  | `AUTH_${string}`
  | "CREDENTIALS_REVOKED"
  | `DEVICE_${string}`
  | "PAIRING_REQUIRED"
  | "PROTOCOL_MISMATCH"
  | "NO_READ_SCOPE"
  | "BEACON_REFUSED"
  | "ORIGIN_NOT_ALLOWED"
  | "REFUSED"
  | "UNAVAILABLE"
  | "CLOSED"
  | "TIMEOUT"
  | "TOO_MANY_REQUESTS"
  | "FREED";

/** What a {@link PresenceError} may carry beside its code and message. */
export interface PresenceErrorDetail {
  /** A closer code: the gateway's own, or `CLOSED_<close code>`, `OPEN_TIMEOUT`, `TICK_TIMEOUT`, ... */
  readonly detail?: string | undefined;
  /** What a person can do about it, in a sentence. */
  readonly remedy?: string | undefined;
  /** What caused it. */
  readonly cause?: unknown;
}

/** Every error of this package. Decide by {@link code}; the message is for people. */
export class PresenceError extends Error {
  /** What went wrong. */
  readonly code: PresenceErrorCode;
  /** A closer code: the gateway's own, or `CLOSED_<close code>`, `OPEN_TIMEOUT`, `TICK_TIMEOUT`, ... */
  readonly detail: string | undefined;
  /** What a person can do about it, in a sentence; absent when there is nothing to do. */
  readonly remedy: string | undefined;

  constructor(code: PresenceErrorCode, message: string, { detail, remedy, cause }: PresenceErrorDetail = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "PresenceError";
    this.code = code;
    this.detail = detail;
    this.remedy = remedy;
  }
}

/** The error of a method called on something that was freed. */
export function freed(what: string): PresenceError {
  return new PresenceError("FREED", `this ${what} was freed`);
}

/** What the core says went wrong. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  /** Empty if nothing can be done about it. */
  readonly remedy: string;
}

/** The gateway's names for what this package calls otherwise. */
const RENAMED: Readonly<Record<string, PresenceErrorCode>> = {
  CONTROL_UI_ORIGIN_NOT_ALLOWED: "ORIGIN_NOT_ALLOWED",
  CONTROL_UI_DEVICE_IDENTITY_REQUIRED: "DEVICE_IDENTITY_REQUIRED",
};

/** Codes that are the same in the core and here. */
const KEPT = /^(AUTH_.*|DEVICE_.*|CREDENTIALS_REVOKED|PAIRING_REQUIRED|PROTOCOL_MISMATCH|NO_READ_SCOPE|UNAVAILABLE|TIMEOUT|TOO_MANY_REQUESTS)$/;

/** Ends of connections that no refusal caused. */
const ENDED = /^(CLOSED.*|.*_TIMEOUT|DISCONNECTED|NOT_CONNECTED|RESYNC_FAILED|BAD_HELLO|FRAME_TOO_LARGE)$/;

/** The error that a problem of the core is to the app. */
export function errorOf({ code, message, remedy }: Problem): PresenceError {
  const kept = KEPT.test(code) ? (code as PresenceErrorCode) : undefined;
  const own = RENAMED[code] ?? kept ?? (ENDED.test(code) ? "CLOSED" : "REFUSED");
  return new PresenceError(own, message, { detail: code, remedy: remedy || undefined });
}

/** What was thrown, as a {@link PresenceError}: errors of the WASM module carry a `code` already. */
export function asPresenceError(thrown: unknown): PresenceError {
  if (thrown instanceof PresenceError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new PresenceError("INVALID_ARGUMENT", message, { cause: thrown });
}
