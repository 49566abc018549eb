// Runs one script against a gateway (README of the vectors, "Scripts").

import { connectParams } from "./device.mjs";
import { at, fail, Failure, short } from "./failure.mjs";
import { sortedJson } from "./json.mjs";
import { Record } from "./record.mjs";
import { compare, Context, numbered } from "./values.mjs";

/** Runs a script against `target`, and returns its part of the digest's text. */
export async function runScript(suite, script, core, startTarget) {
  const run = new Run(suite, script, core, startTarget);
  for (const [index, step] of script.steps.entries()) {
    const isLast = index + 1 === script.steps.length;
    await at(`step ${index}`, () => run.step(step, step.at, isLast));
  }
  return run.finish();
}

class Run {
  #suite;
  #script;
  #core;
  #target;
  #context;
  /** The current virtual time. */
  #at = 0;
  #conns = new Map();
  /** Connections that an `expect` step has checked. */
  #watched = new Set();
  #record = new Record();
  /** The final list and version, after they were compared. */
  #end;

  constructor(suite, script, core, startTarget) {
    this.#suite = suite;
    this.#script = script;
    this.#core = core;
    const config = { ...suite.cast.config, ...script.config };
    this.#context = new Context(suite, config.auth.secret, config.self);
    this.#target = startTarget(config, suite.cast.startWallMs);
  }

  async step(step, atMs, isLast) {
    if (atMs < this.#at) fail(`time goes back to ${atMs}`);
    await this.#target.advance(atMs - this.#at);
    this.#at = atMs;
    this.#collect();
    const act = this.#actions[step.do] ?? fail(`no step ${step.do}`);
    await at(`${step.do} (at ${atMs})`, () => act(step, isLast));
    for (const [conn, items] of Object.entries(step.expect ?? {})) {
      at(`at ${this.#at}: expect ${conn}`, () => this.#expect(conn, items));
    }
  }

  async finish() {
    if (!this.#end) await this.#checkEnd();
    for (const conn of [...this.#watched].sort()) {
      const [extra] = this.#takeCompared(conn);
      if (extra) fail(`at the end: ${conn} received ${short(extra)}, which nothing expected`);
    }
    this.#target.free();
    return this.#record.text(this.#script.name, this.#end.list, this.#end.version, this.#context);
  }

  #actions = {
    open: ({ conn, from, origin }) => this.#open(conn, from ?? this.#suite.cast.clients.base.from, origin),
    connect: (step) => this.#connect(step),
    call: (step) => this.#call(step.conn, step.method, step),
    beacon: (step) => this.#call(step.conn, "system-event", step),
    list: (step) => this.#list(step),
    repeat: (step) => this.#repeat(step),
    advance: () => {},
    send: async ({ conn, text, json, padTo = 0, settle = true }) => {
      const frame = text ?? sortedJson(this.#context.sent(json));
      const missing = padTo - new TextEncoder().encode(frame).length;
      await this.#target.send(conn, frame + " ".repeat(Math.max(missing, 0)), settle);
      if (settle) this.#collect();
    },
    autoPong: ({ conn, on }) => {
      this.#conn(conn).autoPong = on;
      this.#target.autoPong(conn, on);
      return this.#settle();
    },
    pong: ({ conn, unasked = false }) => {
      const state = this.#conn(conn);
      if (!unasked && state.unanswered === 0) fail("no ping to answer");
      if (!unasked) state.unanswered -= 1;
      this.#target.pong(conn);
      return this.#settle();
    },
    drop: ({ conn }) => this.#leave(conn),
    close: ({ conn }) => this.#leave(conn),
    pause: ({ conn }) => this.#pause(conn, true),
    resume: ({ conn }) => this.#pause(conn, false),
    clear: ({ conn }) => void (this.#conn(conn).pending.length = 0),
    holdHandshakes: ({ on }) => {
      this.#target.holdHandshakes(on);
      return this.#settle();
    },
    wallStep: ({ by }) => {
      this.#target.stepWall(by);
      return this.#settle();
    },
    suspend: async ({ ms }) => {
      await this.#target.suspend(ms);
      this.#at += ms;
      this.#collect();
    },
    shutdown: async ({ reason }, isLast) => {
      if (!isLast) fail("shutdown must be the last step");
      await this.#checkEnd();
      await this.#target.shutdown(reason);
      this.#collect();
    },
  };

  #conn(name) {
    return this.#conns.get(name) ?? fail(`no connection ${name}`);
  }

  async #settle() {
    await this.#target.settle();
    this.#collect();
  }

  async #open(name, from, origin, user) {
    if (this.#conns.has(name)) fail(`two connections are called ${name}`);
    this.#conns.set(name, { pending: [], requests: 0, autoPong: true, unanswered: 0, isGone: false });
    this.#record.open(name);
    this.#target.open(name, from, origin, user);
    await this.#settle();
  }

  #leave(name) {
    this.#conn(name).isGone = true;
    this.#target.leave(name);
    return this.#settle();
  }

  #pause(name, isPaused) {
    this.#conn(name);
    this.#target.pause(name, isPaused);
    return this.#settle();
  }

  async #connect(step) {
    const client = this.#suite.cast.clients[step.as] ?? fail(`no client ${step.as} in the cast`);
    const name = step.conn ?? step.as;
    if (!this.#conns.has(name)) await this.#open(name, step.from ?? client.from, step.origin, step.user);
    const challenge = this.#nextFrame(name);
    if (challenge.event !== "connect.challenge") fail(`received instead of the challenge: ${short(challenge)}`);
    const tools = { suite: this.#suite, context: this.#context, core: this.#core };
    const params = await connectParams(tools, client, step, challenge.payload);
    const id = await this.#request(name, "connect", params);
    const response = this.#nextFrame(name);
    if (response.type !== "res" || response.id !== id) fail(`received instead of the response: ${short(response)}`);
    this.#checkResponse(response, { result: step.hello, error: step.error });
    if (step.close) this.#compareNext(name, { close: step.close });
  }

  /** Sends a request with the connection's next id, and waits for its effects. */
  async #request(conn, method, params) {
    const state = this.#conn(conn);
    state.requests += 1;
    const id = `${conn}-${state.requests}`;
    await this.#target.send(conn, sortedJson({ type: "req", id, method, ...(params === undefined ? {} : { params }) }), true);
    this.#collect();
    return id;
  }

  async #call(conn, method, { params, result, error }) {
    const id = await this.#request(conn, method, params === undefined ? undefined : this.#context.sent(params));
    const { pending } = this.#conn(conn);
    const index = pending.findIndex((received) => {
      const frame = frameOf(received);
      return frame?.type === "res" && frame.id === id;
    });
    if (index < 0) fail(`no response to ${method}`);
    const [response] = pending.splice(index, 1);
    this.#checkResponse(frameOf(response), { result, error });
  }

  #checkResponse(response, { result, error }) {
    if (error !== undefined) {
      if (response.ok !== false) fail(`not refused: ${short(response)}`);
      return at("error", () => compare(this.#context.expected(error, this.#at), response.error));
    }
    if (response.ok !== true) fail(`refused: ${short(response)}`);
    if (result === undefined) return;
    // A payload of `null` may be left out.
    at("payload", () => compare(this.#context.expected(result, this.#at), response.payload ?? null));
  }

  async #list({ rows, count, version }) {
    const end = this.#target.list();
    await this.#settle();
    if (rows !== undefined) {
      const expected = this.#context.expected(rows, this.#at);
      at(`the list is ${short(end.list)}; difference`, () => compare(expected, end.list));
    }
    if (count !== undefined && end.list.length !== count) fail(`${end.list.length} rows instead of ${count}`);
    if (version !== undefined && end.version !== version) fail(`version ${end.version} instead of ${version}`);
    return end;
  }

  async #repeat({ count, every, steps }) {
    const start = this.#at;
    for (let i = 0; i < count; i += 1) {
      for (const step of steps) {
        await at(`round ${i}`, () => this.step(numbered(step, i), start + i * every, false));
      }
    }
  }

  /** Collects the items that the target's clients received. */
  #collect() {
    for (const received of this.#target.takeReceived()) {
      const state = this.#conn(received.conn);
      if (state.isGone) continue;
      const isPing = received.kind === "ping";
      if (isPing && !state.autoPong) state.unanswered += 1;
      if (!isPing || !state.autoPong) state.pending.push(received);
      this.#learn(received);
      this.#record.push(received);
    }
  }

  /** Stores the ids in challenges and hellos. */
  #learn(received) {
    const frame = frameOf(received);
    const { nonce } = frame?.payload ?? {};
    const { connId, bootId } = frame?.payload?.server ?? {};
    if (frame?.event === "connect.challenge") this.#context.nonces.set(received.conn, nonce);
    if (typeof connId === "string") this.#context.conns.set(received.conn, connId);
    if (typeof bootId === "string") this.#record.bootId = bootId;
  }

  #nextFrame(conn) {
    const received = this.#conn(conn).pending.shift() ?? fail("nothing received");
    return frameOf(received) ?? fail(`received ${short(received)}`);
  }

  #compareNext(conn, expected) {
    const received = this.#conn(conn).pending.shift() ?? fail(`nothing received, expected ${short(expected)}`);
    this.#compareItem(expected, received);
  }

  /** Compares all items that a connection received with the expected ones. */
  #expect(conn, items) {
    this.#watched.add(conn);
    const received = this.#takeCompared(conn);
    for (const [index, expected] of items.entries()) {
      if (!received[index]) fail(`[${index}]: nothing received, expected ${short(expected)}`);
      at(`[${index}]`, () => this.#compareItem(expected, received[index]));
    }
    if (received.length > items.length) fail(`unexpected ${short(received[items.length])}`);
  }

  /** Takes the items that were not compared yet, without ignored events. */
  #takeCompared(conn) {
    const ignored = this.#script.ignoreEvents ?? [];
    const received = this.#conn(conn).pending.splice(0);
    return received.filter((item) => !ignored.includes(frameOf(item)?.event));
  }

  #compareItem(expected, received) {
    const item = itemOf(received);
    const whole = wholeFrame(this.#context.expected(expected, received.at));
    at(`received ${short(item)}; difference`, () => compare(whole, item));
  }

  async #checkEnd() {
    const { roster: rows, version } = this.#script;
    this.#end = await at("final roster", () => this.#list({ rows, version }));
  }
}

function frameOf({ kind, text }) {
  if (kind !== "text") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure(`the gateway sent what is not JSON: ${text.slice(0, 200)}`);
  }
}

function itemOf(received) {
  if (received.kind === "ping") return { ping: true };
  if (received.kind === "close") return { close: [received.code, received.reason] };
  return frameOf(received);
}

/** Expands the short forms of events. */
function wholeFrame(expected) {
  const names = Object.keys(expected ?? {}).sort().join();
  const { presence, tick, seq, version } = expected ?? {};
  if (names === "presence,seq,version") {
    const stateVersion = { presence: version, health: 1 };
    return { type: "event", event: "presence", payload: { presence }, seq, stateVersion };
  }
  if (names === "delta,seq") return keyedEvent("presence.delta", expected.delta, seq, expected.delta.to);
  if (names === "seq,snapshot") return keyedEvent("presence.snapshot", expected.snapshot, seq, expected.snapshot.version);
  if (names === "seq,tick") return { type: "event", event: "tick", payload: { ts: tick }, seq };
  return expected;
}

/** An event of a delta client. */
function keyedEvent(event, payload, seq, version) {
  return { type: "event", event, payload, seq, stateVersion: { presence: version, health: 1 } };
}
