import type { Problem } from "./glue.js";

/**
 * What went wrong, in a word that never changes with the wording of the message.
 *
 * | code | when |
 * |---|---|
 * | `NOT_READY` | the WASM module is not loaded and cannot be loaded at once: `await ready()` first |
 * | `WASM_BLOCKED` | the page's Content-Security-Policy lacks `'wasm-unsafe-eval'` |
 * | `WASM_INVALID` | what was given or fetched is not this version's `core.wasm`, or the platform cannot run it |
 * | `NO_WEBSOCKET` | the platform has no WebSocket and none was passed |
 * | `NO_WEBASSEMBLY` | the platform has no WebAssembly |
 * | `STORE_FAILED` | the store of instanceIds or device keys failed; `detail` has its own code, such as `EACCES` |
 * | `INTERNAL` | the core failed; the client is refused until it is started again |
 * | `INVALID_ARGUMENT` | an option or argument is not what it must be; the message says which |
 * | `AUTH_...` | the gateway does not accept the token or password: `AUTH_TOKEN_MISMATCH`, `AUTH_TOKEN_MISSING`, `AUTH_RATE_LIMITED`, and the others of {@link GatewayErrorCode} |
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

/** Codes of gateways of 2026.9 that are kept. Codes that are not listed become `REFUSED`, with the code in `detail`. */
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

/** A code of the gateway about the secret (`AUTH_...`) or the device key (`DEVICE_...`). */
export type GatewayErrorCode = (typeof GATEWAY_CODES)[number];

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

/** Codes that the core, or a gateway through it, states, with those of this package. */
const CODES: ReadonlyMap<string, PresenceErrorCode> = new Map<string, PresenceErrorCode>([
  ...GATEWAY_CODES.map((code) => [code, code] as const),
  ["CONTROL_UI_ORIGIN_NOT_ALLOWED", "ORIGIN_NOT_ALLOWED"],
  ["CONTROL_UI_DEVICE_IDENTITY_REQUIRED", "DEVICE_IDENTITY_REQUIRED"],
  ["CREDENTIALS_REVOKED", "CREDENTIALS_REVOKED"],
  ["PAIRING_REQUIRED", "PAIRING_REQUIRED"],
  ["PROTOCOL_MISMATCH", "PROTOCOL_MISMATCH"],
  ["NO_READ_SCOPE", "NO_READ_SCOPE"],
  ["UNAVAILABLE", "UNAVAILABLE"],
  ["TIMEOUT", "TIMEOUT"],
  ["TOO_MANY_REQUESTS", "TOO_MANY_REQUESTS"],
]);

/** Ends of connections that no refusal caused. */
const ENDED = /^(CLOSED.*|.*_TIMEOUT|DISCONNECTED|NOT_CONNECTED|RESYNC_FAILED|BAD_HELLO|FRAME_TOO_LARGE)$/;

/** The error that a problem of the core is to the app, with the code of the app for it. */
export function errorOf({ code, message, remedy }: Problem, own = ownCode(code)): PresenceError {
  return new PresenceError(own, message, { detail: code, remedy: remedy || undefined });
}

function ownCode(code: string): PresenceErrorCode {
  return CODES.get(code) ?? (ENDED.test(code) ? "CLOSED" : "REFUSED");
}

/** The error of a core that failed: a panic or a trap, from which nothing goes on. */
export function internal(cause: unknown): PresenceError {
  const remedy = "Call `start()` to begin with a new core. If it happens again, report it with the cause.";
  return new PresenceError("INTERNAL", `the core failed: ${messageOf(cause)}`, { remedy, cause });
}

/** Whether WebAssembly itself failed, in place of a function in it that refuses its arguments. */
export function isTrap(thrown: unknown): boolean {
  return typeof WebAssembly === "object" && thrown instanceof WebAssembly.RuntimeError;
}

/** The error of a store that the app passed. */
export function storeFailed(cause: unknown): PresenceError {
  if (cause instanceof PresenceError) return cause;
  const { code } = (cause ?? {}) as { readonly code?: unknown };
  const detail = typeof code === "string" ? code : undefined;
  const remedy = "Check the store of instanceIds or device keys, or pass `false` for none.";
  return new PresenceError("STORE_FAILED", messageOf(cause), { detail, remedy, cause });
}

/** What was thrown, as a {@link PresenceError}: errors of the WASM module carry a `code` already. */
export function asPresenceError(thrown: unknown): PresenceError {
  if (thrown instanceof PresenceError) return thrown;
  return new PresenceError("INVALID_ARGUMENT", messageOf(thrown), { cause: thrown });
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
