// TypeScript finds the types, and they are correct.
import { app, run, tool } from "../lib/install.mjs";

/** How a project may resolve packages, with the file that checks it. */
const PROJECTS = ["node16-module", "node16-commonjs", "bundler"];

export const types = PROJECTS.map((name) => ({
  name: `types: ${name}`,
  run() {
    run(tool("tsc"), ["--project", `${name}.json`], { cwd: app("types") });
  },
}));
