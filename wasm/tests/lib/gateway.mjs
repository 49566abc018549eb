// Starts the real gateway for one test, and stops it by its process id.

import { once } from "node:events";

import { start } from "../../../tests/e2e/lib/child.mjs";
import * as assert from "./assert.mjs";
import { LIMIT_MS } from "./until.mjs";

/** Starts a gateway on loopback, which is stopped when the test ends. */
export async function startGateway(t, { token = "test-secret", args = [] } = {}) {
  const gateway = new Gateway(token, args);
  t.after(() => gateway.stop());
  await gateway.start();
  return gateway;
}

class Gateway {
  token;
  port = 0;
  /** The gateway's log. */
  log = "";
  #args;
  #child;
  #exited;

  constructor(token, args) {
    this.token = token;
    this.#args = args;
  }

  get url() {
    return `ws://127.0.0.1:${this.port}`;
  }

  /** Starts the gateway, on its earlier port if it ran before. */
  async start() {
    // Another program may hold the port for a moment.
    const end = Date.now() + LIMIT_MS;
    while (!(await this.#tryStart())) assert.ok(Date.now() < end, `port ${this.port} did not become free`);
  }

  /** Starts the gateway and returns whether it runs: it exits if its port is in use. */
  async #tryStart() {
    const binary = process.env.PRESENCE_GATEWAY_BIN;
    assert.ok(binary, "PRESENCE_GATEWAY_BIN names the gateway's binary");
    const args = ["serve", "--port", String(this.port), "--token", this.token, ...this.#args];
    // A minimal environment: a token or a proxy of the developer must not affect the test.
    const child = start(binary, args, { env: { PATH: process.env.PATH } });
    this.#child = child;
    let printed = "";
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      errors += text;
      this.log += text;
    });
    // After "close" all output has been read.
    this.#exited = once(child, "close");
    const port = await new Promise((resolve) => {
      child.stdout.setEncoding("utf8").on("data", (text) => {
        printed += text;
        const port = /:\/\/[^\s/]*:(\d+)/.exec(printed)?.[1];
        if (port) resolve(Number(port));
      });
      void this.#exited.then(() => resolve(undefined));
    });
    if (port === undefined && !errors.includes(`:${this.port} is in use`)) {
      throw new Error(`the gateway ended before it printed its address\n${printed}${errors}`);
    }
    this.port = port ?? this.port;
    return port !== undefined;
  }

  /** Stops the gateway with a signal, as an operator does, and waits until it has exited. */
  async stop(signal = "SIGTERM") {
    this.#child?.kill(signal);
    const late = setTimeout(() => this.#child?.kill("SIGKILL"), LIMIT_MS);
    await this.#exited;
    clearTimeout(late);
  }
}
