// Rules for every frame that the gateway sends, checked in every test: the shipped schema, the order of the
// handshake, numbering without gaps, one response to each request, and the shape of the roster.

import { healthProblems, problems } from "./schema.mjs";

const CAP = 200;

/** The rules for the frames of one gateway; `violations` must be empty when the test ends. */
export class FrameRules {
  violations = [];
  /** Number of checked frames. A test that checked none has proved nothing. */
  frames = 0;
  // Members that a beacon sent as "": the store keeps them, but the schema forbids them.
  #emptied = new Set();

  observe() {
    return new ConnectionRules(this);
  }

  violated(rule, text) {
    this.violations.push(`${rule}\n    in ${text.length > 600 ? `${text.slice(0, 600)}…` : text}`);
  }

  noteBeacon(params) {
    for (const [name, value] of Object.entries(params ?? {})) {
      if (value === "") this.#emptied.add(name);
    }
  }

  /** Returns an entry without the two exceptions to the published schema. */
  presentable(entry) {
    const { clientId, ...rest } = entry;
    if (clientId !== undefined && (typeof clientId !== "string" || clientId === "")) return entry;
    for (const name of this.#emptied) if (rest[name] === "") delete rest[name];
    return rest;
  }
}

class ConnectionRules {
  #rules;
  #asked = new Map();
  #connectId = null;
  #connectAnswered = false;
  #challenged = false;
  #extensions = false;
  #closed = false;
  #seq = 0;
  #version = 0;

  constructor(rules) {
    this.#rules = rules;
  }

  client(text) {
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return; // Some tests send invalid JSON on purpose.
    }
    if (typeof frame?.id !== "string") return;
    if (!this.#asked.has(frame.id)) this.#asked.set(frame.id, []);
    this.#asked.get(frame.id).push(frame);
    if (this.#connectId === null) this.#connectId = frame.id;
    if (frame.method === "connect" && Array.isArray(frame.params?.caps)) {
      this.#extensions ||= frame.params.caps.includes("presence-delta");
    }
    if (frame.method === "system-event") this.#rules.noteBeacon(frame.params);
  }

  server(text) {
    this.#rules.frames += 1;
    const violated = (rule) => this.#rules.violated(rule, text);
    if (this.#closed) violated("no frame after the close frame");
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return violated("every frame is JSON");
    }
    const kind = frame.type === "res" ? "ResponseFrame" : "EventFrame";
    for (const problem of problems(kind, frame)) violated(problem);
    if (!this.#challenged) {
      this.#challenged = true;
      return this.#challenge(frame, violated);
    }
    return frame.type === "res" ? this.#response(frame, violated) : this.#event(frame, violated);
  }

  serverClose() {
    this.#closed = true;
  }

  #challenge(frame, violated) {
    const { nonce, ts } = frame.payload ?? {};
    const right = frame.event === "connect.challenge" && typeof nonce === "string" && nonce !== "";
    if (!right || !Number.isSafeInteger(ts)) violated("the first frame is the challenge, with nonce and ts");
    if (frame.seq !== undefined) violated("the challenge has no seq");
  }

  #response(frame, violated) {
    const request = this.#asked.get(frame.id)?.shift();
    if (!request && frame.id !== "invalid") violated("a response answers a request, once");
    const method = request?.method;
    if (frame.ok === (frame.error !== undefined)) violated("error if and only if not ok");
    if (frame.error) for (const problem of problems("ErrorShape", frame.error)) violated(problem);
    const first = !this.#connectAnswered;
    this.#connectAnswered = true;
    if (first && frame.id !== this.#connectId) violated("the first response is the one to connect");
    if (!frame.ok) return;
    if (method === "connect") this.#hello(frame.payload, violated);
    if (method === "system-presence") this.#roster(frame.payload, violated);
    if (method === "health") for (const problem of healthProblems(frame.payload)) violated(problem);
    if (method === "agents.list") for (const problem of problems("AgentsListResult", frame.payload)) violated(problem);
    if (method === "system-event" && JSON.stringify(frame.payload) !== '{"ok":true}') violated("a beacon is answered {ok:true}");
  }

  #hello(hello, violated) {
    const presence = hello?.snapshot?.presence;
    this.#version = hello?.snapshot?.stateVersion?.presence;
    if (this.#extensions) return;
    const rows = presence?.map((entry) => this.#rules.presentable(entry));
    const shown = { ...hello, snapshot: { ...hello.snapshot, presence: rows } };
    for (const problem of problems("HelloOk", shown)) violated(problem);
    const { role, scopes } = hello.auth ?? {};
    const reads = role === "operator" && scopes?.some((scope) => /^operator\.(read|write|admin)$/u.test(scope));
    if (reads) this.#roster(presence, violated);
    else if (presence?.length !== 0) violated("a client without read access gets an empty snapshot");
  }

  #event(frame, violated) {
    if (!this.#connectAnswered) violated("no event between the challenge and the answer to connect");
    if (frame.seq !== undefined) {
      this.#seq += 1;
      if (frame.seq !== this.#seq) violated(`seq ${this.#seq} comes next`);
    }
    const check = {
      tick: () => problems("TickEvent", frame.payload),
      shutdown: () => problems("ShutdownEvent", frame.payload),
      health: () => healthProblems(frame.payload),
      presence: () => this.#presence(frame, violated),
    }[frame.event];
    if (check) for (const problem of check() ?? []) violated(problem);
    else if (!this.#extensions) violated("no event but presence, tick, health and shutdown unasked");
  }

  #presence(frame, violated) {
    if (this.#extensions) return violated("full presence to a client that takes deltas");
    if (frame.seq === undefined) violated("a presence event has a seq");
    const version = frame.stateVersion?.presence;
    if (!(version > this.#version)) violated(`a presence version after ${this.#version}: none twice, none older`);
    this.#version = version;
    const { presence, ...rest } = frame.payload ?? {};
    if (Object.keys(rest).length > 0) violated("a presence event's payload is {presence}");
    this.#roster(presence, violated);
    return [];
  }

  #roster(rows, violated) {
    if (!Array.isArray(rows)) return violated("a roster is a list");
    if (rows.length === 0) violated("a roster is never empty");
    if (rows.length > CAP) violated(`a roster has at most ${CAP} rows`);
    const instances = new Set();
    rows.forEach((entry, index) => {
      for (const problem of problems("PresenceEntry", this.#rules.presentable(entry))) violated(problem);
      if (index > 0 && entry.ts > rows[index - 1].ts) violated("rows come newest first");
      const instance = entry.instanceId?.trim().toLowerCase();
      if (instance && instances.has(instance)) violated(`two rows of instance ${instance}`);
      instances.add(instance);
    });
    if (rows.filter((entry) => entry.mode === "gateway" && entry.reason === "self").length !== 1) {
      violated("the gateway itself is in the roster, once");
    }
  }
}
