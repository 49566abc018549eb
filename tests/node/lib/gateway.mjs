// The real gateway binary, started for one test and stopped by its process id.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";

import { FrameLaw } from "./frame-law.mjs";
import { Tap } from "./tap.mjs";
import { LIMIT_MS, within } from "./wait.mjs";

const BINARY = process.env.PRESENCE_GATEWAY_BIN;
const running = new Set();

// A test run that dies takes its gateways with it.
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/**
 * Starts a gateway on a free port of loopback and a recording tap before it. When the test ends the gateway
 * is stopped and everything it ever sent must have kept the law.
 */
export async function startGateway(t, { token = "test-secret", args = [] } = {}) {
  const gateway = new Gateway(token, args);
  t.after(() => gateway.finish());
  await gateway.start();
  return gateway;
}

class Gateway {
  law = new FrameLaw();
  token;
  /** Where clients connect: the tap. The same for the whole test, whatever restarts behind it. */
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
    this.tap = new Tap(port, () => this.law.observe());
    this.url = `ws://127.0.0.1:${await this.tap.listen()}`;
  }

  /** Asks it to stop, as an operator does. Resolves with {code, signal} once the process is gone. */
  async stop(signal = "SIGTERM") {
    if (!this.#child) return null;
    this.#child.kill(signal);
    const late = setTimeout(() => this.#child?.kill("SIGKILL"), LIMIT_MS);
    const ended = await this.#exited;
    clearTimeout(late);
    return ended;
  }

  /** Does this when the test ends, while the gateway still runs; what came last is undone first. */
  defer(cleanUp) {
    this.#deferred.push(cleanUp);
  }

  async finish() {
    // Clients first, or they would go on reconnecting; and whatever is wrong, nothing is left running.
    const failures = [];
    for (const cleanUp of this.#deferred.reverse()) {
      await Promise.resolve().then(cleanUp).catch((error) => failures.push(error));
    }
    const ended = await this.stop();
    await this.tap?.close();
    assert.deepEqual(this.law.violations, [], `the gateway's frames keep the law\n${this.law.violations.join("\n")}`);
    assert.deepEqual(failures, [], "cleaning up works");
    if (ended) assert.deepEqual(ended, { code: 0, signal: null }, `the gateway ends well\n${this.stderr}`);
  }

  async #spawn() {
    assert.ok(BINARY, "PRESENCE_GATEWAY_BIN names the gateway's binary; `cargo xtask test --only e2e` sets it");
    const args = ["serve", "--port", "0", ...(this.token === null ? [] : ["--token", this.token]), ...this.#args];
    // An empty environment: a token or a proxy of the developer's own must not reach the test.
    const child = spawn(BINARY, args, { stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env.PATH } });
    running.add(child);
    this.#child = child;
    this.#exited = once(child, "exit").then(([code, signal]) => {
      running.delete(child);
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
