// Node: both kinds of module, slim, and both kinds at once; tests of an app.
import assert from "node:assert/strict";

import { EXPECTED, TESTED } from "../lib/expected.mjs";
import { app, run } from "../lib/install.mjs";

const SCRIPTS = [
  ...["module.mjs", "commonjs.cjs", "slim.mjs", "slim.cjs", "both.mjs"].map((script) => [script, EXPECTED]),
  ...["testing.mjs", "testing.cjs"].map((script) => [script, TESTED]),
];

export const node = SCRIPTS.map(([script, expected]) => ({
  name: `node: ${script}`,
  run() {
    const printed = run(process.execPath, [script], { cwd: app("node"), env: { NODE_OPTIONS: "" } });
    assert.deepEqual(JSON.parse(printed), expected);
  },
}));
