// The package under test: its simulated gateway, in virtual time.

import { fail } from "./failure.mjs";
import { layOver } from "./json.mjs";

/** The package's name in a vector's `targets`. */
export const TARGET = "wasm";

/** The clock's origin is arbitrary, so this one does not start at 0. */
const AGE_ORIGIN_MS = 1_000_000;

/** Returns the functions that a table may call, from the package's exports. */
export function coreFunctions(presence) {
  return {
    normalizeKey: presence.normalizeKey,
    textKey: presence.textKey,
    parseBeacon: presence.parseBeaconText,
    status: (ageMs) => presence.status(ageMs),
    displayStatus(reasons, ageMs) {
      const status = presence.displayStatus(reasons, ageMs);
      const roster = new presence.Roster({ ttlMs: Number.MAX_SAFE_INTEGER });
      roster.apply(reasons.map((reason) => ({ instanceId: "a", ts: 0, ...(reason === null ? {} : { reason }) })), 0);
      const shown = roster.list(ageMs).map((row) => row.status);
      roster.free();
      return shown.length === 1 && shown[0] === status ? status : fail(`the function says ${status}, a roster ${shown}`);
    },
    ageText: presence.ageText,
    reasonLabel: presence.reasonLabel,
    prettyPlatform: presence.platformLabel,
    isLoopback: presence.isLoopback,
    scopesSatisfy: presence.scopesSatisfy,
    closeReason: presence.closeReason,
    follow(now, payloads) {
      const roster = new presence.Roster();
      const steps = payloads.map((payload) => ({ follows: roster.apply(payload, now), rows: roster.entries() }));
      roster.free();
      return steps;
    },
    devicePayload({ version, ...fields }) {
      const number = { v2: 2, v3: 3 }[version] ?? fail(`no signature version ${version}`);
      return presence.deviceSignaturePayload(number, fields);
    },
    ...Object.fromEntries(
      ["mergeSources", "observeSource", "fleetDigest"].map((name) => [name, (...input) => merged(presence, name, input)]),
    ),
  };
}

/** Calls a function that merges rows of several gateways. The package has none, so a test module provides it. */
function merged({ simulation }, name, input) {
  try {
    return JSON.parse(simulation.apply(name, JSON.stringify(input)));
  } catch (words) {
    return fail(words);
  }
}

/** Returns a function that makes targets from the package's exports. */
export function startTarget(presence) {
  return (config, startWallMs) => new Target(presence, config, startWallMs);
}

class Target {
  #clock;
  #gateway;
  #sockets = new Map();
  #received = [];
  /** All texts that connections received: `[{ at, text }]` by connection. */
  heard = new Map();

  constructor(presence, config, startWallMs) {
    this.#clock = new OffsetClock(new presence.VirtualClock(startWallMs));
    this.#gateway = new presence.SimulatedGateway({
      ...config,
      // Omits the members that are null.
      auth: layOver({}, config.auth),
      clock: this.#clock,
      bootId: "00000000-0000-4000-a000-000000000000",
    });
  }

  open(conn, ip, origin, user) {
    const heard = [];
    this.heard.set(conn, heard);
    const receive = (item) => {
      const at = this.#clock.ageMs() - AGE_ORIGIN_MS;
      if (item.kind === "text") heard.push({ at, text: item.text });
      this.#received.push({ conn, at, ...item });
    };
    const socket = this.#gateway.open({
      ip,
      origin,
      user,
      ontext: (text) => receive({ kind: "text", text }),
      onping: () => receive({ kind: "ping" }),
      onclose: (code, reason) => receive({ kind: "close", code, reason }),
    });
    this.#sockets.set(conn, socket);
  }

  async send(conn, text, settle) {
    this.#socket(conn).send(text);
    if (settle) await this.settle();
  }

  pong(conn) {
    this.#socket(conn).pong();
  }

  autoPong(conn, on) {
    this.#socket(conn).isResponsive = on;
  }

  leave(conn) {
    this.#socket(conn).close();
  }

  holdHandshakes(on) {
    this.#gateway.holdHandshakes(on);
  }

  pause(conn, isPaused) {
    this.#socket(conn).isPaused = isPaused;
  }

  advance(ms) {
    return this.#clock.virtual.advance(ms);
  }

  async suspend(ms) {
    await this.#clock.virtual.suspend(ms);
    await this.#clock.virtual.advance(0);
  }

  stepWall(by) {
    this.#clock.virtual.stepWall(by);
  }

  async shutdown(reason) {
    this.#gateway.shutdown(reason);
    await this.settle();
  }

  settle() {
    return this.#gateway.settled();
  }

  list() {
    const list = this.#gateway.list();
    return { list, version: this.#gateway.version };
  }

  takeReceived() {
    return this.#received.splice(0);
  }

  free() {
    this.#gateway.free();
  }

  #socket(conn) {
    return this.#sockets.get(conn) ?? fail(`no connection ${conn}`);
  }
}

/** A virtual clock whose age does not start at 0. */
class OffsetClock {
  virtual;

  constructor(virtual) {
    this.virtual = virtual;
  }

  ageMs() {
    return this.virtual.ageMs() + AGE_ORIGIN_MS;
  }

  wallMs() {
    return this.virtual.wallMs();
  }

  setTimer(callback, delayMs) {
    return this.virtual.setTimer(callback, delayMs);
  }
}
