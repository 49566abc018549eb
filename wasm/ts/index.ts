/**
 * The live roster of an OpenClaw gateway. Start with {@link PresenceClient}; {@link Roster} is for lists that
 * somebody pasted.
 *
 * @packageDocumentation
 */
import "./load/inline.js";

export * from "./api.js";
