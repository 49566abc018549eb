import type { Clock } from "../clock.js";
import type { PresenceEntry } from "../types.js";

/** Options of a simulated gateway; the defaults are the real gateway's. */
export interface SimulatedGatewayOptions {
  /** Its clocks and timer; pass a `VirtualClock` to control the time. */
  clock?: Clock;
  /** How long a row lives after its last proof of life, in ms. @default 300000 */
  ttlMs?: number;
  /** Maximum number of rows, the gateway's own included. @default 200 */
  maxEntries?: number;
  /** Coalescing window for broadcasts, in ms; 0 disables coalescing. @default 50 */
  windowMs?: number;
  /** Modes whose clients get no row. @default ["cli"] */
  ephemeralModes?: readonly string[];
  /** The secret that clients must present. @default none */
  auth?: { readonly mode: "token" | "password"; readonly secret: string } | { readonly mode: "none" };
  /** Origins of pages that may connect; `*` allows all. Clients without an origin are always allowed. */
  allowedOrigins?: readonly string[];
  /** Limits and intervals. */
  limits?: SimulatedLimits;
  /** Version in the hello. */
  serverVersion?: string;
  /** Identifies one run of the gateway. */
  bootId?: string;
  /** The gateway's own row. */
  self?: PresenceEntry;
}

/** Limits and intervals of a simulated gateway, in ms and bytes. */
export interface SimulatedLimits {
  /** Time for the handshake. @default 15000 */
  handshakeMs?: number;
  /** Interval of ticks. @default 30000 */
  tickIntervalMs?: number;
  /** Maximum ping interval; a quarter of the TTL if that is less. @default 25000 */
  pingIntervalMs?: number;
  /** Maximum time without an accepted byte. @default 20000 */
  stallMs?: number;
  /** Maximum size of a frame before the handshake. @default 65536 */
  preauthFrameBytes?: number;
  /** Maximum size of a frame after the handshake. @default 1048576 */
  payloadBytes?: number;
  /** Maximum number of bytes of undelivered responses. @default 1048576 */
  bufferedBytes?: number;
  /** Consecutive calls that may be refused for missing rights. @default 10 */
  unauthorizedCalls?: number;
}
