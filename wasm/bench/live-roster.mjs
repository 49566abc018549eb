// A live client of the package, on a socket whose frames the benchmark sets.

import { PresenceClient } from "../dist/node/slim.js";
import { NOW } from "./frames.mjs";

const HELLO = {
  type: "hello-ok",
  protocol: 4,
  server: { version: "1.0.0", connId: "bench" },
  features: { methods: ["system-presence"], events: ["presence", "presence.delta", "presence.snapshot", "tick"] },
  snapshot: { presence: [], stateVersion: { presence: 0, health: 0 } },
  auth: { role: "operator", scopes: ["operator.read"] },
  policy: { maxPayload: 1_000_000, maxBufferedBytes: 1_000_000, tickIntervalMs: 1_000_000_000 },
};

/** A clock that stands still: nothing ages, and no timer fires. */
const clock = { ageMs: () => 1_000, wallMs: () => NOW, setTimer: () => () => {} };

class Line {
  static newest;

  constructor() {
    Line.newest = this;
    queueMicrotask(() => {
      this.onopen();
      this.hear({ type: "event", event: "connect.challenge", payload: { nonce: "n", ts: NOW } });
    });
  }

  send(text) {
    const { id, method } = JSON.parse(text);
    const payload = method === "connect" ? HELLO : [];
    queueMicrotask(() => this.hear({ type: "res", id, ok: true, payload }));
  }

  close() {}

  hear(frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }
}

/** The roster of a `PresenceClient`: takes frames, returns the sorted list of frozen rows. */
export class LiveRoster {
  #client = new PresenceClient({ WebSocket: Line, clock, seed: 1, deviceKey: false, instanceId: "bench", beacons: false });
  #line;

  static async connect() {
    const roster = new LiveRoster();
    roster.#client.start();
    await roster.#client.connected();
    roster.#line = Line.newest;
    return roster;
  }

  apply(text) {
    this.#line.onmessage({ data: text });
  }

  list() {
    return this.#client.roster.rows;
  }

  free() {
    this.#client.close();
  }
}
