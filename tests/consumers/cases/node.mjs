// Node: both kinds of module, slim, and both kinds at once.
import assert from "node:assert/strict";

import { EXPECTED } from "../lib/expected.mjs";
import { app, run } from "../lib/install.mjs";

const SCRIPTS = ["module.mjs", "commonjs.cjs", "slim.mjs", "slim.cjs", "both.mjs"];

export const node = SCRIPTS.map((script) => ({
  name: `node: ${script}`,
  run() {
    const printed = run(process.execPath, [script], { cwd: app("node"), env: { NODE_OPTIONS: "" } });
    assert.deepEqual(JSON.parse(printed), EXPECTED);
  },
}));
