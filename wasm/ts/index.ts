/**
 * The live roster of an OpenClaw gateway. Start with {@link PresenceClient}; {@link Roster} is for pasted lists.
 *
 * @packageDocumentation
 */
import "./load/inline.js";

export * from "./api.js";
