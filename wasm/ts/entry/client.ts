/** `openclaw-presence/client`: the live roster alone, without playground and pasted lists. */
import "../load/inline.js";

export * from "../client.js";
export { PresenceError, type PresenceErrorCode, type PresenceErrorDetail } from "../errors.js";
export * from "../events.js";
export type * from "../methods.js";
export type * from "../options.js";
export { rawRows } from "../rows.js";
export type * from "../types.js";
export { isReady, ready } from "../load/core.js";
