// The real gateway's binary, started for one test and stopped by its process id.

import { spawn } from "node:child_process";
import { once } from "node:events";

import * as assert from "./assert.mjs";
import { LIMIT_MS } from "./until.mjs";

const running = new Set();

// A test run that dies takes its gateways with it.
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts a gateway on loopback; it is stopped when the test ends. */
export async function startGateway(t, { token = "test-secret", args = [] } = {}) {
  const gateway = new Gateway(token, args);
  t.after(() => gateway.stop());
  await gateway.start();
  return gateway;
}

class Gateway {
  token;
  port = 0;
  /** What it logged. */
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

  /** Starts it, on the port it had before if it ran before. */
  async start() {
    // Meanwhile another program may have got the port for a moment.
    const end = Date.now() + LIMIT_MS;
    while (!(await this.#tryStart())) assert.ok(Date.now() < end, `port ${this.port} is free again`);
  }

  /** Starts it, and returns whether it runs: it ends if its port is taken. */
  async #tryStart() {
    const binary = process.env.PRESENCE_GATEWAY_BIN;
    assert.ok(binary, "PRESENCE_GATEWAY_BIN names the gateway's binary");
    const args = ["serve", "--port", String(this.port), "--token", this.token, ...this.#args];
    // An empty environment: a token or a proxy of the developer's own must not reach the test.
    const child = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env.PATH } });
    running.add(child);
    this.#child = child;
    let printed = "";
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      errors += text;
      this.log += text;
    });
    // "close": all that it wrote has been read by then.
    this.#exited = once(child, "close").then(() => running.delete(child));
    const port = await new Promise((resolve) => {
      child.stdout.setEncoding("utf8").on("data", (text) => {
        printed += text;
        const port = /:\/\/[^\s/]*:(\d+)/.exec(printed)?.[1];
        if (port) resolve(Number(port));
      });
      void this.#exited.then(() => resolve(undefined));
    });
    if (port === undefined && !errors.includes(`:${this.port} is in use`)) throw new Error(`the gateway ended before it printed its address\n${printed}${errors}`);
    this.port = port ?? this.port;
    return port !== undefined;
  }

  /** Asks it to stop, as an operator does, and waits until it is gone. */
  async stop(signal = "SIGTERM") {
    this.#child?.kill(signal);
    const late = setTimeout(() => this.#child?.kill("SIGKILL"), LIMIT_MS);
    await this.#exited;
    clearTimeout(late);
  }
}
