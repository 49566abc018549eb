/** The exports that the entries `openclaw-presence` and `openclaw-presence/slim` share. */
export type * from "./abort.js";
export * from "./arrivals.js";
export * from "./client.js";
export * from "./clock.js";
export * from "./device-key.js";
export * from "./diff.js";
export { PresenceError, type GatewayErrorCode, type PresenceErrorCode, type PresenceErrorDetail } from "./errors.js";
export * from "./events.js";
export * from "./functions.js";
export { watchInput } from "./input.js";
export {
  browserInstanceId,
  randomInstanceId,
  type BrowserInstanceIdOptions,
  type InstanceIdLease,
  type InstanceIdStore,
} from "./instance-id.js";
export { ageTextIn, type Labels } from "./labels.js";
export type * from "./methods.js";
export type * from "./options.js";
export * from "./roster.js";
export * from "./row-names.js";
export { rawRows } from "./rows.js";
export type * from "./types.js";
export { VirtualClock } from "./virtual-clock.js";
export type { WebSocketConstructor, WebSocketLike } from "./websocket.js";
export { isReady, ready } from "./load/core.js";
