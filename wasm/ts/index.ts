/**
 * The live roster of an OpenClaw gateway. Start with {@link PresenceClient}; {@link Roster} is for lists that
 * somebody pasted, {@link SimulatedGateway} for playgrounds and tests.
 *
 * @packageDocumentation
 */
export * from "./clock.js";
export * from "./device-key.js";
export * from "./diff.js";
export * from "./errors.js";
export * from "./functions.js";
export * from "./gateway.js";
export * from "./instance-id.js";
export * from "./types.js";
export * from "./virtual-clock.js";
