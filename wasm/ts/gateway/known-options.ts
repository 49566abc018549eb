import { check, type Names } from "../known-options.js";
import type { SimulatedGatewayOptions, SimulatedLimits } from "./options.js";

const LIMITS: Names<SimulatedLimits> = {
  handshakeMs: 1,
  tickIntervalMs: 1,
  pingIntervalMs: 1,
  stallMs: 1,
  preauthFrameBytes: 1,
  payloadBytes: 1,
  bufferedBytes: 1,
  unauthorizedCalls: 1,
};

const GATEWAY_OPTIONS: Names<SimulatedGatewayOptions> = {
  clock: 1,
  ttlMs: 1,
  maxEntries: 1,
  windowMs: 1,
  ephemeralModes: 1,
  auth: { mode: 1, secret: 1 },
  allowedOrigins: 1,
  limits: LIMITS,
  serverVersion: 1,
  bootId: 1,
  self: 1,
};

/** @throws {PresenceError} `INVALID_ARGUMENT` for an unknown option of a simulated gateway; the message names it. */
export function checkGatewayOptions(options: object): void {
  check(options, GATEWAY_OPTIONS, "options");
}
