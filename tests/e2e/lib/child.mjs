// Starts the programs of tests. They do not outlive the test process.

import { spawn } from "node:child_process";

const running = new Set();

process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts a program whose output the caller reads. If the test process ends first, the program is killed. */
export function start(program, args, options) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}
