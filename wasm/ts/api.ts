/** Everything that the entries `openclaw-presence` and `openclaw-presence/slim` have in common. */
export * from "./clock.js";
export * from "./device-key.js";
export * from "./diff.js";
export * from "./errors.js";
export * from "./functions.js";
export * from "./gateway.js";
export * from "./instance-id.js";
export * from "./types.js";
export * from "./virtual-clock.js";
export { isReady, ready } from "./load/core.js";
