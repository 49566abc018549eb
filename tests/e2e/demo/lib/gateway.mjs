// The real gateway with the demo page, started for one test and stopped by its process id.

import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { start } from "../../lib/child.mjs";
import { atEnd } from "./ends.mjs";
import { LIMIT_MS, within } from "./wait.mjs";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const BINARY = process.env.PRESENCE_GATEWAY_BIN ?? `${ROOT}target/debug/presence-gateway`;
/** Folder of the built page. */
export const PAGE = process.env.PRESENCE_WEB_ROOT ?? `${ROOT}web-demo/dist`;

/** Starts a gateway on a free loopback port that serves the demo page; it is stopped when the test ends. */
export async function startGateway(t, args = []) {
  assert.ok(existsSync(BINARY), `no gateway at ${BINARY}: build it, or set PRESENCE_GATEWAY_BIN`);
  assert.ok(existsSync(`${PAGE}/index.html`), `no page at ${PAGE}: run \`node build.mjs\` in web-demo`);
  const gateway = new Gateway(args);
  atEnd(t, () => gateway.stop());
  await gateway.start();
  return gateway;
}

class Gateway {
  port = 0;
  stdout = "";
  stderr = "";
  #args;
  #child;

  constructor(args) {
    this.#args = args;
  }

  /** The sign-in link that the gateway printed. */
  get link() {
    return /open\s+(http:\S+)/.exec(this.stdout)?.[1];
  }

  /** Address of the page, without the secret. */
  get page() {
    return this.link.replace(/#.*/, "");
  }

  get token() {
    return /#token=(.*)/.exec(this.link)?.[1];
  }

  get url() {
    return `ws://127.0.0.1:${this.port}`;
  }

  /** Starts the gateway. A later start uses the port and the token of the first. */
  async start() {
    // Another program may hold the port for a moment.
    await within("the gateway's start", () => this.#tryStart());
    this.port = Number(new URL(this.link).port);
    this.#kept ??= this.token;
  }

  /** Starts the gateway and returns whether it runs: it exits if its port is in use. */
  async #tryStart() {
    const args = ["serve", "--port", String(this.port), "--web-root", PAGE, ...this.#args];
    const env = this.#kept ? { ...process.env, OPENCLAW_GATEWAY_TOKEN: this.#kept } : process.env;
    this.stdout = this.stderr = "";
    const child = start(BINARY, args, { env });
    this.#child = child;
    child.stdout.on("data", (data) => (this.stdout += data));
    child.stderr.on("data", (data) => (this.stderr += data));
    let isOver = false;
    // After "close" all output has been read.
    child.once("close", () => (isOver = true));
    await within("the gateway's address", () => this.link ?? isOver);
    if (this.link) return true;
    assert.match(this.stderr, new RegExp(`:${this.port} is in use`), "why the gateway ended");
    return false;
  }

  #kept;

  /** Stops the gateway with SIGTERM, as an operator does. */
  async stop() {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
    await ended;
    clearTimeout(late);
  }

  /** Runs another command of the gateway's binary against this gateway. */
  async run(...args) {
    const env = { ...process.env, OPENCLAW_GATEWAY_TOKEN: this.#kept ?? "" };
    const all = [args[0], "--port", String(this.port), ...args.slice(1)];
    const child = start(BINARY, all, { env });
    let output = "";
    child.stdout.on("data", (data) => (output += data));
    child.stderr.on("data", (data) => (output += data));
    const [code] = await once(child, "exit");
    assert.equal(code, 0, output);
    return output;
  }
}
