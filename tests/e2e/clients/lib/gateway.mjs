// The real gateway binary, started for one test and stopped by its process id.

import assert from "node:assert/strict";
import { once } from "node:events";

import { start } from "../../lib/child.mjs";
import { FrameRules } from "./frame-rules.mjs";
import { Tap } from "./tap.mjs";
import { LIMIT_MS, within } from "./wait.mjs";

const BINARY = process.env.PRESENCE_GATEWAY_BIN;

/**
 * Starts a gateway on a free loopback port, and a recording proxy in front of it. When the test ends, the gateway is
 * stopped, and every frame that it has sent must have kept the frame rules.
 */
export async function startGateway(t, { token = "test-secret", args = [] } = {}) {
  const gateway = new Gateway(token, args);
  t.after(() => gateway.finish());
  await gateway.start();
  return gateway;
}

class Gateway {
  rules = new FrameRules();
  token;
  /** Address of the tap, to which clients connect. It stays the same when the gateway behind it restarts. */
  url;
  tap;
  stdout = "";
  stderr = "";
  #args;
  #child = null;
  #exited = null;
  #deferred = [];

  constructor(token, args) {
    this.token = token;
    this.#args = args;
  }

  get pid() {
    return this.#child.pid;
  }

  async start() {
    const port = await this.#spawn();
    if (this.tap) {
      this.tap.pointAt(port);
      return;
    }
    this.tap = new Tap(port, () => this.rules.observe());
    this.url = `ws://127.0.0.1:${await this.tap.listen()}`;
  }

  /** Stops the gateway with a signal, as an operator does. Resolves with {code, signal} once the process has exited. */
  async stop(signal = "SIGTERM") {
    if (!this.#child) return null;
    this.#child.kill(signal);
    const late = setTimeout(() => this.#child?.kill("SIGKILL"), LIMIT_MS);
    const ended = await this.#exited;
    clearTimeout(late);
    return ended;
  }

  /** Runs `cleanUp` when the test ends, before the gateway stops; the function that was added last runs first. */
  defer(cleanUp) {
    this.#deferred.push(cleanUp);
  }

  async finish() {
    // Clients stop first, or they would keep reconnecting. Failures are collected, so that everything is stopped.
    const failures = [];
    for (const cleanUp of this.#deferred.reverse()) {
      await Promise.resolve().then(cleanUp).catch((error) => failures.push(error));
    }
    const ended = await this.stop();
    await this.tap?.close();
    assert.deepEqual(this.rules.violations, [], `the gateway's frames keep the rules\n${this.rules.violations.join("\n")}`);
    assert.deepEqual(failures, [], "cleaning up works");
    if (ended) assert.deepEqual(ended, { code: 0, signal: null }, `the gateway ends well\n${this.stderr}`);
  }

  async #spawn() {
    assert.ok(BINARY, "PRESENCE_GATEWAY_BIN names the gateway's binary; `cargo xtask test --only e2e` sets it");
    const args = ["serve", "--port", "0", ...(this.token === null ? [] : ["--token", this.token]), ...this.#args];
    // A minimal environment: a token or a proxy of the developer must not affect the test.
    const child = start(BINARY, args, { env: { PATH: process.env.PATH } });
    this.#child = child;
    this.#exited = once(child, "exit").then(([code, signal]) => {
      if (this.#child === child) this.#child = null;
      return { code, signal };
    });
    const { promise: ready, resolve } = Promise.withResolvers();
    let printed = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      this.stdout += text;
      printed += text;
      const port = /:\/\/[^\s/]*:(\d+)/u.exec(printed)?.[1];
      if (port) resolve(Number(port));
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      this.stderr += text;
    });
    const early = this.#exited.then(({ code }) => {
      throw new Error(`the gateway ended (${code}) before it printed its address\n${this.stdout}${this.stderr}`);
    });
    early.catch(() => {});
    return within("the gateway prints its address", Promise.race([ready, early]));
  }
}
