// Results of package linters.
import { APPS, run, tool } from "../lib/install.mjs";

export const lint = [
  {
    name: "lint: publint",
    run({ tarball }) {
      run(tool("publint"), ["run", tarball, "--strict"], { cwd: APPS });
    },
  },
  {
    name: "lint: are the types wrong",
    run({ tarball }) {
      // The files that are no code have no types; resolvers from before `exports` find the main entry only.
      const args = [tarball, "--profile", "node16", "--no-emoji", "--no-color", "--exclude-entrypoints", "core.wasm", "vectors", "package.json"];
      run(tool("attw"), args, { cwd: APPS });
    },
  },
];
