// What checkers of packages say.
import { run, tool, WORK } from "../lib/install.mjs";

export const lint = [
  {
    name: "lint: publint",
    run({ tarball }) {
      run(tool("publint"), ["run", tarball, "--strict"], { cwd: WORK });
    },
  },
  {
    name: "lint: are the types wrong",
    run({ tarball }) {
      // The files that are no code have no types.
      const args = [tarball, "--no-emoji", "--no-color", "--exclude-entrypoints", "core.wasm", "vectors", "package.json"];
      run(tool("attw"), args, { cwd: WORK });
    },
  },
];
