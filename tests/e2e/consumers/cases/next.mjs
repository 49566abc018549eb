// Next.js: the package in a server component and in a client component of one app.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";

import { outcomeOf } from "../lib/browser.mjs";
import { assertLivePage, EXPECTED } from "../lib/expected.mjs";
import { app, run, tool } from "../lib/install.mjs";
import { freePort } from "../lib/serve.mjs";

const env = { NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production" };

export const next = [
  {
    name: "next: server and client",
    async run() {
      const folder = app("next");
      run(tool("next"), ["build"], { cwd: folder, env });
      const port = await freePort();
      const server = spawn(tool("next"), ["start", "--hostname", "127.0.0.1", "--port", String(port)], {
        cwd: folder, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"], detached: true,
      });
      try {
        await started(server);
        const url = `http://127.0.0.1:${port}/`;
        const html = (await (await fetch(url)).text()).replaceAll("&quot;", '"');
        assert.ok(html.includes(JSON.stringify(EXPECTED)), "the server rendered what it came to");
        assert.ok(html.includes('data-phase="stopped"'), "the hooks rendered on the server");
        assertLivePage(await outcomeOf(url));
      } finally {
        await stopped(server);
      }
    },
  },
];

function started(server) {
  return new Promise((resolve, reject) => {
    let printed = "";
    server.on("exit", (code) => reject(new Error(`next start ended with ${code}:\n${printed}`)));
    server.stdout.on("data", (data) => {
      printed += data;
      if (printed.includes("Ready in")) resolve();
    });
  });
}

/** Stops the server and its child processes, which are one process group. */
async function stopped(server) {
  if (server.exitCode !== null) return;
  const gone = new Promise((resolve) => server.on("exit", resolve));
  process.kill(-server.pid, "SIGTERM");
  await gone;
}
