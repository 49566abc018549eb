// Starts OpenClaw's own gateways for one test, and stops them by their process ids.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Time limit of waits for these gateways, in ms. They need up to ten seconds to start on an idle machine. */
export const LIMIT_MS = 90_000;
export const TOKEN = "throw-away-token";

/** Turns off everything but the gateway: no channels, models, updates or network. */
const QUIET = {
  ...Object.fromEntries(
    ["CHANNELS", "PROVIDERS", "CRON", "GMAIL_WATCHER", "BROWSER_CONTROL_SERVER", "CANVAS_HOST", "STARTUP_MODEL_PREWARM"]
      .concat(["ACPX_RUNTIME_PROBE", "ONBOARDING"])
      .map((what) => [`OPENCLAW_SKIP_${what}`, "1"]),
  ),
  OPENCLAW_DISABLE_BONJOUR: "1",
  OPENCLAW_NO_AUTO_UPDATE: "1",
  OPENCLAW_NO_RESPAWN: "1",
  OPENCLAW_NODE_OPTIONS_READY: "1",
};

/** One release of each protocol generation; `script` is undefined if it is not installed. */
export const RELEASES = [
  { release: "2026.2.12", script: process.env.OPENCLAW_2026_2, command: ["gateway"], protocol: 3 },
  { release: "2026.9.6", script: process.env.OPENCLAW_2026_9, command: ["gateway", "run"], protocol: 4 },
];

/** Starts a gateway on loopback. It accepts clients some seconds later. */
export async function startOpenClaw(t, script, command) {
  const folder = mkdtempSync(join(tmpdir(), "openclaw-real-"));
  const port = await freePort();
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    OPENCLAW_HOME: folder,
    OPENCLAW_STATE_DIR: join(folder, "state"),
    OPENCLAW_CONFIG_PATH: join(folder, "openclaw.json"),
    ...QUIET,
  };
  const args = ["--allow-unconfigured", "--port", String(port), "--auth", "token", "--token", TOKEN, "--bind", "loopback"];
  const log = join(folder, "log");
  const output = openSync(log, "w");
  const child = spawn(process.execPath, [script, ...command, ...args], { cwd: folder, env, stdio: ["ignore", output, output] });
  const exited = once(child, "exit");
  const stop = async () => {
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await exited;
    clearTimeout(late);
  };
  t.after(async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return { url: `ws://127.0.0.1:${port}`, stop, log: () => readFileSync(log, "utf8").slice(-2_000) };
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
