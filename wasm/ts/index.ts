/**
 * The live roster of an OpenClaw gateway. Start with {@link PresenceClient}; {@link Roster} is for lists that
 * somebody pasted, {@link SimulatedGateway} for playgrounds and tests.
 *
 * @packageDocumentation
 */
import "./load/inline.js";

export * from "./api.js";
