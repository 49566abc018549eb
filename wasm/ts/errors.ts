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
 * | `AUTH_FAILED` | the gateway does not accept the token, password or device; `detail` has its own code |
 * | `PAIRING_REQUIRED` | the gateway's owner has to approve this device first |
 * | `PROTOCOL_MISMATCH` | the gateway speaks neither protocol 3 nor 4 |
 * | `NO_READ_SCOPE` | connected, but the gateway grants no `operator.read`: the roster stays empty |
 * | `BEACON_REFUSED` | the gateway refuses beacons; they are off, the roster goes on |
 * | `REFUSED` | the gateway refuses a request or this client; `detail` has its code |
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
  | "AUTH_FAILED"
  | "PAIRING_REQUIRED"
  | "PROTOCOL_MISMATCH"
  | "NO_READ_SCOPE"
  | "BEACON_REFUSED"
  | "REFUSED"
  | "CLOSED"
  | "TIMEOUT"
  | "TOO_MANY_REQUESTS"
  | "FREED";

/** What a {@link PresenceError} may carry beside its code and message. */
export interface PresenceErrorDetail {
  /** The gateway's own code, such as `AUTH_TOKEN_MISMATCH`. */
  readonly detail?: string | undefined;
  /** Everything the gateway said about it, as it came. */
  readonly gateway?: unknown;
  /** What a person can do about it, in a sentence. */
  readonly remedy?: string | undefined;
  /** What caused it. */
  readonly cause?: unknown;
}

/** Every error of this package. Decide by {@link code}; the message is for people. */
export class PresenceError extends Error {
  /** What went wrong. */
  readonly code: PresenceErrorCode;
  /** The gateway's own code, such as `AUTH_TOKEN_MISMATCH`; absent when the gateway was not asked. */
  readonly detail: string | undefined;
  /** Everything the gateway said about it, as it came. */
  readonly gateway: unknown;
  /** What a person can do about it, in a sentence; absent when there is nothing to do. */
  readonly remedy: string | undefined;

  constructor(code: PresenceErrorCode, message: string, { detail, gateway, remedy, cause }: PresenceErrorDetail = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "PresenceError";
    this.code = code;
    this.detail = detail;
    this.gateway = gateway;
    this.remedy = remedy;
  }
}

/** The error of a method called on something that was freed. */
export function freed(what: string): PresenceError {
  return new PresenceError("FREED", `this ${what} was freed`);
}

/** What was thrown, as a {@link PresenceError}: errors of the WASM module carry a `code` already. */
export function asPresenceError(thrown: unknown): PresenceError {
  if (thrown instanceof PresenceError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new PresenceError("INVALID_ARGUMENT", message, { cause: thrown });
}
