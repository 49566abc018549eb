import type { Problem } from "./glue.js";

/**
 * What went wrong, as a code that does not depend on the message's wording.
 *
 * | code | when |
 * |---|---|
 * | `NOT_READY` | the WASM module is not loaded and cannot be loaded at once: `await ready()` first |
 * | `WASM_BLOCKED` | the page's Content-Security-Policy lacks `'wasm-unsafe-eval'` |
 * | `WASM_INVALID` | the module cannot be fetched, is not this version's `core.wasm`, or the platform cannot run it |
 * | `NO_WEBSOCKET` | the platform has no WebSocket and none was passed |
 * | `NO_WEBASSEMBLY` | the platform has no WebAssembly |
 * | `STORE_FAILED` | the store of instanceIds or device keys failed; `detail` has its own code, such as `EACCES` |
 * | `INTERNAL` | the core failed; the client is refused until it is started again |
 * | `INVALID_ARGUMENT` | an option or argument is invalid; the message names it |
 * | `AUTH_...` | the gateway does not accept the token or password: `AUTH_TOKEN_MISMATCH`, `AUTH_TOKEN_MISSING`, `AUTH_RATE_LIMITED`, and the others of {@link GatewayErrorCode} |
 * | `CREDENTIALS_REVOKED` | the secret was valid until the gateway's secret was changed |
 * | `DEVICE_...` | the gateway requires a device key (`DEVICE_IDENTITY_REQUIRED`) or does not accept this one |
 * | `PAIRING_REQUIRED` | the gateway's owner has to approve this device first |
 * | `PROTOCOL_MISMATCH` | the gateway speaks neither protocol 3 nor 4 |
 * | `NO_READ_SCOPE` | connected, but the gateway grants no `operator.read`: the roster stays empty |
 * | `BEACON_REFUSED` | the gateway refuses beacons: they are turned off, the roster is not affected |
 * | `ORIGIN_NOT_ALLOWED` | the gateway does not allow pages of this origin |
 * | `REFUSED` | the gateway refuses a request or this client; `detail` has its code |
 * | `UNAVAILABLE` | the gateway cannot answer now; the client connects again when the gateway allows it |
 * | `CLOSED` | there is no connection, or it ended before the answer |
 * | `TIMEOUT` | no answer in time |
 * | `TOO_MANY_REQUESTS` | too many requests are pending |
 * | `FREED` | the object was already freed or closed |
 */
export type PresenceErrorCode =
  | "NOT_READY"
  | "WASM_BLOCKED"
  | "WASM_INVALID"
  | "NO_WEBSOCKET"
  | "INVALID_ARGUMENT"
  | "NO_WEBASSEMBLY"
  | "STORE_FAILED"
  | "INTERNAL"
  | GatewayErrorCode
  | "CREDENTIALS_REVOKED"
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

/** Codes of gateways of 2026.9 that are passed on. All other codes become `REFUSED`, with the code in `detail`. */
const GATEWAY_CODES = [
  "AUTH_BOOTSTRAP_TOKEN_INVALID",
  "AUTH_DEVICE_TOKEN_MISMATCH",
  "AUTH_IDENTITY_HEADER_REQUIRED",
  "AUTH_PASSWORD_MISMATCH",
  "AUTH_PASSWORD_MISSING",
  "AUTH_PASSWORD_NOT_CONFIGURED",
  "AUTH_RATE_LIMITED",
  "AUTH_REQUIRED",
  "AUTH_SCOPE_MISMATCH",
  "AUTH_TAILSCALE_IDENTITY_MISMATCH",
  "AUTH_TAILSCALE_IDENTITY_MISSING",
  "AUTH_TAILSCALE_PROXY_MISSING",
  "AUTH_TAILSCALE_WHOIS_FAILED",
  "AUTH_TOKEN_MISMATCH",
  "AUTH_TOKEN_MISSING",
  "AUTH_TOKEN_NOT_CONFIGURED",
  "AUTH_UNAUTHORIZED",
  "AUTH_VERIFIED_USER_REQUIRED",
  "DEVICE_AUTH_DEVICE_ID_MISMATCH",
  "DEVICE_AUTH_INVALID",
  "DEVICE_AUTH_NONCE_MISMATCH",
  "DEVICE_AUTH_NONCE_REQUIRED",
  "DEVICE_AUTH_PUBLIC_KEY_INVALID",
  "DEVICE_AUTH_SIGNATURE_EXPIRED",
  "DEVICE_AUTH_SIGNATURE_INVALID",
  "DEVICE_IDENTITY_REQUIRED",
] as const;

/** A gateway's error code about the secret (`AUTH_...`) or the device key (`DEVICE_...`). */
export type GatewayErrorCode = (typeof GATEWAY_CODES)[number];

/** Optional members of a {@link PresenceError}, beside its code and message. */
export interface PresenceErrorDetail {
  /** A more specific code: the gateway's own, or `CLOSED_<close code>`, `OPEN_TIMEOUT`, `TICK_TIMEOUT`, ... */
  readonly detail?: string | undefined;
  /** What a person can do about it, in a sentence. */
  readonly remedy?: string | undefined;
  /** The error that caused it. */
  readonly cause?: unknown;
}

/** Every error of this package. Programs use {@link code}; the message is for people. */
export class PresenceError extends Error {
  /** What went wrong. */
  readonly code: PresenceErrorCode;
  /** A more specific code: the gateway's own, or `CLOSED_<close code>`, `OPEN_TIMEOUT`, `TICK_TIMEOUT`, ... */
  readonly detail: string | undefined;
  /** What a person can do about it, in a sentence; absent if nothing can be done. */
  readonly remedy: string | undefined;

  constructor(code: PresenceErrorCode, message: string, { detail, remedy, cause }: PresenceErrorDetail = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "PresenceError";
    this.code = code;
    this.detail = detail;
    this.remedy = remedy;
  }
}

/** Returns the error of a method call on a freed object. */
export function freed(what: string): PresenceError {
  return new PresenceError("FREED", `this ${what} was freed`);
}

/** The error of calls on a client that is stopped. */
export function stopped(): PresenceError {
  return new PresenceError("CLOSED", "the client was stopped");
}

/** The codes of this package that the core, or a gateway through it, may state. */
const CODES: ReadonlySet<string> = new Set<PresenceErrorCode>([
  ...GATEWAY_CODES,
  "ORIGIN_NOT_ALLOWED",
  "CREDENTIALS_REVOKED",
  "PAIRING_REQUIRED",
  "PROTOCOL_MISMATCH",
  "NO_READ_SCOPE",
  "UNAVAILABLE",
  "TIMEOUT",
  "TOO_MANY_REQUESTS",
]);

/** Codes of connections that ended without a refusal. */
const ENDED = /^(CLOSED.*|.*_TIMEOUT|DISCONNECTED|NOT_CONNECTED|RESYNC_FAILED|BAD_HELLO|FRAME_TOO_LARGE)$/;

/** Returns the app's error for a problem of the core, by default with the matching code of this package. */
export function errorOf({ code, message, remedy }: Problem, own = ownCode(code)): PresenceError {
  return new PresenceError(own, message, { detail: code, remedy: remedy || undefined });
}

function ownCode(code: string): PresenceErrorCode {
  // Gateways prefix codes about pages.
  const known = code.replace(/^CONTROL_UI_/, "");
  if (CODES.has(known)) return known as PresenceErrorCode;
  return ENDED.test(code) ? "CLOSED" : "REFUSED";
}

/** Returns the error of a failed core: after a panic or a trap it cannot continue. */
export function internal(cause: unknown): PresenceError {
  const remedy = "Call `start()` again; if it recurs, report it with the cause.";
  return new PresenceError("INTERNAL", `the core failed: ${messageOf(cause)}`, { remedy, cause });
}

/** Whether WebAssembly itself failed; a function that rejects its arguments throws another kind of error. */
export function isTrap(thrown: unknown): boolean {
  return typeof WebAssembly === "object" && thrown instanceof WebAssembly.RuntimeError;
}

/** Returns the error of a store that the app passed. */
export function storeFailed(cause: unknown): PresenceError {
  if (cause instanceof PresenceError) return cause;
  const { code } = (cause ?? {}) as { readonly code?: unknown };
  const detail = typeof code === "string" ? code : undefined;
  const remedy = "Check the store of instanceIds or device keys, or pass `false` for none.";
  return new PresenceError("STORE_FAILED", messageOf(cause), { detail, remedy, cause });
}

/** Returns a thrown value as a {@link PresenceError}. The WASM module throws only for invalid arguments, or it failed. */
export function asPresenceError(thrown: unknown): PresenceError {
  if (thrown instanceof PresenceError) return thrown;
  if (isTrap(thrown)) return internal(thrown);
  return new PresenceError("INVALID_ARGUMENT", messageOf(thrown), { cause: thrown });
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
