// Feeds the package's client with the frames that a connection of a vector received; it must show the list of that time.

import { fail, short } from "./failure.mjs";

/** Members that change with every update; a client counts them on by itself. */
const TIMES = new Set(["ts", "lastInputSeconds", "lastActivityAt"]);

/**
 * Feeds a client with the frames of one connection, `[{ at, text }]`. Resolves with the number of lists and deltas after
 * which the client's rows were compared: none for a connection that was refused or may not read. It ends where the client
 * requests a list, because no vector answers that.
 */
export async function followConnection(presence, frames, startWallMs) {
  const first = frames.findIndex(({ text }) => text.includes('"hello-ok"'));
  if (first < 0) return 0;
  const hello = JSON.parse(frames[first].text).payload;
  const clock = new presence.VirtualClock(startWallMs + frames[first].at);
  const line = lineOf(hello);
  const identity = { deviceKey: false, instanceId: "follower", beacons: false };
  const client = new presence.PresenceClient({ WebSocket: line.WebSocket, clock, seed: 1, ...identity });
  const listed = new Listed();
  client.subscribe(() => {});
  client.start();
  await client.connected();
  let compared = 0;
  let now = frames[first].at;
  const compare = () => {
    const lists = [listed.entries(), client.roster.rows.flatMap(presence.rawRows)];
    const [expected, shown] = lists.map((list) => list.map(words).sort());
    if (expected.join() !== shown.join()) fail(`at ${now}: a client shows ${short(shown)} in place of ${short(expected)}`);
    compared += 1;
  };
  listed.replace(hello.snapshot);
  if (client.connection.canRead) compare();
  for (const { at, text } of client.connection.canRead ? frames.slice(first + 1) : []) {
    await clock.advance(at - now);
    now = at;
    const frame = JSON.parse(text);
    if (frame.type !== "event") continue;
    line.hear(frame);
    if (line.asked > 0 || client.connection.phase !== "live") break;
    if (listed.apply(frame)) compare();
  }
  client.close();
  return compared;
}

/** A socket that answers the handshake and counts later requests. */
function lineOf(hello) {
  const line = { asked: 0, hear: (frame) => line.socket.onmessage?.({ data: JSON.stringify(frame) }) };
  line.WebSocket = class {
    constructor() {
      line.socket = this;
      queueMicrotask(() => {
        this.onopen();
        line.hear({ type: "event", event: "connect.challenge", payload: { nonce: "n", ts: 1 } });
      });
    }

    send(text) {
      const { id, method } = JSON.parse(text);
      if (method === "connect") queueMicrotask(() => line.hear({ type: "res", id, ok: true, payload: hello }));
      else line.asked += 1;
    }

    close() {}
  };
  return line;
}

/** A gateway's list, kept by the rules for frames alone (SPEC 2.1), without the rules of a roster. */
class Listed {
  #rows = new Map();

  /** Applies an event, and returns whether it was a presence event. */
  apply({ event, payload }) {
    if (event === "presence" || event === "presence.snapshot") this.replace(payload);
    else if (event === "presence.delta") this.#change(payload);
    else return false;
    return true;
  }

  replace({ presence, keys }) {
    this.#rows = new Map(presence.map((entry, at) => [keys?.[at] ?? at, entry]));
  }

  #change({ upserts, removals }) {
    for (const { key } of removals) this.#rows.delete(key);
    for (const { key, entry } of upserts) this.#rows.set(key, entry);
  }

  entries() {
    return [...this.#rows.values()];
  }
}

/** Returns a row as text, without its times. */
function words(entry) {
  const members = Object.entries(entry).filter(([name]) => !TIMES.has(name));
  return JSON.stringify(members.sort(([a], [b]) => (a < b ? -1 : 1)));
}
