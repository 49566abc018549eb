// Node: both kinds of module, slim, and the oldest version promised.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { EXPECTED } from "../lib/expected.mjs";
import { app, run, WORK } from "../lib/install.mjs";

const OLDEST = ["x64", "arm64"].map((cpu) => join(WORK, `node_modules/node-linux-${cpu}/bin/node`)).find(existsSync);

const SCRIPTS = ["module.mjs", "commonjs.cjs", "slim.mjs", "slim.cjs", "both.mjs"];

function runs(node, script) {
  const printed = run(node, [script], { cwd: app("node"), env: { NODE_OPTIONS: "" } });
  assert.deepEqual(JSON.parse(printed), EXPECTED);
}

export const node = [
  ...SCRIPTS.map((script) => ({ name: `node: ${script}`, run: () => runs(process.execPath, script) })),
  ...(OLDEST ? SCRIPTS : []).map((script) => ({ name: `node 18: ${script}`, run: () => runs(OLDEST, script) })),
];
