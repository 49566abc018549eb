// The real `openclaw` command line of one release, in a temporary home folder.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { start } from "../../lib/child.mjs";

/** Time limit of a command. It needs seconds to start on an idle machine, and many more on a busy one. */
export const LIMIT_MS = 120_000;

/** `release` is "2026_2" or "2026_9"; `gateway` is the one to connect to. */
export function openclaw(release, gateway) {
  const program = process.env[`OPENCLAW_${release}`];
  assert.ok(program, `OPENCLAW_${release} names openclaw.mjs; \`cargo xtask test --with-openclaw\` sets it`);
  const home = mkdtempSync(join(tmpdir(), "presence-openclaw-"));
  gateway.defer(() => rmSync(home, { recursive: true, force: true }));
  return new OpenClaw(release, program, home, gateway);
}

class OpenClaw {
  #release;
  #program;
  #home;
  #gateway;

  constructor(release, program, home, gateway) {
    this.#release = release;
    this.#program = program;
    this.#home = home;
    this.#gateway = gateway;
    this.#configure({});
  }

  /** Flags that name the gateway, for commands that accept them. */
  get flags() {
    return ["--url", this.#gateway.url, "--token", this.#gateway.token];
  }

  /** Writes the configuration of a user with a remote gateway, for commands without these flags. */
  configureRemote() {
    const { url, token } = this.#gateway;
    this.#configure({ gateway: { mode: "remote", remote: { url, token } } });
  }

  /** Runs a command to its end and returns {code, stdout, stderr}. Its output is saved for review. */
  async run(...args) {
    const started = this.start(...args);
    const timer = setTimeout(() => started.kill("SIGKILL"), LIMIT_MS);
    const result = await started.ended;
    clearTimeout(timer);
    this.#keep(args, result);
    assert.equal(result.code, 0, `openclaw ${args.join(" ")}\n${result.stdout}${result.stderr}`);
    return result;
  }

  /** Starts a long-running command: {kill, ended, output()}. */
  start(...args) {
    const child = start(process.execPath, [this.#program, ...args], { env: this.#environment(), cwd: this.#home });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"]) {
      child[name].setEncoding("utf8").on("data", (text) => {
        output[name] += text;
      });
    }
    const ended = once(child, "close").then(([code, signal]) => ({ code, signal, ...output }));
    this.#gateway.defer(async () => {
      child.kill("SIGKILL");
      await ended;
    });
    return { kill: (signal) => child.kill(signal), ended, output: () => output.stdout + output.stderr };
  }

  #configure(settings) {
    // Without this setting it writes its log to a system folder that outlives the test.
    const logging = { file: join(this.#home, "openclaw.log") };
    writeFileSync(join(this.#home, "openclaw.json"), JSON.stringify({ logging, ...settings }), { mode: 0o600 });
  }

  /** An environment without the developer's configuration, update checks, channels and discovery. */
  #environment() {
    const off = ["CHANNELS", "PROVIDERS", "CRON", "GMAIL_WATCHER", "BROWSER_CONTROL_SERVER", "CANVAS_HOST"];
    const { port } = new URL(this.#gateway.url);
    return {
      PATH: "/usr/bin:/bin",
      HOME: this.#home,
      TMPDIR: this.#home,
      OPENCLAW_HOME: this.#home,
      OPENCLAW_STATE_DIR: join(this.#home, "state"),
      OPENCLAW_CONFIG_PATH: join(this.#home, "openclaw.json"),
      OPENCLAW_GATEWAY_PORT: port,
      OPENCLAW_GATEWAY_TOKEN: this.#gateway.token,
      OPENCLAW_DISABLE_BONJOUR: "1",
      OPENCLAW_NO_AUTO_UPDATE: "1",
      OPENCLAW_NO_RESPAWN: "1",
      OPENCLAW_NODE_OPTIONS_READY: "1",
      ...Object.fromEntries(off.map((name) => [`OPENCLAW_SKIP_${name}`, "1"])),
    };
  }

  #keep(args, { code, stdout, stderr }) {
    const folder = process.env.OPENCLAW_OUTPUTS;
    if (!folder) return;
    mkdirSync(folder, { recursive: true });
    const words = args.filter((word) => !this.flags.includes(word));
    const shown = `$ openclaw ${args.join(" ")}\n${stdout}${stderr && `[stderr]\n${stderr}`}[exit ${code}]\n`;
    writeFileSync(join(folder, `${this.#release}-${words.join("-").replaceAll(/[^\w-]/gu, "")}.txt`), shown);
  }
}
